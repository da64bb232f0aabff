"""Who gets in: nobody but those who were let in, and never a key that was swapped."""

import base64
import json
import os
import signal
import socket
import threading
import types

import pytest

from harness import eventually, pair


def requests(daemon):
    return daemon.rpc("peer.requests")["requests"]


def sends_nothing(one, other):
    """What `one` sends does not come through."""
    one.ctl("send", "-p", other.name, "--wait", "--timeout", "0.5", "let me in", expect=None)
    assert other.history() == []


def swap_identity(daemon):
    """The same place with another key: what an impostor looks like."""
    daemon.stop()
    daemon.lose_state()
    old = daemon.fingerprint
    daemon.start()
    assert daemon.fingerprint != old


def test_a_stranger_waits_for_a_yes_by_default(alice, bob):
    alice.add(bob)
    [request] = bob.wait_for_request(alice)
    assert len(request["safety_number"].split()) == 12
    assert bob.rpc("peer.list")["peers"] == []
    sends_nothing(alice, bob)


def test_an_accepted_request_becomes_a_peer(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.ctl("peer", "accept", alice.fingerprint, "alice")
    alice.wait_online(bob)
    alice.ctl("send", "-p", "bob", "--wait", "thank you")
    assert bob.received() == ["thank you"]
    assert bob.peer("alice")["fingerprint"] == alice.fingerprint
    assert requests(bob) == []


def test_a_key_that_asked_is_let_in_by_becoming_a_peer(alice, bob):
    """In whichever state its session is: the key may become known before, while or after it asks."""
    for _ in range(5):
        alice.add(bob)
        bob.add(alice, address=False)
        alice.wait_online(bob)
        bob.wait_online(alice)
        alice.ctl("peer", "remove", "bob")
        bob.ctl("peer", "remove", "alice")
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.add(alice, address=False)
    alice.wait_online(bob)


def test_a_request_is_told_to_followers(alice, bob):
    follower = bob.client("follow", "-o", "json", "--types", "peer.request")
    eventually(lambda: bob.rpc("status")["followers"], "the follower")
    alice.add(bob)
    event = follower.next_json()
    assert (event["type"], event["fingerprint"]) == ("peer.request", alice.fingerprint)
    assert "peer" not in event


def test_a_rejected_request_is_gone(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.rpc("peer.reject", fingerprint=alice.fingerprint)
    assert requests(bob) == []
    assert bob.rpc("peer.list")["peers"] == []


def test_accepting_a_key_that_did_not_ask_is_refused(alice, bob):
    result = bob.ctl("--json", "peer", "accept", alice.fingerprint, "alice", expect=67)
    assert result.error["kind"] == "no_such_request"


def test_policy_accept_lets_a_stranger_in_as_tofu(alice, daemon):
    bob = daemon("bob", config="unknown-peers = accept\n")
    alice.add(bob)
    alice.ctl("send", "-p", "bob", "--wait", "hello")
    [peer] = bob.rpc("peer.list")["peers"]
    assert (peer["fingerprint"], peer["trust"]) == (alice.fingerprint, "tofu")
    assert bob.received() == ["hello"]


def test_policy_reject_lets_no_stranger_in(alice, daemon):
    bob = daemon("bob", config="unknown-peers = reject\n")
    alice.add(bob)
    eventually(lambda: alice.peer("bob").get("last_error"), "a refusal")
    sends_nothing(alice, bob)
    assert requests(bob) == []
    assert bob.rpc("peer.list")["peers"] == []


def test_policy_reject_lets_known_peers_in(alice, daemon):
    bob = daemon("bob", config="unknown-peers = reject\n")
    pair(alice, bob)
    alice.ctl("send", "-p", "bob", "--wait", "hello")


def test_without_a_fingerprint_the_first_key_is_pinned(alice, bob):
    bob.add(alice, address=False)
    alice.add(bob, pin=False)
    alice.wait_online(bob)
    peer = alice.peer("bob")
    assert (peer["fingerprint"], peer["trust"]) == (bob.fingerprint, "tofu")
    assert bob.peer("alice")["trust"] == "verified"
    alice.restart()
    assert alice.peer("bob")["fingerprint"] == bob.fingerprint


def test_both_may_pin_at_first_contact(alice, bob):
    alice.add(bob, pin=False)
    bob.add(alice, pin=False)
    alice.wait_online(bob)
    bob.wait_online(alice)
    assert alice.peer("bob")["trust"] == bob.peer("alice")["trust"] == "tofu"
    alice.ctl("send", "-p", "bob", "--wait", "hello")
    assert bob.received() == ["hello"]


def test_a_pinned_key_that_does_not_answer_raises_the_alarm(alice, bob, daemon):
    carol = daemon("carol")
    bob.add(alice, address=False)
    alice.ctl("peer", "add", "bob", bob.address, "--fingerprint", carol.fingerprint)
    alice.wait_for_event("peer.key_changed", peer="bob")
    assert alice.peer("bob")["trust"] == "changed"
    assert alice.peer("bob")["fingerprint"] == carol.fingerprint
    result = alice.ctl("--json", "send", "-p", "bob", "secret", expect=77)
    assert result.error["kind"] == "key_changed"
    assert bob.history() == []


def test_a_swapped_key_is_never_taken_silently(paired):
    alice, bob = paired
    old = bob.fingerprint
    swap_identity(bob)
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob")
    alice.ctl("send", "-p", "bob", "secret", expect=77)
    assert alice.peer("bob")["fingerprint"] == old
    alice.restart()
    assert alice.peer("bob")["trust"] == "changed"
    alice.ctl("send", "-p", "bob", "secret", expect=77)
    assert bob.history() == []


def test_a_changed_key_is_taken_by_its_full_fingerprint_only(paired):
    alice, bob = paired
    swap_identity(bob)
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob")
    alice.ctl("peer", "accept", bob.fingerprint[:20], "bob", expect=64)
    alice.ctl("peer", "accept", alice.fingerprint, "bob", expect=None)
    assert alice.peer("bob")["trust"] == "changed"
    alice.ctl("peer", "accept", bob.fingerprint, "bob")
    alice.ctl("send", "-p", "bob", "--wait", "welcome back")
    assert bob.received() == ["welcome back"]
    assert alice.peer("bob")["fingerprint"] == bob.fingerprint


def test_a_blocked_peer_is_cut_off(paired):
    alice, bob = paired
    bob.ctl("peer", "block", "alice")
    eventually(lambda: alice.peer("bob")["link"] != "online", "the end of the link")
    result = bob.ctl("--json", "send", "-p", "alice", "x", expect=77)
    assert result.error["kind"] == "blocked"
    assert bob.peer("alice")["trust"] == "blocked"
    sends_nothing(alice, bob)
    bob.restart()
    assert bob.peer("alice")["trust"] == "blocked"


def test_a_stranger_who_asks_can_be_blocked(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.ctl("peer", "block", alice.fingerprint)
    assert requests(bob) == []
    alice.ctl("peer", "connect", "bob")
    sends_nothing(alice, bob)
    assert requests(bob) == []


def test_a_disconnected_peer_stays_so_although_it_dials(paired):
    alice, bob = paired  # alice dials
    bob.ctl("peer", "disconnect", "alice")
    turned_away = eventually(lambda: alice.peer("bob").get("last_error"), "a dial that was turned away")
    assert "busy" in turned_away
    assert bob.peer("alice")["disconnected"] and bob.peer("alice")["link"] == "offline"
    bob.ctl("send", "-p", "alice", "for later")
    bob.ctl("peer", "connect", "alice")
    bob.wait_online(alice)
    eventually(lambda: alice.received() == ["for later"], "the message")
    assert not bob.peer("alice")["disconnected"]


def test_a_removed_peer_is_a_stranger_again(paired):
    alice, bob = paired
    bob.ctl("peer", "remove", "alice")
    bob.wait_for_request(alice)
    sends_nothing(alice, bob)


def test_what_was_sent_to_a_removed_peer_may_have_arrived(paired):
    alice, bob = paired
    os.kill(bob.process.pid, signal.SIGSTOP)
    try:
        [sent] = alice.rpc("message.send", peer="bob", body="did you get this?")["messages"]
        id = sent["id"]
        alice.rpc("message.wait", id=id, state="sent")
        alice.rpc("peer.remove", name="bob")
        assert alice.rpc("message.get", id=id)["state"] == "unknown"
    finally:
        os.kill(bob.process.pid, signal.SIGCONT)


def test_a_peer_keeps_its_key_under_another_name(paired):
    alice, bob = paired
    alice.ctl("peer", "rename", "bob", "robert")
    alice.ctl("send", "-p", "robert", "--wait", "same you")
    alice.ctl("send", "-p", "bob", "x", expect=67)
    assert bob.received() == ["same you"]
    assert alice.peer("robert")["fingerprint"] == bob.fingerprint


def test_a_name_is_given_once(paired):
    alice, bob = paired
    result = alice.ctl("--json", "peer", "add", "bob", "127.0.0.1:1", expect=64)
    assert result.error["kind"] == "name_taken"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "\x1b[31m", "x" * 300, "-p"])
def test_names_are_words(alice, name):
    alice.ctl("peer", "add", "--", name, "127.0.0.1:1", expect=64)
    assert alice.rpc("peer.list")["peers"] == []


# How a name of a peer comes in, each with the arguments around it.
WAYS_OF_A_NAME = {
    "add": lambda alice, name, **how: alice.ctl("peer", "add", name, "127.0.0.1:1", **how),
    "rename": lambda alice, name, **how: alice.ctl("peer", "rename", "carol", name, **how),
    "accept": lambda alice, name, **how: alice.ctl("peer", "accept", asked(alice), "--name", name, **how),
    "invite": lambda alice, name, **how: alice.ctl("invite", "--address", "192.0.2.1", name, **how),
    "join": lambda alice, name, **how: alice.ctl("rpc", "invite.accept", json.dumps(
        {"uri": invited(alice), "name": name}), **how),
}


def asked(alice):
    """The key of somebody who asks Alice to be let in."""
    if not alice.others.dave.rpc("peer.list")["peers"]:
        alice.others.dave.add(alice)
    [request] = eventually(lambda: alice.rpc("peer.requests")["requests"], "a request")
    return request["fingerprint"]


def invited(alice):
    return alice.others.dave.ctl("-q", "invite", "--address", "192.0.2.1").out.strip()


@pytest.mark.parametrize("way", WAYS_OF_A_NAME)
@pytest.mark.parametrize("character", ["x", "ü", "关", "🐙"])
def test_the_limit_of_names_counts_characters(alice, daemon, way, character):
    """64 characters are a name, however many bytes they have; with 65 nothing happens."""
    alice.others = types.SimpleNamespace(dave=daemon("dave"))
    alice.ctl("peer", "add", "carol", "127.0.0.1:1")
    long = WAYS_OF_A_NAME[way](alice, 65 * character, expect=64)
    assert "1 to 64 visible characters" in long.err
    assert [peer["name"] for peer in alice.rpc("peer.list")["peers"]] == ["carol"]
    WAYS_OF_A_NAME[way](alice, 64 * character)
    names = [peer["name"] for peer in alice.rpc("peer.list")["peers"]]
    names += [invite["name"] for invite in alice.rpc("invite.list")["invites"]]
    assert 64 * character in names


@pytest.mark.parametrize("fingerprint", ["SHA256:short", "MD5:" + "A" * 43, "SHA256:" + "!" * 43])
def test_a_malformed_fingerprint_is_a_usage_error(alice, fingerprint):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1", "--fingerprint", fingerprint, expect=64)
    assert alice.rpc("peer.list")["peers"] == []


def test_a_daemon_that_dials_itself_gets_nowhere(alice):
    alice.ctl("peer", "add", "me", alice.address, "--fingerprint", alice.fingerprint, expect=None)
    alice.ctl("peer", "add", "mirror", alice.address, expect=None)
    alice.ctl("wait-online", "mirror", "--timeout", "0.5", expect=None)
    assert [p for p in alice.rpc("peer.list")["peers"] if p["link"] == "online"] == []


class SlowWay:
    """Leads to a daemon, but holds back what it answers until open()."""

    def __init__(self, daemon):
        self.target = daemon.address.rsplit(":", 1)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        near, _ = self.listener.accept()
        self.listener.close()
        far = socket.create_connection((self.target[0], int(self.target[1])))
        self.reached.set()
        threading.Thread(target=self._copy, args=(near, far), daemon=True).start()
        self.opened.wait()
        self._copy(far, near)
        self.ended.set()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it ended from the other side

    def open(self):
        self.opened.set()
        assert self.ended.wait(60)


def key_of(daemon):
    return base64.b64decode(daemon.fingerprint.removeprefix("SHA256:") + "=")


@pytest.mark.parametrize("larger", [True, False])
def test_a_stale_address_says_nothing_about_a_peer_that_is_online(alice, bob, daemon, larger):
    """Somebody else answers there, to the side whose key is the larger, or the smaller one."""
    other, one = sorted((alice, bob), key=key_of, reverse=not larger)
    way = SlowWay(daemon("carol"))
    one.ctl("peer", "add", other.name, way.address, "--fingerprint", other.fingerprint)
    assert way.reached.wait(60)
    other.add(one)
    one.wait_online(other)
    way.open()
    one.rpc("peer.ping", name=other.name)
    assert one.peer(other.name)["trust"] == "verified"
    one.ctl("send", "-p", other.name, "--wait", "still you")
    assert other.received() == ["still you"]


def test_a_peer_at_another_peer_s_address_is_no_new_key(alice, bob, daemon):
    carol = daemon("carol")
    carol.add(alice, address=False)
    alice.add(carol, address=False)
    alice.ctl("peer", "add", ";reboot;", carol.address, "--fingerprint", bob.fingerprint)
    eventually(lambda: "peer carol" in alice.text_of_log(), "carol was named")
    assert carol.address in alice.text_of_log()
    assert f"p2pchatctl -s {alice.socket} peer set ';reboot;' ADDRESS..." in alice.text_of_log()
    assert alice.peer(";reboot;")["trust"] == "verified"
    alice.ctl("send", "-p", ";reboot;", "later")
    assert carol.history() == []
