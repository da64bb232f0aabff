"""A peer in Python, written from p2pchat-protocol(7) and nothing else; it shares no code with src/.

It is honest. A test makes it dishonest by replacing one of the small methods that say what goes
onto the wire (`hello_j`, `ident`, `content`, `sign_packet` …), so that all the rest stays right.

Not a program: it keeps nothing, answers only while it is asked for something, and trusts
whatever key it is told to.
"""

import hashlib
import hmac
import os
import socket
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import mlkem
from p2pcrypto import (ProtocolError, PublicKey, agree, check, checksum, expand, extract, mac,
                       public_bytes, sha256)
from p2pformat import *

PATIENCE_S = 60

JOINER, HOST = b"J", b"H"
MAGIC = b"p2pchat\0"


class Ended(Exception):
    """The other side ended the link, by a code or (None) by closing the connection."""

    def __init__(self, code):
        super().__init__("connection closed" if code is None else f"code 0x{code:02x}")
        self.code = code


class Chain:
    """The keys of one direction."""

    def __init__(self, key, epoch=0):
        self.key = key
        self.epoch = epoch
        self.counter = 0

    @property
    def nonce(self):
        return struct.pack(">IQI", self.epoch, self.counter, 1)

    def next_key(self):
        key = expand(self.key, b"packet")
        self.key = expand(self.key, b"next")
        self.counter += 1
        return key


# --- a link -----------------------------------------------------------------------------------------

class Peer:
    """One link. `role` is our own; `other` is the public key that the other side has proved."""

    def __init__(self, identity, connection, role, approved=True, invite=None, suites=1,
                 features=0, gone=()):
        self.self = identity
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.role = role
        self.approved = approved
        self.approved_there = False
        self.invite = invite  # the secret that a joiner shows, and a host looks for
        self.invited = False  # host: it was shown
        self.features = features
        self.features_there = 0
        self.gone = gone      # joiner: the tags of links to name
        self.names = b""      # host: the names that the joiner gave
        self.random = os.urandom(32)
        self.aes_key = os.urandom(32)  # what a host hands to the joiner
        self.suites = suites  # a set of bits; 3 for both
        self.suite = 1        # the one that is spoken
        self.exchange = X25519PrivateKey.generate()
        self.kem = self.new_kem() if role == JOINER and suites & 2 else None
        self.ciphertext = b""  # host: what it hides a secret in
        self.kem_secret = b""
        self.transcript = hashlib.sha256()
        self.sealed = {JOINER: 0, HOST: 0}
        self.seal_keys = None
        self.other = None
        self.rekey_key = self.rekey_kem = self.next = None
        self.rekey_init = b""
        self.step = b""       # the record with which we answer a step of a rekey
        self.received = []    # records not yet waited for
        self.answers = b""    # records that the next packet has to carry
        self.messages = []    # the other side's, each once
        self.files = []       # offers of it, and how they ended
        self.items_in = self.items_out = self.acked = 0
        self.previous = bytes(16)

    @classmethod
    def join(cls, identity, address, **options):
        """Connects to "host:port"; the handshake is still to come."""
        host, _, port = address.rpartition(":")
        return cls(identity, socket.create_connection((host, int(port)), PATIENCE_S), JOINER,
                   **options)

    @classmethod
    def accept(cls, identity, listener, **options):
        """Waits for a connection."""
        listener.settimeout(PATIENCE_S)
        return cls(identity, listener.accept()[0], HOST, **options)

    def end(self):
        self.connection.close()

    @property
    def other_role(self):
        return HOST if self.role == JOINER else JOINER

    @property
    def open(self):
        return self.approved and self.approved_there

    @property
    def common(self):
        """What both sides can do."""
        return self.features & self.features_there

    # --- frames ---

    def write(self, type, body):
        self.connection.sendall(struct.pack(">IB", len(body), type) + body)

    def _read_exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self.connection.recv(size - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Ended(None)
            data += piece
        return data

    def read(self):
        length, type = struct.unpack(">IB", self._read_exactly(5))
        check(length <= 32 + 131072, "a frame that long")
        return type, self._read_exactly(length)

    def _note(self, type, plaintext):
        """One more element of the transcript; returns the hash of all."""
        self.transcript.update(struct.pack(">IB", len(plaintext), type) + plaintext)
        return self.transcript.digest()

    def _seal_arguments(self, role, type, length):
        iv = struct.pack(">IQ", 0, self.sealed[role])
        self.sealed[role] += 1
        return iv, struct.pack(">IB", length, type)

    def write_sealed(self, type, plaintext):
        iv, header = self._seal_arguments(self.role, type, len(plaintext) + 16)
        self.write(type, AESGCM(self.seal_keys[self.role]).encrypt(iv, plaintext, header))

    def read_handshake(self, expected):
        """The plaintext of the frame that has to come."""
        type, body = self.read()
        if self.seal_keys is not None:
            iv, header = self._seal_arguments(self.other_role, type, len(body))
            try:
                body = AESGCM(self.seal_keys[self.other_role]).decrypt(iv, body, header)
            except InvalidTag:
                raise ProtocolError("a sealed frame does not open") from None
        if type == ALERT:
            raise Ended(body[0])
        check(type == expected, f"frame 0x{type:02x} instead of 0x{expected:02x}")
        return body

    # --- the handshake: what goes out ---

    def new_kem(self):
        return mlkem.KeyPair(os.urandom(32), os.urandom(32))

    def encapsulate(self, key):
        """Secret and ciphertext."""
        check(mlkem.is_key(key), "not an ML-KEM key")
        return mlkem.encapsulate(key, os.urandom(32))

    def _hello(self, last, suites, second, extensions=b""):
        return (MAGIC + struct.pack(">BBH", 1, last, suites) + self.random +
                public_bytes(self.exchange) + struct.pack(">H", len(second)) + second +
                struct.pack(">H", len(extensions)) + extensions)

    def name_of(self, tag, random):
        """How a HELLO_J with this random value names the link with this tag."""
        return expand(tag, b"gone", random)[:8]

    def hello_j(self):
        names = b"".join(self.name_of(tag, self.random) for tag in self.gone)
        extensions = struct.pack(">HH", 2, len(names)) + names if names else b""
        return self._hello(1, self.suites, self.kem.public if self.kem else b"", extensions)

    def hello_h(self):
        return self._hello(0, self.suite, self.ciphertext)

    def sign_ident(self, hash, prefix):
        return self.self.sign(b"p2pchat/1 ident\0", hash, prefix)

    def ident(self, hash):
        own = self.self.public
        id = proof = b""
        if self.invite is not None:
            id = Invite.id_of(self.invite)
            proof = Invite.proof(self.invite, hash, own.fingerprint)
        prefix = (struct.pack(">I", self.features) + id.ljust(16, b"\0") + proof.ljust(32, b"\0") +
                  struct.pack(">H", len(own.spki)) + own.spki)
        return (prefix + self.sign_ident(hash, prefix)).ljust(1152, b"\0")

    def wrap(self, secret):
        return self.other.wrap(secret)

    def sign_key(self, hash, prefix):
        return self.self.sign(b"p2pchat/1 key\0", hash, prefix)

    def key(self, hash):
        wrapped = self.wrap(self.aes_key)
        own = self.self.public
        prefix = (struct.pack(">IH", self.features, len(own.spki)) + own.spki +
                  struct.pack(">H", len(wrapped)) + wrapped)
        return (prefix + self.sign_key(hash, prefix)).ljust(1664, b"\0")

    def confirm(self, key, hash):
        flags = bytes([self.approved])
        both = checksum(self.self.public.fingerprint, self.other.fingerprint)
        return flags + both + mac(key, hash, flags, both)

    # --- the handshake: what comes in ---

    def _take_hello(self, hello):
        """X25519 key and whatever comes beside it."""
        check(len(hello) >= 80 and hello[:8] == MAGIC, "not a HELLO")
        check(hello[12:44] != self.random, "our own HELLO")
        size, = struct.unpack(">H", hello[76:78])
        check(len(hello) >= 80 + size, "length of the second part")
        return hello[44:76], hello[78:78 + size]

    def _take_hello_h(self, hello):
        version, zero, self.suite = struct.unpack(">BBH", hello[8:12])
        check((version, zero) == (1, 0) and self.suite in (1, 2) and
              self.suites >> (self.suite - 1) & 1, "not what was offered")
        public, ciphertext = self._take_hello(hello)
        check(len(ciphertext) == (1088 if self.suite == 2 else 0), "length of the ciphertext")
        if self.suite == 2:
            self.kem_secret = self.kem.decapsulate(ciphertext)
        return public

    def _take_names(self, extensions):
        while extensions:
            type, size = struct.unpack(">HH", extensions[:4])
            if type == 2:
                self.names = extensions[4:4 + size]
            extensions = extensions[4 + size:]

    def _take_hello_j(self, hello):
        offered, = struct.unpack(">H", hello[10:12])
        public, key = self._take_hello(hello)
        self._take_names(hello[80 + len(key):])
        self.joiner_random = hello[12:44]
        check(len(key) == (1184 if offered & 2 else 0), "length of the ML-KEM key")
        if offered & self.suites & 2:
            self.suite = 2
            self.kem_secret, self.ciphertext = self.encapsulate(key)
        return public

    def _take_ident(self, ident, hash):
        self.features_there, = struct.unpack(">I", ident[:4])
        size, = struct.unpack(">H", ident[52:54])
        other = PublicKey(ident[54:54 + size])
        check(other.fingerprint != self.self.public.fingerprint, "our own key")
        end = 54 + size + other.size
        check(not any(ident[end:]), "padding")
        other.verify(b"p2pchat/1 ident\0", ident[54 + size:end], hash, ident[:54 + size])
        if self.invite is not None:
            self.invited = (ident[4:20] == Invite.id_of(self.invite) and ident[20:52] ==
                            Invite.proof(self.invite, hash, other.fingerprint))
        self.other = other

    def _take_key(self, key, hash):
        self.features_there, size = struct.unpack(">IH", key[:6])
        other = PublicKey(key[6:6 + size])
        check(other.fingerprint != self.self.public.fingerprint, "our own key")
        start = 8 + size
        wrapped_size, = struct.unpack(">H", key[6 + size:start])
        check(wrapped_size == self.self.public.size, "size of the wrapped key")
        signed = start + wrapped_size
        check(not any(key[signed + other.size:]), "padding")
        other.verify(b"p2pchat/1 key\0", key[signed:signed + other.size], hash, key[:signed])
        self.other = other
        return self.self.unwrap(key[start:signed])

    def _take_confirm(self, confirm, key, hash):
        both = checksum(self.self.public.fingerprint, self.other.fingerprint)
        check(confirm[0] in (0, 1), "flags of CONFIRM")
        check(confirm[1:33] == both and
              hmac.compare_digest(confirm[33:], mac(key, hash, confirm[:1], both)),
              "CONFIRM does not match")
        self.approved_there = confirm[0] == 1

    # --- the handshake ---

    def _agree(self, hash, public):
        self.hs = extract(hash, self.kem_secret + agree(self.exchange, public))
        self.tag = expand(self.hs, b"tag")
        self.seal_keys = {JOINER: expand(self.hs, b"hs joiner"), HOST: expand(self.hs, b"hs host")}

    def _master(self, hash, secret):
        master = extract(expand(self.hs, b"mix", hash), secret)
        return master, expand(master, b"confirm joiner"), expand(master, b"confirm host")

    def _start(self, master, sid):
        self.sid = sid
        self._take_chains(master, sid, 0)
        self.sending, self.receiving = self.next

    def _take_chains(self, secret, context, epoch):
        self.root = expand(secret, b"root", context)
        joiner = Chain(expand(secret, b"chain joiner", context), epoch)
        host = Chain(expand(secret, b"chain host", context), epoch)
        self.next = (joiner, host) if self.role == JOINER else (host, joiner)

    def handshake(self):
        """From HELLO_J to CONFIRM_H. Returns self."""
        if self.role == JOINER:
            self._handshake_as_joiner()
        else:
            self._handshake_as_host()
        return self

    def _handshake_as_joiner(self):
        hello = self.hello_j()
        self.write(HELLO_J, hello)
        self._note(HELLO_J, hello)
        hello = self.read_handshake(HELLO_H)
        public = self._take_hello_h(hello)
        t2 = self._note(HELLO_H, hello)
        self._agree(t2, public)
        ident = self.ident(t2)
        self.write_sealed(IDENT, ident)
        t3 = self._note(IDENT, ident)
        key = self.read_handshake(KEY)
        secret = self._take_key(key, t3)
        t4 = self._note(KEY, key)
        master, confirm_joiner, confirm_host = self._master(t4, secret)
        confirm = self.confirm(confirm_joiner, t4)
        self.write_sealed(CONFIRM_J, confirm)
        t5 = self._note(CONFIRM_J, confirm)
        confirm = self.read_handshake(CONFIRM_H)
        self._take_confirm(confirm, confirm_host, t5)
        self._start(master, self._note(CONFIRM_H, confirm))

    def _handshake_as_host(self):
        hello = self.read_handshake(HELLO_J)
        public = self._take_hello_j(hello)
        self._note(HELLO_J, hello)
        hello = self.hello_h()
        self.write(HELLO_H, hello)
        t2 = self._note(HELLO_H, hello)
        self._agree(t2, public)
        ident = self.read_handshake(IDENT)
        self._take_ident(ident, t2)
        t3 = self._note(IDENT, ident)
        key = self.key(t3)
        self.write_sealed(KEY, key)
        t4 = self._note(KEY, key)
        master, confirm_joiner, confirm_host = self._master(t4, self.aes_key)
        confirm = self.read_handshake(CONFIRM_J)
        self._take_confirm(confirm, confirm_joiner, t4)
        t5 = self._note(CONFIRM_J, confirm)
        confirm = self.confirm(confirm_host, t5)
        self.write_sealed(CONFIRM_H, confirm)
        self._start(master, self._note(CONFIRM_H, confirm))

    # --- packets ---

    def content(self, records):
        """The records with padding, so that the payload is the smallest power of two."""
        size = 1024
        while size < self.self.public.size + 4 + len(records):
            size *= 2
        content = struct.pack(">I", len(records)) + records
        return content.ljust(size - self.self.public.size, b"\0")

    def sign_packet(self, nonce, content):
        return self.self.sign(b"p2pchat/1 packet\0", self.sid, self.role, nonce, content)

    def packet(self, records):
        """The body of the next packet."""
        nonce = self.sending.nonce
        content = self.content(records)
        plaintext = self.sign_packet(nonce, content) + content
        header = struct.pack(">IB", len(plaintext) + 32, PACKET)
        key = self.sending.next_key()
        return nonce + AESGCM(key).encrypt(nonce[:12], plaintext, header + nonce)

    def send(self, *records):
        """Sends one packet, with the answers that are due in front."""
        answers, self.answers = self.answers, b""
        self.write(PACKET, self.packet(answers + b"".join(records)))

    def _open(self, body):
        nonce = self.receiving.nonce
        check(len(body) >= 32 + 1024 and body[:16] == nonce, "not the packet that comes next")
        header = struct.pack(">IB", len(body), PACKET)
        try:
            plaintext = AESGCM(self.receiving.next_key()).decrypt(nonce[:12], body[16:],
                                                                  header + nonce)
        except InvalidTag:
            raise ProtocolError("a packet does not open") from None
        signature, content = plaintext[:self.other.size], plaintext[self.other.size:]
        size, = struct.unpack(">I", content[:4])
        check(5 <= size <= len(content) - 4 and not any(content[4 + size:]), "content")
        self.other.verify(b"p2pchat/1 packet\0", signature, self.sid, self.other_role, nonce,
                          content)
        return list(records_of(content[4:4 + size]))

    def receive(self):
        """Takes one packet, and sends what it asks for."""
        type, body = self.read()
        check(type == PACKET, f"frame 0x{type:02x} in a session")
        for type, body in self._open(body):
            self._apply(type, body)
            self.received.append((type, body))
        if self.answers or self.step:
            self._answer()

    def wait(self, type):
        """The body of the next record of this type that was not waited for yet."""
        while True:
            for i, (found, body) in enumerate(self.received):
                if found == type:
                    del self.received[i]
                    return body
            self.receive()

    # --- records ---

    def _apply(self, type, body):
        if type == PING:
            self.answers += record(PONG, body)
        elif type == CLOSE:
            raise Ended(body[0])
        elif type == APPROVE:
            check(not self.approved_there, "approved twice")
            self.approved_there = True
        elif type == ACK:
            ordinal, = struct.unpack(">Q", body)
            check(self.acked < ordinal <= self.items_out, "ACK")
            self.acked = ordinal
        elif type == MESSAGE:
            self._take_item(Message.parse(body, self.common), self.messages)
        elif type in (FILE_OFFER, FILE_STATE):
            check(self.common & FILES, "files without the feature")
            self._take_item(Item.parse(type, body), self.files)
        elif type in (REKEY_INIT, REKEY_RESP, REKEY_DONE):
            self._take_rekey(type, body)
        elif LANE_WANT <= type <= LANE_KEY:
            check(self.common & STREAMS, "a lane without the feature")
            check((self.role == HOST) == (type in (LANE_WANT, LANE_FAILED)), "a lane's other side")
        else:
            check(type == PONG or type >= 0x80, f"record 0x{type:02x}")

    def _take_item(self, item, all):
        check(self.open, "an item before approval")
        self.items_in += 1
        if item.id not in [known.id for known in all]:
            all.append(item)
        self.answers += self.acknowledgement(self.items_in)

    def acknowledgement(self, ordinal):
        """The record that says that we have the messages up to this one, or b"" to keep silent."""
        return record(ACK, struct.pack(">Q", ordinal))

    def message(self, text, **options):
        """The record of one more message of ours."""
        made = Message(text, previous=self.previous, **options)
        self.previous = made.id
        self.items_out += 1
        return record(MESSAGE, made.body)

    def say(self, text, **options):
        """Sends a message and waits until the other side has it."""
        self.send(self.message(text, **options))
        self._await_ack()

    def say_item(self, type, content, **options):
        """Sends an item of another type and waits until the other side has it."""
        made = Item(type, content, previous=self.previous, **options)
        self.previous = made.id
        self.items_out += 1
        self.send(record(type, made.body))
        self._await_ack()

    def _await_ack(self):
        while self.acked < self.items_out:
            self.receive()

    def hear_item(self, type):
        """The next item of this type that the other side sends."""
        return Item.parse(type, self.wait(type))

    def hear(self):
        """The next message that the other side sends."""
        return Message.parse(self.wait(MESSAGE), self.common)

    def approve(self):
        self.approved = True
        self.send(record(APPROVE))

    def close(self, code=NORMAL):
        self.send(record(CLOSE, bytes([code])))
        self.end()

    # --- the rekey ---

    def start_rekey(self):
        """Host: replaces all keys."""
        self.rekey_key = X25519PrivateKey.generate()
        self.rekey_kem = self.new_kem() if self.suite == 2 else None
        second = self.rekey_kem.public if self.rekey_kem else b""
        self.rekey_init = record(REKEY_INIT, public_bytes(self.rekey_key) + second)
        self.send(self.rekey_init)

    def _derive(self, kem_secret, private, public, resp):
        hash = sha256(self.rekey_init, resp)
        secret = extract(expand(self.root, b"rekey", hash), kem_secret + agree(private, public))
        self._take_chains(secret, hash, self.receiving.epoch + 1)

    def _take_rekey(self, type, body):
        if type == REKEY_INIT:
            check(self.role == JOINER and not self.rekey_init, "REKEY_INIT")
            self.rekey_init = record(type, body)
            private, kem_secret, ciphertext = X25519PrivateKey.generate(), b"", b""
            if self.suite == 2:
                kem_secret, ciphertext = self.encapsulate(body[32:])
            resp = record(REKEY_RESP, public_bytes(private) + ciphertext)
            self._derive(kem_secret, private, body[:32], resp)
            self.step = resp
        elif type == REKEY_RESP:
            check(self.rekey_key is not None, "REKEY_RESP")
            kem_secret = self.rekey_kem.decapsulate(body[32:]) if self.rekey_kem else b""
            self._derive(kem_secret, self.rekey_key, body[:32], record(type, body))
            self.receiving = self.next[1]
            self.rekey_key = self.rekey_kem = None
            self.rekey_init = b""
            self.step = record(REKEY_DONE)
        else:
            check(self.role == JOINER and self.rekey_init, "REKEY_DONE")
            self.receiving = self.next[1]
            self.rekey_init = b""

    def _answer(self):
        """Sends what is due; a step of a rekey is the last record of its epoch."""
        step, self.step = self.step, b""
        self.send(step)
        if step:
            self.sending = self.next[0]
