"""What strangers may cost: a bounded number of connections and of descriptors, a bounded time, and
nothing to those who are known.

That nobody waits for something is seen by the connections still held when it is done, not by a clock.
"""

import contextlib
import resource
import socket
import struct
import time

import pytest

from harness import PATIENCE_S, eventually
from usage import MEMORY_COUNTS, descriptors, resident_kib

PER_ADDRESS = 16
IN_ALL = 256
HELLO_DEADLINE_S = 5
RESERVED = 16  # descriptors that strangers never get
EVICTABLE_AGE_S = 1  # from when on one may have to make room

HELLO_J, HELLO_H, IDENT, KEY, CONFIRM_J, CONFIRM_H, ALERT, PACKET = *range(1, 8), 16
PROTOCOL_ERROR = 0x10


def hello(x25519=bytes([9]) + bytes(31)):
    """A HELLO_J for version 1 and suite 1."""
    body = b"p2pchat\0" + bytes([1, 1]) + struct.pack(">H", 1) + bytes(32) + x25519 + bytes(4)
    return struct.pack(">IB", len(body), HELLO_J) + body


class Stranger:
    """A connection from a loopback address of its own choice."""

    def __init__(self, daemon, source="127.0.0.2"):
        host, port = daemon.address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60,
                                               source_address=(source, 0))

    def send(self, data):
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)
        return self

    def rest(self):
        """All that comes until the end."""
        data = b""
        with contextlib.suppress(ConnectionError):
            while part := self.socket.recv(65536):
                data += part
        return data

    def is_held(self):
        """Whether the daemon still has it."""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1) != b""
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        finally:
            self.socket.settimeout(60)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def end(self):
        self.socket.close()


@pytest.fixture
def stranger(daemon):
    """stranger(DAEMON, …): one more connection, closed at the end."""
    made = []

    def connect(*arguments, **options):
        made.append(Stranger(*arguments, **options))
        return made[-1]

    yield connect
    for one in made:
        one.end()


@contextlib.contextmanager
def crowd(daemon, sources):
    """Strangers who say nothing, one from each source."""
    with contextlib.ExitStack() as ends:
        made = []
        for source in sources:
            made.append(Stranger(daemon, source))
            ends.callback(made[-1].end)
        yield made


def held(strangers):
    return sum(one.is_held() for one in strangers)


def happens(attempt):
    """Whether an attempt succeeds while it means something: on a machine that stands still, those
    who should look on are gone too soon."""
    return any(attempt() for _ in range(10))


def come_in(alice):
    """A known peer of bob comes in from new."""
    alice.rpc("peer.disconnect", name="bob")
    eventually(lambda: alice.peer("bob")["link"] == "offline", "the end of the link")
    alice.rpc("peer.connect", name="bob")
    eventually(lambda: alice.peer("bob")["link"] == "online", "the new link")


def deliver(alice, text):
    [message] = alice.rpc("message.send", peer="bob", body=text)["messages"]
    alice.rpc("message.wait", id=message["id"], state="delivered", timeout_ms=PATIENCE_S * 1000)


def test_one_address_holds_so_many_and_no_more(paired):
    alice, bob = paired
    before = descriptors(bob.process.pid)

    def attempt():
        with crowd(bob, 40 * ["127.0.0.2"]) as silent:
            eventually(lambda: held(silent) <= PER_ADDRESS, "the end of those who are too many")
            eventually(lambda: descriptors(bob.process.pid) <= before + PER_ADDRESS, "their descriptors' end")
            come_in(alice)
            deliver(alice, "past them")
            return held(silent) == PER_ADDRESS

    assert happens(attempt)


def test_all_addresses_together_hold_so_many_and_no_more(paired):
    alice, bob = paired
    before = descriptors(bob.process.pid), resident_kib(bob.process.pid)

    def attempt():
        with crowd(bob, [f"127.0.{1 + number % 100}.2" for number in range(400)]) as silent:
            eventually(lambda: held(silent) <= IN_ALL, "the end of those who are too many")
            assert descriptors(bob.process.pid) <= before[0] + IN_ALL + 8
            if MEMORY_COUNTS:
                assert resident_kib(bob.process.pid) < before[1] + 16 * 1024
            time.sleep(EVICTABLE_AGE_S)
            come_in(alice)
            deliver(alice, "past them")
            meant = held(silent) > IN_ALL / 2
            eventually(lambda: held(silent) == 0, "their end")
            return meant

    assert happens(attempt)
    eventually(lambda: descriptors(bob.process.pid) <= before[0] + 1, "what they took to be given back")


def test_a_slow_writer_has_its_time_and_no_more(alice, stranger):
    begin = time.monotonic()
    slow = stranger(alice)
    for byte in hello():
        if not slow.is_held():
            break
        slow.send(bytes([byte]))
        time.sleep(0.3)
    assert not slow.is_held(), "it had its time anew with each byte"
    assert time.monotonic() - begin > HELLO_DEADLINE_S - 0.5


def test_who_shakes_hands_and_stops_has_its_time_and_no_more(alice, stranger):
    begin = time.monotonic()
    one = stranger(alice).send(hello())
    answer = one.rest()
    assert answer[4] == HELLO_H
    assert time.monotonic() - begin > 2 * HELLO_DEADLINE_S - 0.5


BANNERS = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "smtp": b"EHLO x\r\n",
    "nothing but zeros": bytes(100),
    "all ones": b"\xff" * 100,
    "a huge frame": struct.pack(">IB", 0xffffffff, HELLO_J),
    "an unknown type": struct.pack(">IB", 80, 0x7E) + bytes(80),
    "a packet": struct.pack(">IB", 1024, PACKET) + bytes(1024),
    "an alert": struct.pack(">IB", 1, ALERT) + bytes(1),
    "an answer": struct.pack(">IB", 80, HELLO_H) + bytes(80),
}


@pytest.mark.parametrize("name", BANNERS)
def test_who_speaks_something_else_is_left_without_a_word(alice, stranger, name):
    def attempt():
        silent = stranger(alice)
        assert stranger(alice).send(BANNERS[name]).rest() == b""
        return silent.is_held()

    assert happens(attempt)


@pytest.mark.parametrize("second", [hello(), struct.pack(">IB", 1167, IDENT) + bytes(1167),
                                    struct.pack(">IB", 1024, PACKET) + bytes(1024)])
def test_what_does_not_come_next_is_an_error(alice, stranger, second):
    def attempt():
        silent = stranger(alice)
        answer = stranger(alice).send(hello() + second).rest()
        assert answer[4] == HELLO_H
        length = int.from_bytes(answer[:4], "big")
        assert answer[5 + length + 4] == ALERT
        return silent.is_held()

    assert happens(attempt)


def test_a_bad_hello_is_answered_by_one_alert(alice, stranger):
    answer = stranger(alice).send(hello().replace(b"p2pchat", b"p2pchaT")).rest()
    assert answer == bytes([0, 0, 0, 1, ALERT, PROTOCOL_ERROR])


def test_a_hello_may_come_byte_by_byte(alice, stranger):
    one = stranger(alice)
    for byte in hello():
        one.send(bytes([byte]))
    assert one.socket.recv(5)[4] == HELLO_H


@pytest.mark.parametrize("end", ["end", "reset"])
def test_connections_that_are_cut_anywhere_leave_nothing(alice, stranger, end):
    before = descriptors(alice.process.pid)
    whole = hello() + struct.pack(">IB", 1168, IDENT) + bytes(1168)
    for size in [*range(len(hello()) + 6), 700, len(whole)]:
        one = Stranger(alice, f"127.0.{1 + size % 100}.3").send(whole[:size])
        getattr(one, end)()
    eventually(lambda: descriptors(alice.process.pid) <= before + 1, "their descriptors to be given back")
    assert alice.rpc("peer.requests")["requests"] == []


def test_a_flood_of_hellos_disturbs_no_session(paired):
    alice, bob = paired
    before, since = descriptors(bob.process.pid), alice.peer("bob")["since"]
    answered = 0
    number = 0
    begin = time.monotonic()
    while time.monotonic() - begin < 2:
        flood = [Stranger(bob, f"127.0.{1 + (number + i) % 100}.4").send(hello())
                 for i in range(50)]
        number += 50
        for one in flood:
            try:
                answered += one.socket.recv(5)[4:5] == bytes([HELLO_H])
            except ConnectionError:
                pass
            one.reset()
        deliver(alice, str(number))
    took = time.monotonic() - begin
    assert answered <= 400 + 200 * took, "more were served than may be"
    assert answered > 0
    assert bob.received() == [str(50 * (i + 1)) for i in range(number // 50)]
    assert alice.peer("bob")["since"] == since
    eventually(lambda: descriptors(bob.process.pid) <= before + 1, "their descriptors to be given back")


def test_one_address_gets_so_many_handshakes_and_no_more(alice):
    answered = 0
    begin = time.monotonic()
    for _ in range(60):
        one = Stranger(alice, "127.0.0.5").send(hello())
        try:
            answered += one.socket.recv(5)[4:5] == bytes([HELLO_H])
        except ConnectionError:
            pass
        one.reset()
    assert 20 <= answered <= 20 + 20 * (time.monotonic() - begin) + 1


def test_who_has_no_descriptors_left_recovers_alone(paired):
    """Peers that are here stay here; new ones come in as soon as there is room."""
    alice, bob = paired
    limit = descriptors(bob.process.pid) + RESERVED + 4
    resource.prlimit(bob.process.pid, resource.RLIMIT_NOFILE, (limit, limit))

    def has_none_left():
        return descriptors(bob.process.pid) >= limit - RESERVED

    def attempt():
        with crowd(bob, 12 * ["127.0.0.2"]) as silent:
            eventually(lambda: has_none_left() or held(silent) == 0, "the last one that strangers get")
            deliver(alice, "meanwhile")
            return has_none_left()

    assert happens(attempt)
    come_in(alice)
    deliver(alice, "afterwards")
