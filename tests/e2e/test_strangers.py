"""A flood of strangers changes nothing for those who are known."""

import pathlib
import socket
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2ppeer
from p2pcrypto import Identity, ProtocolError
from p2ppeer import Ended, Peer

from harness import eventually

PENDING_MAX = 4
REQUESTS_MAX = 64


@pytest.fixture(scope="module")
def strangers():
    return [Identity() for _ in range(8)]


class Flood:
    """Dials on and on with keys that nobody knows, each from an address of its own, and keeps every
    session that it gets."""

    def __init__(self, address, identities):
        self.address = address
        self.links = []
        self.codes = []
        self.rounds = 0
        self.stopping = False
        self.threads = [threading.Thread(target=self._run, args=(identity, f"127.0.1.{i}"),
                                         daemon=True)
                        for i, identity in enumerate(identities)]
        for thread in self.threads:
            thread.start()

    def _run(self, identity, origin):
        host, _, port = self.address.rpartition(":")
        while not self.stopping:
            self.rounds += 1
            try:
                link = Peer(identity, socket.create_connection((host, int(port)), 60, (origin, 0)),
                            p2ppeer.JOINER)
            except OSError:
                continue
            try:
                self.links.append(link.handshake())
                continue
            except Ended as end:
                self.codes.append(end.code)
            except (ProtocolError, OSError):
                pass
            link.end()

    def end(self):
        self.stopping = True
        for link in self.links:
            link.end()
        for thread in self.threads:
            thread.join(timeout=60)


@pytest.fixture
def flood(alice, strangers):
    made = Flood(alice.address, strangers)
    yield made
    made.end()


def size_on_disk(daemon):
    return {path.name: path.stat().st_size for path in daemon.state.iterdir()}


def test_known_peers_notice_nothing(alice, bob, flood):
    alice.add(bob, address=False)
    bob.add(alice)
    eventually(lambda: flood.rounds > 50, "a flood")
    bob.wait_online(alice)
    bob.restart()
    bob.ctl("send", "-p", "alice", "--wait", "still here")
    alice.ctl("send", "-p", "bob", "--wait", "so am I")
    assert alice.received() == ["still here"]
    assert [peer["name"] for peer in alice.rpc("peer.list")["peers"]] == ["bob"]


def test_few_may_wait_and_the_others_are_told_so(alice, flood):
    eventually(lambda: p2ppeer.BUSY in flood.codes, "a refusal")
    requests = alice.rpc("peer.requests")["requests"]
    assert len(requests) <= REQUESTS_MAX
    assert sum(request["waiting"] for request in requests) <= PENDING_MAX


def test_strangers_leave_nothing_on_disk(alice, strangers):
    alice.rpc("hello")
    before = size_on_disk(alice)
    flood = Flood(alice.address, strangers)
    try:
        eventually(lambda: flood.rounds > 50, "a flood")
        eventually(lambda: alice.rpc("peer.requests")["requests"], "a request")
    finally:
        flood.end()
    assert size_on_disk(alice) == before
    alice.restart()
    assert alice.rpc("peer.requests")["requests"] == []


def test_an_invite_is_good_in_a_flood(alice, bob, flood):
    eventually(lambda: p2ppeer.BUSY in flood.codes, "a flood")
    bob.ctl("join", alice.ctl("invite", "bob").out.strip(), "alice")
    assert alice.peer("bob")["trust"] == "verified"


def call_in(daemon, identity):
    """Somebody comes in and goes; the code that he was sent away with, or None."""
    host, _, port = daemon.address.rpartition(":")
    link = Peer(identity, socket.create_connection((host, int(port)), 60), p2ppeer.JOINER)
    try:
        link.handshake()
        return None
    except Ended as end:
        return end.code
    finally:
        link.end()


def test_only_so_many_come_by_themselves(alice, strangers):
    """Until somebody here has to do with one of them, who stays one for good then."""
    alice.configure('unknown-peers = "accept"\nunknown-peers-limit = 2\n')
    alice.restart()
    names = [f"peer-{identity.public.fingerprint[:8].hex()}" for identity in strangers]
    assert call_in(alice, strangers[0]) is None
    assert call_in(alice, strangers[1]) is None
    assert call_in(alice, strangers[2]) == p2ppeer.BUSY
    assert call_in(alice, strangers[0]) is None  # it is known
    assert "unknown peers are not let in" in alice.text_of_log()
    alice.restart()
    assert call_in(alice, strangers[2]) == p2ppeer.BUSY
    alice.ctl("send", "-p", names[1], "hello")
    assert call_in(alice, strangers[2]) is None
    assert call_in(alice, strangers[3]) == p2ppeer.BUSY
    alice.ctl("peer", "rename", names[0], "zero")
    alice.restart()
    assert call_in(alice, strangers[3]) is None
    assert call_in(alice, strangers[4]) == p2ppeer.BUSY
    peers = alice.rpc("peer.list")["peers"]
    assert [peer["name"] for peer in peers if peer.get("adopted")] == names[2:4]
    alice.ctl("peer", "remove", names[2])
    assert call_in(alice, strangers[4]) is None
