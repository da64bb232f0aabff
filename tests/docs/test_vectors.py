"""The recorded conversation is what p2pchat-protocol(7) says: a peer written from the page reads it.

The C programs are held against the same file in tests/dialogue.
"""

import json
import pathlib
import struct
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "peer"))

import mlkem
import p2pcrypto
import p2ppeer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from p2pcrypto import Identity
from p2ppeer import Peer, record


class Vectors(dict):
    """The values as bytes, under their names."""

    def __init__(self, file):
        text = json.loads((TESTS / "vectors" / file).read_text())
        super().__init__({name: bytes.fromhex(value) for name, value in text.items()
                          if name not in ("format", "safety_number")})
        self.safety_number = text["safety_number"]


class Tape:
    """A connection on which the other side says what was recorded; what we say is kept."""

    def __init__(self, frames):
        self.incoming = b"".join(frames)
        self.sent = b""

    def settimeout(self, seconds):
        pass

    def recv(self, size):
        data, self.incoming = self.incoming[:size], self.incoming[size:]
        return data

    def sendall(self, data):
        self.sent += data


class Actor(Peer):
    """A peer with the keys of the recording, that says what was recorded where that is random."""

    def __init__(self, vectors, role, frames):
        name = {p2ppeer.JOINER: "joiner", p2ppeer.HOST: "host"}[role]
        key = serialization.load_der_private_key(vectors[f"{name}_rsa_pkcs1_private"], None)
        self.kems = iter([vectors["joiner_mlkem_d"], vectors["joiner_mlkem_z"]]
                         if role == p2ppeer.JOINER and "mlkem_ek" in vectors else
                         [vectors.get("host_rekey_mlkem_d"), vectors.get("host_rekey_mlkem_z")])
        self.coins = iter([vectors.get("joiner_rekey_mlkem_m" if role == p2ppeer.JOINER
                                       else "host_mlkem_m")])
        super().__init__(Identity(key), Tape(frames), role, invite=vectors["invite_secret"],
                         suites=vectors.suites[role])
        hello = vectors["frame_HELLO_J" if role == p2ppeer.JOINER else "frame_HELLO_H"]
        self.random = hello[5 + 12:5 + 44]
        self.exchange = X25519PrivateKey.from_private_bytes(vectors[f"{name}_x25519_private"])
        self.vectors = vectors

    def new_kem(self):
        return mlkem.KeyPair(next(self.kems), next(self.kems))

    def encapsulate(self, key):
        return mlkem.encapsulate(key, next(self.coins))

    def ident(self, hash):
        ours = super().ident(hash)
        recorded = self._recorded("frame_IDENT")
        assert ours[:54 + 294] == recorded[:54 + 294]
        self.self.public.verify(b"p2pchat/1 ident\0", recorded[348:604], hash, recorded[:348])
        return recorded

    def key(self, hash):
        recorded = self._recorded("frame_KEY")
        ours = super().key(hash)
        assert ours[:302] == recorded[:302]
        return recorded

    def _recorded(self, name):
        """The plaintext of one of our own sealed frames."""
        frame = self.vectors[name]
        key = self.seal_keys[self.role]
        return p2ppeer.AESGCM(key).decrypt(bytes(12), frame[5:], frame[:5])


@pytest.fixture(params=["suite1", "suite1-of-2", "suite2"])
def vectors(request):
    """Each recorded conversation; `suites` is what its joiner offers and its host has."""
    vectors = Vectors(f"handshake-{request.param}-rsa2048.json")
    joiner, host = {"suite1": (1, 1), "suite1-of-2": (3, 1), "suite2": (3, 3)}[request.param]
    vectors.suites = {p2ppeer.JOINER: joiner, p2ppeer.HOST: host}
    return vectors


def test_identities(vectors):
    for name in ("joiner", "host"):
        key = p2pcrypto.PublicKey(vectors[f"{name}_spki"])
        assert key.fingerprint == vectors[f"{name}_fp"]
    both = vectors["joiner_fp"], vectors["host_fp"]
    assert p2pcrypto.checksum(*both) == vectors["checksum"]
    assert p2pcrypto.safety_number(*both) == p2pcrypto.safety_number(*reversed(both)) \
        == vectors.safety_number


def joiner(vectors):
    frames = [vectors[f"frame_{name}"] for name in ("HELLO_H", "KEY", "CONFIRM_H")]
    packets = [vectors[f"packet_H_{name}"] for name in
               ("e0_c0", "e0_c1_REKEY_INIT", "e0_c2_REKEY_DONE", "e1_c0_CLOSE")]
    return Actor(vectors, p2ppeer.JOINER, frames + packets)


def host(vectors, monkeypatch):
    frames = [vectors[f"frame_{name}"] for name in ("HELLO_J", "IDENT", "CONFIRM_J")]
    packets = [vectors[f"packet_J_{name}"] for name in ("e0_c0", "e0_c1_REKEY_RESP", "e1_c0")]
    actor = Actor(vectors, p2ppeer.HOST, frames + packets)
    monkeypatch.setattr(actor, "aes_key", vectors["aes_key"])
    return actor


def check_keys(actor, vectors, names):
    assert actor.sid == vectors["SID"]
    assert actor.root == vectors["root_0"]
    assert (actor.sending.key, actor.receiving.key) == tuple(vectors[name] for name in names)


def test_a_joiner_derives_what_was_recorded(vectors):
    actor = joiner(vectors).handshake()
    check_keys(actor, vectors, ("chain_joiner_0", "chain_host_0"))
    assert actor.connection.sent == b"".join(
        vectors[f"frame_{name}"] for name in ("HELLO_J", "IDENT", "CONFIRM_J"))


def test_a_host_derives_what_was_recorded(vectors, monkeypatch):
    actor = host(vectors, monkeypatch).handshake()
    check_keys(actor, vectors, ("chain_host_0", "chain_joiner_0"))
    assert actor.invited
    assert actor.connection.sent == b"".join(
        vectors[f"frame_{name}"] for name in ("HELLO_H", "KEY", "CONFIRM_H"))


def test_a_joiner_reads_the_packets_of_the_host(vectors, monkeypatch):
    actor = joiner(vectors).handshake()
    monkeypatch.setattr(p2ppeer.X25519PrivateKey, "generate", lambda: X25519PrivateKey.
                        from_private_bytes(vectors["joiner_rekey_x25519_private"]))
    actor.send(actor.message("hello, p2pchat"), record(p2ppeer.PING, struct.pack(">Q", 7)))
    assert actor.hear().text == "grüß dich"
    assert actor.wait(p2ppeer.PONG) == struct.pack(">Q", 7)
    assert actor.acked == 1
    actor.wait(p2ppeer.REKEY_DONE)
    assert actor.root == vectors["root_1"]
    assert actor.sending.key == vectors["chain_joiner_1"]
    assert actor.receiving.key == vectors["chain_host_1"]
    with pytest.raises(p2ppeer.Ended) as ended:
        actor.receive()
    assert ended.value.code == p2ppeer.NORMAL


def test_a_host_reads_the_packets_of_the_joiner(vectors, monkeypatch):
    actor = host(vectors, monkeypatch).handshake()
    assert actor.hear().text == "hello, p2pchat"
    actor.send(actor.message("grüß dich"))
    monkeypatch.setattr(p2ppeer.X25519PrivateKey, "generate", lambda: X25519PrivateKey.
                        from_private_bytes(vectors["host_rekey_x25519_private"]))
    actor.start_rekey()
    actor.wait(p2ppeer.REKEY_RESP)
    assert actor.root == vectors["root_1"]
    assert actor.sending.key == vectors["chain_host_1"]
    assert actor.receiving.key == vectors["chain_joiner_1"]
    actor.wait(p2ppeer.ACK)
    assert actor.acked == 1
