"""What p2pchat-protocol(7) says of numbers, records, messages and invites, for the peer in p2ppeer.py."""

import base64
import os
import re
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
MESSAGE, FILE_OFFER, FILE_STATE = range(0x10, 0x13)
LANE_WANT, LANE_OFFER, LANE_FAILED, LANE_KEY = range(0x20, 0x24)

# Features.
STREAMS, FILES = 1 << 8, 1 << 9

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


# What a side can do, as bits.
HEADERS, CALLS = 1 << 0, 1 << 1

# Tags of headers.
TYPE, TOPIC, KEY_HEADER, REPLY_TO, PRIORITY, FORGET = range(1, 7)
ASK, REPORT, RESULT, CANCEL = range(0x10, 0x14)
USER = 0x7F


def encode_headers(headers):
    """The bytes of (tag, value) pairs, in the order in which they are given."""
    return b"".join(struct.pack(">BH", tag, len(value)) + value for tag, value in headers)


def user(name, value):
    """A header of people's own."""
    return USER, bytes([len(name)]) + name.encode() + value.encode()


def is_line(value, most):
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return False
    return len(value) <= most and not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in text)


def check_header(tag, value):
    """What one header may say."""
    if tag == TYPE:
        check(3 <= len(value) <= 127 and all(0x20 <= byte <= 0x7E for byte in value) and
              b"/" in value[1:-1] and value[:1] != b"/" != value[-1:], "type")
    elif tag == TOPIC:
        check(value and is_line(value, 255) and not set(b"#+") & set(value), "topic")
    elif tag == KEY_HEADER:
        check(value and is_line(value, 128), "key")
    elif tag == REPLY_TO:
        check(len(value) == 16 and any(value), "reply-to")
    elif tag == PRIORITY:
        check(value in (b"\0", b"\2"), "priority")
    elif tag == FORGET:
        check(len(value) == 4 and any(value), "forget")
    elif tag == ASK:
        check(len(value) > 4 and 1 <= struct.unpack(">I", value[:4])[0] <= 2592000 and
              re.fullmatch(rb"[a-z0-9][a-z0-9._-]{0,63}", value[4:]), "ask")
    elif tag in (REPORT, CANCEL):
        check(not value, "report or cancel")
    elif tag == RESULT:
        check(len(value) == 2, "result")
    elif tag == USER:
        check(value and re.fullmatch(rb"[a-z][a-z0-9-]{0,31}", value[1:1 + value[0]]) and
              len(value) > value[0] and is_line(value[1 + value[0]:], 1024), "user")
    else:
        check(tag < USER, "a tag above all")


def decode_content(content, features):
    """The headers of a content as (tag, value) pairs, and its body."""
    check(len(content) >= 2, "no headers")
    size, = struct.unpack(">H", content[:2])
    check(3 <= size <= 4096 and len(content) >= 2 + size and len(content) <= 2 + size + 65536,
          "sizes")
    data, body, headers = content[2:2 + size], content[2 + size:], []
    while data:
        check(len(data) >= 3, "half a header")
        tag, length = struct.unpack(">BH", data[:3])
        check(len(data) >= 3 + length, "half a value")
        headers.append((tag, data[3:3 + length]))
        check_header(*headers[-1])
        data = data[3 + length:]
    tags = [tag for tag, _ in headers]
    names = [value[1:1 + value[0]] for tag, value in headers if tag == USER]
    single = [tag for tag in tags if tag != USER]
    check(tags == sorted(tags) and len(single) == len(set(single)), "order")
    check(names == sorted(set(names)) and len(names) <= 32, "names")
    check(sum(3 + len(value) for tag, value in headers if tag == USER) <= 2048, "too many")
    calls = [tag for tag in tags if ASK <= tag <= CANCEL]
    check(len(calls) <= 1 and (not calls or features & CALLS), "calls")
    if calls and calls[0] in (ASK, RESULT):
        check(KEY_HEADER not in tags and FORGET not in tags, "a call that is moved")
    if calls and calls[0] in (RESULT, CANCEL):
        check(REPLY_TO in tags, "an answer to nothing")
    if calls == [CANCEL]:
        check(set(tags) <= {REPLY_TO, PRIORITY, CANCEL} and not body, "more than a cancel")
    return headers, body


class Message:
    """What a MESSAGE record says. One with headers is of kind 1, and its text is bytes."""

    def __init__(self, text, id=None, previous=bytes(16), time_ms=None, headers=()):
        self.text = text
        self.id = uuid.uuid4().bytes if id is None else id
        self.previous = previous
        self.time_ms = int(time.time() * 1000) if time_ms is None else time_ms
        self.headers = list(headers)

    @property
    def body(self):
        content = self.text if isinstance(self.text, bytes) else self.text.encode()
        if self.headers:
            encoded = encode_headers(self.headers)
            content = struct.pack(">H", len(encoded)) + encoded + content
        return (self.id + self.previous + struct.pack(">QB", self.time_ms, bool(self.headers)) +
                content)

    @classmethod
    def parse(cls, body, features=0):
        check(len(body) > 41 and any(body[:16]), "not a message")
        check(body[40] == 0 or body[40] == 1 and features & HEADERS, "a kind")
        headers, text = [], body[41:]
        if body[40] == 1:
            headers, text = decode_content(text, features)
        else:
            text = text.decode()
        return cls(text, body[:16], body[16:32], struct.unpack(">Q", body[32:40])[0], headers)


class Item:
    """What a record of an item says that is no message; the content is as it stands."""

    def __init__(self, type, content, id=None, previous=bytes(16), time_ms=None):
        self.type = type
        self.content = content
        self.id = uuid.uuid4().bytes if id is None else id
        self.previous = previous
        self.time_ms = int(time.time() * 1000) if time_ms is None else time_ms

    @property
    def body(self):
        return self.id + self.previous + struct.pack(">Q", self.time_ms) + self.content

    @classmethod
    def parse(cls, type, body):
        check(len(body) > 40 and any(body[:16]), "not an item")
        return cls(type, body[40:], body[:16], body[16:32], struct.unpack(">Q", body[32:40])[0])
