"""What p2pchat-protocol(7) says of numbers, records, messages and invites, for the peer in p2ppeer.py."""

import base64
import os
import struct
import time
import urllib.parse
import uuid

from p2pcrypto import check, mac, sha256

# Frames.
HELLO_J, HELLO_H, IDENT, KEY, CONFIRM_J, CONFIRM_H, ALERT = range(1, 8)
PACKET = 0x10

# Records.
PING, PONG, CLOSE, APPROVE, ACK, REKEY_WANT, REKEY_INIT, REKEY_RESP, REKEY_DONE = range(1, 10)
MESSAGE = 0x10
LANE_WANT, LANE_OFFER, LANE_FAILED, LANE_KEY = range(0x20, 0x24)

# Features.
STREAMS = 1 << 8

# Close codes.
NORMAL, GOING_AWAY, DUPLICATE, REPLACED, IDLE_TIMEOUT, REKEY_OVERDUE = range(6)
PROTOCOL_ERROR, UNSUPPORTED = 0x10, 0x11
BUSY, HANDSHAKE_FAILED, REFUSED, SELF = range(0x14, 0x18)
APPROVAL_TIMEOUT, INTERNAL_ERROR, SLOW_PEER, UNSUPPORTED_RECORD = range(0x18, 0x1C)
BAD_ITEM, BAD_KEY = range(0x1C, 0x1E)


# --- invites ----------------------------------------------------------------------------------------

class Invite:
    """What an invite says, as a line of text."""

    def __init__(self, fingerprint, addresses, name="", secret=None):
        self.fingerprint = fingerprint
        self.addresses = addresses
        self.name = name
        self.secret = os.urandom(16) if secret is None else secret

    def __str__(self):
        line = f"p2pchat://{','.join(self.addresses)}/{urllib.parse.quote(self.name)}"
        payload = self.fingerprint + self.secret
        return f"{line}#{base64.urlsafe_b64encode(payload + self.check(line, payload)).decode()}"

    @staticmethod
    def check(line, payload):
        """The three bytes that find a typo."""
        return sha256(b"p2pchat/1 invite text\0", line.encode(), b"#", payload)[:3]

    @classmethod
    def parse(cls, text):
        uri = urllib.parse.urlsplit(text)
        check(uri.scheme == "p2pchat" and len(uri.fragment) in (64, 68), "not an invite")
        data = base64.urlsafe_b64decode(uri.fragment)
        check(data[48:] in (b"", cls.check(text.partition("#")[0], data[:48])), "a typo")
        return cls(data[:32], uri.netloc.split(","), urllib.parse.unquote(uri.path[1:]), data[32:48])

    @staticmethod
    def id_of(secret):
        return sha256(b"p2pchat/1 invite id\0", secret)[:16]

    @staticmethod
    def proof(secret, hash, fingerprint):
        """What a joiner with this fingerprint shows to prove that it has the secret."""
        return mac(secret, b"p2pchat/1 invite\0", hash, fingerprint)


# --- records ----------------------------------------------------------------------------------------

def record(type, body=b""):
    return struct.pack(">IB", len(body), type) + body


def records_of(data):
    while data:
        check(len(data) >= 5, "half a record header")
        length, type = struct.unpack(">IB", data[:5])
        check(len(data) >= 5 + length, "half a record")
        yield type, data[5:5 + length]
        data = data[5 + length:]


class Message:
    """What a MESSAGE record says."""

    def __init__(self, text, id=None, previous=bytes(16), time_ms=None):
        self.text = text
        self.id = uuid.uuid4().bytes if id is None else id
        self.previous = previous
        self.time_ms = int(time.time() * 1000) if time_ms is None else time_ms

    @property
    def body(self):
        text = self.text if isinstance(self.text, bytes) else self.text.encode()
        return self.id + self.previous + struct.pack(">QB", self.time_ms, 0) + text

    @classmethod
    def parse(cls, body):
        check(len(body) > 41 and body[40] == 0 and any(body[:16]), "not a message")
        return cls(body[41:].decode(), body[:16], body[16:32],
                   struct.unpack(">Q", body[32:40])[0])
