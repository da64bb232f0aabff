"""Decisions of people that come while a handshake is on its way: they hold at once, for all of it."""

import contextlib
import select
import socket
import threading

import pytest

from harness import PATIENCE_S, eventually

KEY_AND_LATER = 2  # frames of a host: HELLO, KEY, CONFIRM


class Courier:
    """Stands between two daemons and keeps back what the host says from its second frame on."""

    def __init__(self, host):
        self.host = host
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.holding = threading.Event()
        self.released = threading.Event()
        self.ended = False
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        while not self.ended:
            try:
                joiner, _ = self.listener.accept()
            except OSError:
                return
            address, port = self.host.address.rsplit(":", 1)
            with joiner, contextlib.suppress(OSError):
                with socket.create_connection((address, int(port))) as host:
                    self._carry_one(joiner, host)

    def _carry_one(self, joiner, host):
        frames = Frames()
        while not self.ended:
            for source in select.select([joiner, host], [], [], 0.1)[0]:
                data = source.recv(65536)
                if not data:
                    return
                if source is joiner:
                    host.sendall(data)
                    continue
                if not self.released.is_set() and frames.count(data) >= KEY_AND_LATER:
                    self.holding.set()
                    self.released.wait(60)
                joiner.sendall(data)

    def end(self):
        self.ended = True
        self.released.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(60)


class Frames:
    """Counts the frames that have begun in a stream of them."""

    def __init__(self):
        self.data = b""

    def count(self, data):
        self.data += data
        at = count = 0
        while len(self.data) > at:
            count += 1
            at += 5 + int.from_bytes(self.data[at:at + 4], "big")
        return count


@pytest.fixture
def halfway(alice, bob):
    """Alice dials bob, who knows her and has sent his KEY; she has yet to hear it."""
    courier = Courier(bob)
    bob.add(alice, address=False)
    alice.ctl("peer", "add", "bob", courier.address, "--fingerprint", bob.fingerprint)
    assert courier.holding.wait(60)
    yield alice, bob, courier
    courier.end()


def wait_refused(alice):
    eventually(lambda: "refused" in alice.peer("bob").get("last_error", ""), "a refusal")


def test_who_is_removed_halfway_is_a_stranger(halfway):
    alice, bob, courier = halfway
    bob.ctl("peer", "remove", "alice")
    courier.released.set()
    wait_refused(alice)
    assert bob.rpc("peer.list")["peers"] == []
    alice.rpc("peer.connect", name="bob")
    bob.wait_for_request(alice)
    assert bob.received() == []


def test_who_is_blocked_halfway_does_not_get_in(halfway):
    alice, bob, courier = halfway
    bob.ctl("peer", "block", "alice")
    alice.ctl("send", "-p", "bob", "let me in")
    courier.released.set()
    wait_refused(alice)
    assert bob.received() == []
    assert bob.peer("alice")["link"] == "offline"


def test_a_policy_that_changes_halfway_holds(alice, daemon):
    bob = daemon("bob", config="unknown-peers = ask\n")
    courier = Courier(bob)
    try:
        alice.ctl("peer", "add", "bob", courier.address, "--fingerprint", bob.fingerprint)
        assert courier.holding.wait(60)
        bob.configure("unknown-peers = reject\n")
        bob.rpc("daemon.reload")
        courier.released.set()
        wait_refused(alice)
        assert bob.rpc("peer.requests")["requests"] == []
    finally:
        courier.end()


@pytest.fixture
def silent():
    """Somebody who accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield "127.0.0.1:%d" % listener.getsockname()[1]


ALERT = 0x07
UNSUPPORTED, REFUSED, SELF = 0x11, 0x16, 0x17


@pytest.mark.parametrize("code", [UNSUPPORTED, REFUSED, SELF])
def test_a_forged_alert_does_not_end_the_dialling(alice, code):
    with socket.create_server(("127.0.0.1", 0)) as impostor:
        alice.ctl("peer", "add", "bob", "127.0.0.1:%d" % impostor.getsockname()[1])
        connection, _ = impostor.accept()
        with connection:
            connection.recv(5)
            connection.sendall(bytes([0, 0, 0, 1, ALERT, code]))
            while connection.recv(4096):
                pass
    eventually(lambda: alice.peer("bob").get("last_error"), "the end of the dial")
    eventually(lambda: alice.peer("bob")["link"] == "backoff", "that it dials on")


@pytest.mark.parametrize("addresses", [[], ["127.0.0.1:1"]])
def test_the_addresses_may_change_while_one_is_dialled(alice, silent, addresses):
    alice.ctl("peer", "add", "bob", silent, silent)
    eventually(lambda: alice.peer("bob")["link"] == "handshake", "the dial")
    alice.rpc("peer.set", name="bob", address=addresses)
    assert alice.peer("bob")["addresses"] == addresses
    if not addresses:
        assert alice.peer("bob")["link"] == "offline"


def test_a_peer_may_go_while_it_is_dialled(alice, silent):
    for method in ("peer.disconnect", "peer.block", "peer.remove"):
        alice.ctl("peer", "add", "bob", silent, silent)
        eventually(lambda: alice.peer("bob")["link"] == "handshake", "the dial")
        alice.rpc(method, name="bob")
        if method != "peer.remove":
            assert alice.peer("bob")["link"] == "offline"
            alice.rpc("peer.remove", name="bob")
    assert alice.rpc("peer.list")["peers"] == []


def test_who_waits_for_a_pong_of_a_peer_that_goes_is_told(paired):
    alice, bob = paired
    bob.process.send_signal(19)  # SIGSTOP: it answers nothing
    try:
        control = alice.control()
        control.ask("peer.ping", name="bob", timeout_ms=PATIENCE_S * 1000)
        alice.rpc("hello")
        alice.rpc("peer.remove", name="bob")
        assert control.read()["error"]["data"]["kind"] == "peer_offline"
    finally:
        bob.process.send_signal(18)


def test_who_follows_is_told_that_a_removed_peer_is_offline(paired):
    alice, _ = paired
    follower = alice.client("follow", "-o", "json", "--types", "peer.offline")
    eventually(lambda: alice.rpc("status")["followers"], "the follower")
    alice.ctl("peer", "remove", "bob")
    event = follower.next_json()
    assert (event["type"], event["peer"]) == ("peer.offline", "bob")


def test_more_pings_than_the_protocol_allows_are_refused_at_once(paired):
    alice, _ = paired
    control = alice.control()
    asked = {control.ask("peer.ping", name="bob") for _ in range(12)}
    replies = [control.read() for _ in asked]
    assert {reply["id"] for reply in replies} == asked
    answered = [reply["result"]["rtt_ms"] for reply in replies if "result" in reply]
    refused = [reply["error"]["data"]["kind"] for reply in replies if "error" in reply]
    assert len(answered) >= 4
    assert set(refused) == {"rate_limited"}
