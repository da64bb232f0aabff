"""Lanes of p2pchat-protocol(7), for the peer in p2ppeer.py: the second connection of a session.

As honest as the peer is; what a test wants to be wrong it writes itself, with seal() and write().
"""

import hmac
import os
import socket
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from p2pcrypto import ProtocolError, check, expand, extract, mac, sha256
from p2pformat import LANE_KEY, LANE_OFFER, LANE_WANT, NORMAL, record, records_of

ATTACH, FRAME = 0x08, 0x11
MAGIC = b"p2plane\0"
JOINER, HOST = b"J", b"H"
FRAMES_PER_KEY = 16
PATIENCE_S = 60

(HELLO, RESUME, READY, OPEN, OPENED, DATA, WINDOW, FIN, EXIT, DONE, STOP, RESET, SWITCH, BYE, ECHO,
 ECHOED) = range(1, 17)

NO_SERVICE, BUSY, FAILED, CANCELLED, LOST, TIMEOUT, REFUSED = range(1, 8)

RESUMES = EXITS = 1                                  # flags of OPEN, of OPENED
HAD_FIN, HAD_EXIT, HAD_OPENED, HAD_DONE = 1, 2, 4, 8  # flags of RESUME
BASE = 16384


class Lost(Exception):
    """The other side closed the connection; `code` is what its BYE said, if it said it."""

    def __init__(self, code=None):
        super().__init__("closed" if code is None else f"BYE 0x{code:02x}")
        self.code = code


# --- records ----------------------------------------------------------------------------------------

def hello(instance, streams=1024):
    return record(HELLO, instance + struct.pack(">I", streams))


def resume(id, received=0, taken=0, window=BASE, flags=0):
    return record(RESUME, struct.pack(">IQQIB", id, received, taken, window, flags))


def open_(id, name, window=BASE, flags=RESUMES, argument=b""):
    return record(OPEN, struct.pack(">IIBB", id, window, flags, len(name)) + name.encode() + argument)


def opened(id, window=BASE, flags=0):
    return record(OPENED, struct.pack(">IIB", id, window, flags))


def data(id, content):
    return record(DATA, struct.pack(">I", id) + content)


def window(id, taken, window=BASE):
    return record(WINDOW, struct.pack(">IQI", id, taken, window))


def fin(id, size):
    return record(FIN, struct.pack(">IQ", id, size))


def exit_(id, kind, value):
    return record(EXIT, struct.pack(">IBI", id, kind, value))


def done(id):
    return record(DONE, struct.pack(">I", id))


def stop(id):
    return record(STOP, struct.pack(">I", id))


def reset(id, code):
    return record(RESET, struct.pack(">IB", id, code))


def switch(generation):
    return record(SWITCH, struct.pack(">I", generation))


def bye(code=NORMAL):
    return record(BYE, bytes([code]))


def id_of(body):
    return struct.unpack(">I", body[:4])[0]


# --- keys and frames --------------------------------------------------------------------------------

def attach_frame(sid, id, secret, random=None):
    """The frame that shows that its maker has the secret of this offer."""
    key = expand(extract(sid, secret), b"lane attach")
    start = (struct.pack(">IB", 88, ATTACH) + MAGIC + id +
             (os.urandom(32) if random is None else random))
    return start + mac(key, start)


class Direction:
    """The keys of one direction."""

    def __init__(self, chain, generation=0):
        self.chain = chain
        self.generation = generation
        self.counter = 0
        self.key = None

    def next(self):
        """Key and IV of the next frame."""
        if self.counter % FRAMES_PER_KEY == 0:
            self.key = expand(self.chain, b"packet")
            self.chain = expand(self.chain, b"next")
        iv = struct.pack(">IQ", self.generation, self.counter)
        self.counter += 1
        return self.key, iv


class Keys:
    """All keys of one end: bytes to frames and back."""

    def __init__(self, role, sid, secret, attach):
        self.role = role
        self.generation = 0
        self.next = None
        self.root, (self.sending, self.receiving) = self._derive(
            extract(sid, secret), sha256(attach), 0)

    def _derive(self, key, context, generation):
        joiner, host = (Direction(expand(key, label, context), generation)
                        for label in (b"lane joiner", b"lane host"))
        return (expand(key, b"lane root", context),
                (joiner, host) if self.role == JOINER else (host, joiner))

    def rekey(self, record):
        """Takes a whole LANE_KEY record; switch_sending() and switch_receiving() follow."""
        check(struct.unpack(">I", record[22:26])[0] == self.generation + 1, "generation of LANE_KEY")
        self.generation += 1
        hash = sha256(record)
        self.root, self.next = self._derive(
            extract(expand(self.root, b"lane rekey", hash), record[26:]), hash, self.generation)

    def switch_sending(self):
        self.sending = self.next[0]

    def switch_receiving(self):
        self.receiving = self.next[1]

    def seal(self, records, size=None, rec_len=None, padding=b"\0"):
        """A frame; a test may want its content of another size, or with other words around it."""
        content = struct.pack(">I", len(records) if rec_len is None else rec_len) + records
        if size is None:
            size = 256
            while size < len(content):
                size *= 2
        content = content.ljust(size, padding)
        header = struct.pack(">IB", len(content) + 16, FRAME)
        key, iv = self.sending.next()
        return header + AESGCM(key).encrypt(iv, content, header)

    def open(self, frame):
        """The records of a frame, as a list of types and bodies."""
        size = len(frame) - 5 - 16
        check(256 <= size <= 32768 and size & (size - 1) == 0, "size of a frame")
        key, iv = self.receiving.next()
        try:
            content = AESGCM(key).decrypt(iv, frame[5:], frame[:5])
        except InvalidTag:
            raise ProtocolError("a frame does not open") from None
        size, = struct.unpack(">I", content[:4])
        check(5 <= size <= len(content) - 4 and not any(content[4 + size:]), "content of a frame")
        return list(records_of(content[4:4 + size]))


# --- a lane -----------------------------------------------------------------------------------------

class Lane:
    """One end of a lane of `peer`, which gives its session; `instance` outlives lanes. `kind` is
    its class: 0 for services of people, 1 for files.
    """

    def __init__(self, peer, connection, id, secret, attach, instance=None, kind=0):
        self.peer = peer
        self.kind = bytes([kind])
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.id = id
        self.instance = os.urandom(16) if instance is None else instance
        self.keys = Keys(peer.role, peer.sid, secret, attach)
        self.received = []  # records not yet waited for
        self.there = None   # the other side's instance

    @classmethod
    def join(cls, peer, address, kind=0, **options):
        """Asks for an offer and takes it up."""
        peer.send(record(LANE_WANT, bytes([kind])))
        return cls.take_up(peer, address, kind, **options)

    @classmethod
    def take_up(cls, peer, address, kind=0, **options):
        """Takes up an offer that comes by itself."""
        offer = peer.wait(LANE_OFFER)
        check(len(offer) == 49 and offer[0] == kind, "LANE_OFFER")
        attach = attach_frame(peer.sid, offer[1:17], offer[17:])
        connection = connect(address)
        connection.sendall(attach)
        return cls(peer, connection, offer[1:17], offer[17:], attach, kind=kind, **options)

    @classmethod
    def host(cls, peer, listener, kind=0, **options):
        """Makes an offer and waits for whoever takes it up."""
        id, secret = os.urandom(16), os.urandom(32)
        peer.send(record(LANE_OFFER, bytes([kind]) + id + secret))
        connection = listener.accept()[0]
        connection.settimeout(PATIENCE_S)
        attach = read_exactly(connection, 93)
        random = attach[29:61]
        check(hmac.compare_digest(attach, attach_frame(peer.sid, id, secret, random)), "ATTACH")
        return cls(peer, connection, id, secret, attach, kind=kind, **options)

    @property
    def odd(self):
        """Whether the ids of our own streams are odd."""
        return self.peer.self.public.fingerprint < self.peer.other.fingerprint

    def own_id(self, number=0):
        """The id of our own stream of this number."""
        return 2 * number + (1 if self.odd else 2)

    def other_id(self, number=0):
        return 2 * number + (2 if self.odd else 1)

    def end(self):
        self.connection.close()

    def write(self, frame):
        self.connection.sendall(frame)

    def seal(self, *records, **options):
        return self.keys.seal(b"".join(records), **options)

    def send(self, *records):
        self.write(self.seal(*records))

    def receive(self):
        """Takes one frame."""
        header = read_exactly(self.connection, 5)
        length, type = struct.unpack(">IB", header)
        check(type == FRAME and length <= 32768 + 16, "the frame of a lane")
        for type, body in self.keys.open(header + read_exactly(self.connection, length)):
            if type == BYE:
                raise Lost(body[0])
            if type == SWITCH:
                self._take_switch(body)
            else:
                self.received.append((type, body))

    def wait(self, type, id=None):
        """The body of the next record of this type (and stream) that was not waited for yet."""
        while True:
            for i, (found, body) in enumerate(self.received):
                if found == type and (id is None or id_of(body) == id):
                    del self.received[i]
                    return body
            self.receive()

    def read_data(self, id, size):
        """Exactly so many bytes of a stream, which must come in that many."""
        content = b""
        while len(content) < size:
            content += self.wait(DATA, id)[4:]
        check(len(content) == size, "more bytes than there should be")
        return content

    def greet(self, *resumes):
        """Both sides' words at the start, ours with RESUMEs; those of the other side."""
        self.send(hello(self.instance), *resumes, record(READY))
        self.there = self.wait(HELLO)[:16]
        self.wait(READY)
        theirs = [body for type, body in self.received if type == RESUME]
        self.received = [entry for entry in self.received if entry[0] != RESUME]
        return theirs

    # --- new keys ---

    def say_key(self, *before):
        """Host: gives new keys, in a packet of the session that begins with other records."""
        body = (self.kind + self.id + struct.pack(">I", self.keys.generation + 1) + os.urandom(32))
        self.peer.send(*before, record(LANE_KEY, body))
        self.keys.rekey(record(LANE_KEY, body))

    def take_key(self):
        """Joiner: takes new keys, and says from where on."""
        self.keys.rekey(record(LANE_KEY, self.peer.wait(LANE_KEY)))
        self.send(switch(self.keys.generation))
        self.keys.switch_sending()

    def _take_switch(self, body):
        check(id_of(body) == self.keys.generation, "SWITCH")
        self.keys.switch_receiving()
        if self.peer.role == HOST:
            self.send(switch(self.keys.generation))
            self.keys.switch_sending()


def connect(address):
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), PATIENCE_S)


def read_exactly(connection, size):
    content = b""
    while len(content) < size:
        try:
            piece = connection.recv(size - len(content))
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise Lost()
        content += piece
    return content
