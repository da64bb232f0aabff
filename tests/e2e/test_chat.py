"""Two or more daemons talk, and every text arrives as it was written."""

import os

import pytest

from harness import pair

LIMIT = 65536


def test_messages_go_both_ways(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "ping")
    bob.ctl("send", "-p", "alice", "--wait", "pong")
    assert bob.received() == ["ping"]
    assert alice.received() == ["pong"]


def test_a_message_is_the_same_in_both_histories(paired):
    alice, bob = paired
    id = alice.ctl("send", "-p", "bob", "--wait", "one").out.strip()
    [sent], [received] = alice.history(), bob.history()
    assert (sent["id"], sent["peer"], sent["direction"], sent["state"], sent["body"]) == \
        (id, "bob", "out", "delivered", "one")
    assert (received["id"], received["peer"], received["direction"], received["body"]) == \
        (id, "alice", "in", "one")
    assert received["sent"] == sent["sent"]


def test_peers_that_dial_each_other_at_once_end_with_one_link(alice, bob):
    for _ in range(3):
        alice.add(bob)
        bob.add(alice)
        alice.wait_online(bob)
        bob.wait_online(alice)
        alice.ctl("send", "-p", "bob", "--wait", "a")
        bob.ctl("send", "-p", "alice", "--wait", "b")
        alice.ctl("peer", "remove", "bob")
        bob.ctl("peer", "remove", "alice")


def test_either_side_may_be_the_one_that_dials(alice, bob):
    """One address is enough: what bob sends goes over the link that alice made."""
    bob.add(alice, address=False)
    alice.add(bob)
    bob.wait_online(alice)
    bob.ctl("send", "-p", "alice", "--wait", "over your link")
    assert alice.received() == ["over your link"]


def test_three_daemons_keep_their_conversations_apart(alice, bob, daemon):
    carol = daemon("carol")
    pair(alice, bob)
    pair(bob, carol)
    pair(carol, alice)
    for sender in (alice, bob, carol):
        for receiver in (alice, bob, carol):
            if sender is not receiver:
                sender.ctl("send", "-p", receiver.name, "--wait", f"{sender.name} {receiver.name}")
    for receiver in (alice, bob, carol):
        assert {(m["peer"], m["body"]) for m in receiver.history() if m["direction"] == "in"} == \
            {(sender.name, f"{sender.name} {receiver.name}")
             for sender in (alice, bob, carol) if sender is not receiver}


def test_one_message_can_go_to_several_peers(alice, bob, daemon):
    carol = daemon("carol")
    pair(alice, bob)
    pair(alice, carol)
    sent = alice.ctl("--json", "send", "-p", "bob", "-p", "carol", "--wait", "to all").json
    assert sorted(message["peer"] for message in sent) == ["bob", "carol"]
    assert bob.received() == carol.received() == ["to all"]


@pytest.mark.parametrize("text", [
    "Grüße, 你好, 🦊, العربية",
    "two\nlines",
    "tab\tand trailing space ",
    "\n",
    "bidi \u202e override and C1 \u009b and ESC \x1b[31m",
    "e\u0301 is not é",
    "\U0010ffff",
])
def test_a_text_arrives_byte_for_byte(paired, text):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", text)
    assert bob.received() == [text]


def test_only_the_last_line_feed_of_standard_input_is_removed(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", input="first\nsecond\n\n")
    alice.ctl("send", "-p", "bob", "--wait", "-", input="third")
    assert bob.received() == ["first\nsecond\n", "third"]


def test_arguments_are_joined_by_spaces(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "backup", "failed")
    assert bob.received() == ["backup failed"]


def test_the_largest_message_arrives(paired):
    alice, bob = paired
    text = os.urandom(LIMIT // 2).hex()
    alice.ctl("send", "-p", "bob", "--wait", input=text)
    assert bob.received() == [text]


@pytest.mark.parametrize("text", ["x" * (LIMIT + 1), "é" * (LIMIT // 2) + "x"], ids=["ascii", "wide"])
def test_one_byte_more_than_the_largest_message_is_refused(paired, text):
    alice, bob = paired
    assert alice.ctl("--json", "send", "-p", "bob", input=text, expect=65).error["kind"] == "too_large"
    assert alice.history() == []


def test_the_only_peer_needs_no_name(paired):
    alice, bob = paired
    alice.ctl("send", "--wait", "you, of course")
    assert bob.received() == ["you, of course"]


def test_the_default_peer_needs_no_name(daemon, bob):
    alice = daemon("alice", config='default-peer = "bob"\n')
    carol = daemon("carol")
    pair(alice, bob)
    pair(alice, carol)
    alice.ctl("send", "--wait", "as always")
    assert bob.received() == ["as always"]
    assert carol.received() == []


def test_ping_measures_the_link(paired):
    alice, _ = paired
    assert 0 <= alice.rpc("peer.ping", name="bob")["rtt_ms"] < 60000
    alice.ctl("peer", "ping", "bob")


def test_a_disconnected_peer_stays_away_until_connect(paired):
    alice, bob = paired
    alice.ctl("peer", "disconnect", "bob")
    assert alice.peer("bob")["link"] == "offline"
    id = alice.ctl("send", "-p", "bob", "later").out.strip()
    assert alice.rpc("message.get", id=id)["state"] == "queued"
    alice.ctl("peer", "connect", "bob")
    alice.rpc("message.wait", id=id, state="delivered")
    assert bob.received() == ["later"]


def test_both_see_the_same_safety_number(paired):
    alice, bob = paired
    number = alice.peer("bob")["safety_number"]
    assert bob.peer("alice")["safety_number"] == number
    groups = number.split()
    assert len(groups) == 12 and all(len(group) == 5 and group.isdigit() for group in groups)
    assert number.replace(" ", "") in "".join(alice.ctl("fingerprint", "bob").out.split())
