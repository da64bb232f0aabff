"""Crowds of strangers: handshakes that stop half-way, and connections as fast as they come. Each has
its deadline, together they have their bounds, and those who are known go on.
"""

import contextlib
import pathlib
import resource
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import time

import pytest

from flood import HELLO
from harness import PATIENCE_S, eventually
from usage import descriptors, resident_kib

FLOOD = pathlib.Path(__file__).parent / "flood.py"
IDENT = 3
HALF_A_HANDSHAKE = HELLO + struct.pack(">IB", 1168, IDENT) + bytes(600)
HANDSHAKE_DEADLINE_S = 10
HELD_MAX = 256  # strangers at once
CHANCE_S = 1  # that each of them has, before it may have to make room
GROWTH_MAX_KIB = 24 * 1024
NOISE_MS = 5


@pytest.fixture(autouse=True)
def many_descriptors():
    """All that we may have, for so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(daemon, number, data):
    """One stranger who says this. They come from many addresses, for one alone gets only a few."""
    host, port = daemon.address.rsplit(":", 1)
    stranger = socket.socket()
    stranger.bind((f"127.1.{number // 250 % 250}.{1 + number % 250}", 0))
    with contextlib.suppress(ConnectionError):
        stranger.connect((host, int(port)))
        stranger.sendall(data)
    stranger.setblocking(False)
    return stranger


def has_ended(stranger):
    try:
        return stranger.recv(4096) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def come_in(alice, bob):
    """A known peer comes in from new; how long that took."""
    alice.rpc("peer.disconnect", name="bob")
    eventually(lambda: alice.peer("bob")["link"] == "offline", "the end of the link")
    start = time.monotonic()
    alice.rpc("peer.connect", name="bob")
    alice.wait_online(bob)
    return time.monotonic() - start


class Loiterers:
    """Strangers who stop half-way, and when each was sent away."""

    def __init__(self, daemon, count):
        self.selector = selectors.DefaultSelector()
        self.stays = []
        for number in range(count):
            start = time.monotonic()
            self.selector.register(connect(daemon, number, HALF_A_HANDSHAKE),
                                   selectors.EVENT_READ, start)

    def look(self, patience_s=0):
        """How many are left."""
        for key, _ in self.selector.select(patience_s):
            if has_ended(key.fileobj):
                self.stays.append(time.monotonic() - key.data)
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
        return len(self.selector.get_map())

    def wait(self):
        """Until all were sent away."""
        end = time.monotonic() + HANDSHAKE_DEADLINE_S + PATIENCE_S
        while left := self.look(end - time.monotonic()):
            assert time.monotonic() < end, f"{left} are still there"

    def end(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def test_handshakes_that_stop_half_way_are_cut_at_their_deadline(paired, deep, result):
    alice, bob = paired
    count = 1000 if deep else 200
    before = resident_kib(bob.process.pid)
    loiterers = Loiterers(bob, count)
    try:
        eventually(lambda: loiterers.look() <= HELD_MAX, "the end of those who are too many")
        time.sleep(CHANCE_S)
        took = come_in(alice, bob)
        assert resident_kib(bob.process.pid) < before + GROWTH_MAX_KIB
        if deep:
            assert took < 1 and loiterers.look() > 0, f"{took} s to come in"
        loiterers.wait()
    finally:
        loiterers.end()
    alice.ctl("send", "-p", "bob", "--wait", "all gone")
    result(f"{count} half handshakes: the last was cut after {max(loiterers.stays):.1f} s, a known "
           f"peer came in meanwhile in {took * 1000:.0f} ms")


# --- a flood --------------------------------------------------------------------------------------

@contextlib.contextmanager
def flood(daemon, per_second, words="hello"):
    """Connections, so many a second. Yields a list that has their number per second afterwards."""
    rate = []
    process = subprocess.Popen([sys.executable, FLOOD, daemon.address, str(per_second), words],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield rate
    finally:
        out, _ = process.communicate()
    made, seconds = map(float, out.split())
    rate.append(made / seconds)


def latencies(alice, count):
    """The times from `message.send` to the peer's acknowledgement."""
    control, times = alice.control(), []
    for number in range(count):
        start = time.monotonic()
        [message] = control.call("message.send", peer="bob", body=str(number))["messages"]
        control.call("message.wait", id=message["id"], state="delivered",
                     timeout_ms=1000 * PATIENCE_S)
        times.append(time.monotonic() - start)
    return times


def p99_ms(times):
    return 1000 * statistics.quantiles(times, n=100)[98]


@pytest.mark.parametrize("words", ["hello", "attach"])
def test_a_flood_of_connections_is_not_noticed_by_peers(paired, daemon, deep, result, words):
    """Compared with a flood at somebody else, which keeps the machine as busy."""
    alice, bob = paired
    per_second, count = (5000, 2000) if deep else (1000, 200)
    with flood(daemon("carol"), per_second, words):
        calm = latencies(alice, count)
    before = resident_kib(bob.process.pid)
    with flood(bob, per_second, words) as rate:
        eventually(lambda: descriptors(bob.process.pid) > HELD_MAX // 2, "the flood")
        flooded = latencies(alice, count)
        grown = resident_kib(bob.process.pid) - before
        assert descriptors(bob.process.pid) < 2 * HELD_MAX
    assert grown < GROWTH_MAX_KIB, f"{grown} KiB more"
    assert alice.text_of_log().count(": online") == 1, "the link was lost"
    assert bob.received() == 2 * [str(number) for number in range(count)]
    assert not deep or p99_ms(flooded) < 2 * p99_ms(calm) + NOISE_MS
    result(f"{rate[0]:.0f} connections a second ({words}): a known peer's p99 "
           f"{p99_ms(flooded):.1f} ms, and "
           f"{p99_ms(calm):.1f} ms when they go to somebody else; {grown / 1024:.0f} MiB more memory")
