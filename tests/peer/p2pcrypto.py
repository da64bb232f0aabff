"""The algorithms and identities of p2pchat-protocol(7), for the peer in p2ppeer.py."""

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"p2pchat/1 aes-key")
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

SPKI_STARTS = [bytes.fromhex(text) for text in (
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100",
    "308201a2300d06092a864886f70d01010105000382018f003082018a0282018100",
    "30820222300d06092a864886f70d01010105000382020f003082020a0282020100")]
SPKI_END = bytes.fromhex("0203010001")


class ProtocolError(Exception):
    """The other side did what the protocol does not allow."""


def check(condition, what):
    if not condition:
        raise ProtocolError(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


extract = mac


def expand(secret, label, context=b""):
    return mac(secret, b"p2pchat/1 ", label, b"\0", context, b"\1")


def agree(private, public):
    return private.exchange(X25519PublicKey.from_public_bytes(public))


def public_bytes(private):
    return private.public_key().public_bytes(serialization.Encoding.Raw,
                                             serialization.PublicFormat.Raw)


def checksum(one, other):
    return sha256(b"p2pchat/1 checksum\0", min(one, other), max(one, other))


def safety_number(one, other):
    digest = hashlib.sha512(b"p2pchat/1 safety\0" + checksum(one, other)).digest()
    groups = [int.from_bytes(digest[5 * i:5 * i + 5], "big") % 100000 for i in range(12)]
    return " ".join(f"{group:05}" for group in groups)


class PublicKey:
    """The RSA key of the other side, from its only legal bytes."""

    def __init__(self, spki):
        self.spki = spki
        check(any(spki.startswith(start) and len(spki) == len(start) + size + 5
                  for start, size in zip(SPKI_STARTS, (256, 384, 512)))
              and spki.endswith(SPKI_END), "not a public key")
        modulus = spki[33:-5]
        check(modulus[0] & 0x80 and modulus[-1] & 1, "not a modulus")
        self.size = len(modulus)
        self.fingerprint = sha256(spki)
        self.key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()

    @property
    def text(self):
        """The fingerprint as people write it."""
        return "SHA256:" + base64.b64encode(self.fingerprint).decode().rstrip("=")

    def verify(self, context, signature, *parts):
        try:
            self.key.verify(signature, context + b"".join(parts), PSS, hashes.SHA256())
        except InvalidSignature:
            raise ProtocolError("wrong signature") from None

    def wrap(self, secret):
        return self.key.encrypt(secret, OAEP)


class Identity:
    """An own RSA key."""

    def __init__(self, key=None, bits=2048):
        self.key = key or rsa.generate_private_key(65537, bits)
        self.public = PublicKey(self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))

    @property
    def text(self):
        return self.public.text

    def sign(self, context, *parts):
        return self.key.sign(context + b"".join(parts), PSS, hashes.SHA256())

    def unwrap(self, wrapped):
        try:
            secret = self.key.decrypt(wrapped, OAEP)
        except ValueError:
            secret = b""
        return secret if len(secret) == 32 else os.urandom(32)
