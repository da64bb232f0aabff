"""Why a peer is offline: what the daemon knows of it, and how an administrator gets to know it."""

import datetime
import re

from harness import eventually
from test_trust import swap_identity


def shown(daemon, name):
    """`peer show`: what stands beside each label; what has none belongs to the one before."""
    labels, label = {}, None
    for line in daemon.ctl("peer", "show", name).lines:
        label = line[:15].strip() or label
        labels.setdefault(label, []).append(line[15:])
    return labels


def in_table(daemon, name):
    """The TROUBLE of a peer in `status`."""
    lines = daemon.ctl("status").lines
    [head] = [line for line in lines if line.startswith("PEER")]
    [row] = [line for line in lines if line.startswith(name + " ")]
    return row[head.index("TROUBLE"):]


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_peer_that_nobody_answers_for(alice):
    before = now()
    alice.ctl("peer", "add", "bob", "127.0.0.1:1", "127.0.0.1:2")
    peer = eventually(lambda: (peer := alice.peer("bob"))["failed_dials"] >= 2 and
                      peer["link"] == "backoff" and peer, "a round of dials")
    assert before <= peer["attempts"][0]["time"] <= peer["attempts"][1]["time"] \
        <= peer["last_error_time"] <= peer["next_dial"]
    assert peer["last_error"].startswith("127.0.0.1:2: ")
    what = shown(alice, "bob")
    assert [line[20:33] for line in what["last tries"]] == ["127.0.0.1:1: ", "127.0.0.1:2: "]
    assert what["trouble"][0].startswith("127.0.0.1:")
    assert "p2pchatctl peer connect bob" in what["what to do"][0]
    assert in_table(alice, "bob").startswith("127.0.0.1:")


def test_dials_are_counted_until_there_is_a_session(alice, bob):
    bob.add(alice, address=False)
    bob.stop()
    alice.ctl("peer", "add", "bob", bob.address, "--fingerprint", bob.fingerprint)
    for count in (1, 2, 3):
        alice.rpc("peer.connect", name="bob")
        eventually(lambda: alice.peer("bob")["failed_dials"] >= count, "another dial")
    bob.start()
    alice.wait_online(bob)
    peer = alice.peer("bob")
    assert peer["failed_dials"] == 0
    assert not {"next_dial", "last_error", "last_error_time"} & set(peer)
    assert "trouble" not in shown(alice, "bob")
    assert in_table(alice, "bob") == "-"


def test_a_link_that_was_lost(paired):
    alice, bob = paired
    bob.kill()
    eventually(lambda: alice.peer("bob").get("last_error_time"), "the loss")
    assert shown(alice, "bob").keys() & {"last error", "last tries"}


def test_a_peer_that_is_disconnected_on_demand(paired):
    alice, _ = paired
    assert alice.peer("bob")["disconnected"] is False
    alice.ctl("peer", "disconnect", "bob")
    eventually(lambda: alice.peer("bob")["link"] == "offline", "the end of the link")
    assert alice.peer("bob")["disconnected"] is True
    assert shown(alice, "bob")["trouble"] == ["disconnected by hand"]
    assert shown(alice, "bob")["what to do"] == ["p2pchatctl peer connect bob"]
    alice.ctl("peer", "connect", "bob")
    assert alice.peer("bob")["disconnected"] is False


def test_a_peer_that_has_another_key(paired):
    alice, bob = paired
    swap_identity(bob)
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob")
    what = shown(alice, "bob")
    assert what["trouble"] == [f"another key answered in its place: {bob.fingerprint}"]
    command = what["what to do"][0].split("then: p2pchatctl ")[1]
    alice.ctl(*command.split())
    alice.wait_online(bob)


def test_a_peer_that_waits_for_a_yes(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    eventually(lambda: "yet to let us in" in alice.peer("bob").get("last_error", ""), "the wait")
    assert shown(alice, "bob")["trouble"] == ["it has yet to let us in"]


def test_a_peer_that_refuses_us(paired):
    alice, bob = paired
    assert alice.peer("bob")["refused"] is False
    bob.ctl("peer", "block", "alice")
    eventually(lambda: alice.peer("bob")["refused"], "a refusal")
    assert "p2pchatctl peer unblock" in shown(alice, "bob")["what to do"][0]
    bob.ctl("peer", "unblock", "alice")
    alice.ctl("peer", "connect", "bob")
    alice.wait_online(bob)
    assert alice.peer("bob")["refused"] is False


# --- an end to being blocked --------------------------------------------------------------------

def test_an_unblocked_peer_is_let_in_by_its_old_key_and_is_to_be_verified_again(paired):
    alice, bob = paired
    alice.ctl("peer", "verify", "bob", bob.fingerprint)
    alice.ctl("peer", "block", "bob")
    assert shown(alice, "bob")["what to do"] == ["to let it in again: p2pchatctl peer unblock bob"]
    assert alice.ctl("peer", "unblock", "bob").out == "bob is not blocked; its trust is tofu\n"
    assert alice.peer("bob")["fingerprint"] == bob.fingerprint
    alice.wait_for_event("peer.trust", peer="bob", trust="tofu")
    bob.ctl("peer", "connect", "alice", expect=None)
    alice.ctl("send", "-p", "bob", "--wait", "no hard feelings")
    assert bob.received() == ["no hard feelings"]
    alice.restart()
    assert alice.peer("bob")["trust"] == "tofu"


def test_unblocking_lets_in_no_other_key(paired):
    """What answered in its place before the block has not become the peer."""
    alice, bob = paired
    old = bob.fingerprint
    swap_identity(bob)
    bob.add(alice, address=False)
    alice.wait_for_event("peer.key_changed", peer="bob")
    alice.ctl("peer", "block", "bob")
    alice.ctl("peer", "unblock", "bob")
    peer = alice.peer("bob")
    assert (peer["trust"], peer["fingerprint"]) == ("changed", old)
    alice.ctl("send", "-p", "bob", "secret", expect=77)


def test_unblocking_who_is_not_blocked_changes_nothing(paired):
    alice, bob = paired
    alice.ctl("peer", "verify", "bob", bob.fingerprint)
    assert alice.ctl("peer", "unblock", "bob").out == "bob is not blocked; its trust is verified\n"
    assert alice.peer("bob")["link"] == "online"


def test_a_blocked_stranger_becomes_a_peer_by_unblocking(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    bob.ctl("peer", "block", alice.fingerprint)
    [peer] = bob.rpc("peer.list")["peers"]
    bob.ctl("peer", "unblock", alice.fingerprint)
    alice.ctl("peer", "connect", "bob")
    alice.ctl("send", "-p", "bob", "--wait", "thanks")
    assert bob.peer(peer["name"])["trust"] == "tofu"


def test_a_name_that_nobody_has(alice):
    alice.ctl("peer", "unblock", "bob", expect=67)


def test_peer_show_says_where_a_session_leads_and_when_there_was_one(paired):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "one")
    alice.ctl("send", "-p", "bob", "--wait", "two")
    alice.ctl("send", "-p", "bob", "--wait", "three")
    here, there = shown(alice, "bob"), shown(bob, "alice")
    assert here["connection"] == [f"{bob.address}, dialled from here"]
    assert re.fullmatch(r"127\.[0-9.]+:\d+, dialled from there", there["connection"][0])
    assert here["messages"] == ["1 received, 2 delivered since the daemon started"]
    assert there["messages"] == ["2 received, 1 delivered since the daemon started"]
    assert "last online" not in here
    bob.stop()
    eventually(lambda: alice.peer("bob")["link"] != "online", "the end of the session")
    after = shown(alice, "bob")
    assert re.fullmatch(r"[0-9-]{10} [0-9:]{8}", after["last online"][0])
    assert "connection" not in after


def test_an_address_that_leads_to_somebody_else_is_told_as_that(paired):
    alice, bob = paired
    bob.ctl("peer", "add", "again", alice.address)
    bob.ctl("peer", "add", "me", bob.address)
    for name, leads_to, advice in (("again", "other", "one name is enough"),
                                   ("me", "self", "this machine can't be its own peer")):
        eventually(lambda: bob.peer(name).get("leads_to") == leads_to, "what came of the dial")
        [remedy] = shown(bob, name)["what to do"]
        assert remedy.startswith(advice) or advice in remedy
        assert f"p2pchatctl peer remove {name}" in remedy and "let this machine in" not in remedy
    assert shown(bob, "me")["trouble"][0].split(": ", 1)[1].startswith(
        "this is an address of this machine")
