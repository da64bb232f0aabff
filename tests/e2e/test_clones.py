"""A key that two machines use, because a disk or a state directory was copied: who is told, and that
the two don't take each other's place for ever.
"""

import shutil

import pytest

from harness import eventually, pair


def copy(original, daemon, name):
    """A stopped daemon's state directory on another machine."""
    clone = daemon(name, started=False)
    shutil.copytree(original.state, clone.state)
    return clone


def findings(machine, expect=69):
    return machine.ctl("doctor", expect=expect).out


def test_both_sides_are_told_of_a_copy_and_one_keeps_the_link(alice, bob, daemon):
    pair(bob, alice)
    bob.stop()
    clone = copy(bob, daemon, "clone")
    bob.start()
    bob.wait_online(alice)
    clone.start()
    assert alice.wait_for_event("peer.moved", peer="bob")["fingerprint"] == bob.fingerprint
    alice.wait_for_event("peer.cloned", peer="bob")
    for told in (bob, clone):
        assert told.wait_for_event("identity.cloned")["peer"] == "alice"
        assert "another machine uses this machine's key: seen by alice, last 20" in findings(told)
        assert "another machine uses this machine's key" in told.ctl("status").out
        assert told.rpc("status")["cloned"]["source"] == "alice"
    assert "two machines use its key" in findings(alice)
    assert "two machines use its key" in alice.ctl("status").out
    # The last one that was told keeps the link; the other one waits for long, whatever is queued.
    def waits():
        return [one for one in (bob, clone) if one.peer("alice").get("displaced")]
    [loser] = eventually(waits, "one that waits")
    loser.ctl("send", "-p", "alice", "can wait")
    assert loser.peer("alice")["link"] == "backoff"
    shown = loser.ctl("peer", "show", "alice").out
    assert "another machine with this machine's key has the link; next try in 1" in shown
    assert "A machine was copied" in shown
    loser.ctl("peer", "connect", "alice")  # people may
    eventually(lambda: loser.peer("alice")["link"] == "online", "the link that was asked for")


def test_a_machine_that_was_moved_or_started_again_is_no_alarm(alice, bob, daemon):
    pair(bob, alice)
    bob.restart()
    bob.wait_online(alice)
    bob.stop()
    moved = copy(bob, daemon, "moved").start()
    moved.wait_online(alice)
    alice.wait_for_event("peer.moved", peer="bob")
    moved.restart()
    moved.wait_online(alice)
    moved.ctl("send", "-p", "alice", "--wait", "settled in")
    follow = alice.ctl("follow", "-o", "json", "--after", 0, "--types", "all", "--no-follow")
    assert [event["type"] for event in follow.json if event["type"].endswith(("moved", "cloned"))] == \
        ["peer.moved"]
    assert "cloned" not in alice.peer("bob") and "cloned" not in moved.rpc("status")


def test_a_copy_that_is_kept_out_says_so(alice, bob, daemon, deep):
    """The link that the smaller fingerprint has dialled stays, so a copy of the larger one never gets
    one. That takes a minute to tell; unit/test_clones has another clock."""
    if not deep:
        pytest.skip("a minute: in check-deep")
    small, large = sorted((alice, bob), key=lambda machine: machine.key)
    pair(small, large)
    eventually(lambda: small.peer(large.name).get("dialled"), "a link that the smaller one dialled")
    copied = daemon("copied", started=False)
    large.ctl("peer", "set", small.name, small.address)
    shutil.copytree(large.state, copied.state)
    copied.start()
    assert small.wait_for_event("peer.cloned", peer=large.name)
    assert large.wait_for_event("identity.cloned")["peer"] == small.name
    assert copied.wait_for_event("identity.cloned")["peer"] == small.name
    assert small.peer(large.name)["link"] == "online"


def test_a_machine_that_meets_its_own_key_elsewhere_is_alarmed(bob, daemon):
    bob.stop()
    clone = copy(bob, daemon, "clone").start()
    bob.start()
    clone.ctl("peer", "add", "somebody", bob.address)
    eventually(lambda: "cloned" in bob.rpc("status"), "the alarm")
    assert bob.rpc("status")["cloned"]["source"].startswith("127.")
    assert "another machine uses this machine's key: seen by 127." in findings(bob)
    assert bob.text_of_log().count("another machine uses this machine's key") == 1
    shown = clone.ctl("peer", "show", "somebody").out
    assert "another machine answered, which has this machine's key" in shown


def test_the_own_address_is_no_alarm(alice):
    alice.ctl("peer", "add", "me", alice.address)
    eventually(lambda: alice.peer("me").get("leads_to") == "self", "a dial of itself")
    assert "this is an address of this machine" in alice.ctl("peer", "show", "me").out
    assert "cloned" not in alice.rpc("status")
