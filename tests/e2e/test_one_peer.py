"""A peer that was added by its address and calls in before it is reached ends as one peer, and only
who answers at the address can become it."""

import pytest

from harness import eventually


@pytest.fixture
def open_alice(daemon):
    return daemon("alice", config="unknown-peers = accept\n")


def name_of(daemon, other):
    """The name under which a daemon knows another's key, or None."""
    return next((p["name"] for p in daemon.rpc("peer.list")["peers"]
                 if p.get("fingerprint") == other.fingerprint), None)


def call_in(caller, daemon):
    """A stranger's call; gives the name under which it is known then."""
    caller.add(daemon)
    caller.wait_online(daemon)
    return name_of(daemon, caller)


def peers(daemon):
    return [(p["name"], p.get("fingerprint"), p["trust"]) for p in daemon.rpc("peer.list")["peers"]]


def texts(daemon):
    return [(m["peer"], m["body"]) for m in daemon.history()]


def test_who_called_in_becomes_the_peer_that_was_added(open_alice, bob):
    assert call_in(bob, open_alice).startswith("peer-")
    bob.ctl("send", "-p", "alice", "--wait", "before")
    open_alice.add(bob, pin=False)
    open_alice.wait_online(bob)
    assert peers(open_alice) == [("bob", bob.fingerprint, "tofu")]
    assert open_alice.peer("bob")["addresses"] == [bob.address]
    assert texts(open_alice) == [("bob", "before")]
    assert "another key" not in open_alice.text_of_log()
    open_alice.restart()
    open_alice.ctl("send", "-p", "bob", "--wait", "after")
    assert peers(open_alice) == [("bob", bob.fingerprint, "tofu")]
    assert bob.received() == ["after"]


def test_both_queues_are_delivered(open_alice, bob):
    made = call_in(bob, open_alice)
    bob.stop()
    open_alice.ctl("send", "-p", made, "for the one who called")
    open_alice.add(bob, pin=False)
    open_alice.ctl("peer", "disconnect", "bob")
    open_alice.ctl("send", "-p", "bob", "for bob")
    bob.start()
    eventually(lambda: bob.received() == ["for the one who called"], "the first message")
    assert [p[:2] for p in peers(open_alice)] == [(made, bob.fingerprint), ("bob", None)]
    open_alice.ctl("peer", "connect", "bob")
    eventually(lambda: bob.received() == ["for the one who called", "for bob"], "the second")
    assert peers(open_alice) == [("bob", bob.fingerprint, "tofu")]
    assert texts(open_alice) == [("bob", "for the one who called"), ("bob", "for bob")]


def test_what_was_told_of_the_queue_is_told_of_the_peer(open_alice, bob):
    call_in(bob, open_alice)
    bob.stop()
    open_alice.add(bob, pin=False)
    open_alice.ctl("send", "-p", "bob", "for bob")
    bob.start()
    open_alice.ctl("peer", "connect", "bob")
    eventually(lambda: bob.received() == ["for bob"], "the message")
    follower = open_alice.client("follow", "-o", "json", "-p", "bob", "--after", 0,
                                 "--types", "message.sent,message.state")
    event = follower.next_json()
    assert (event["type"], event["message"]["body"]) == ("message.sent", "for bob")


def test_who_follows_the_peer_goes_on(open_alice, bob):
    call_in(bob, open_alice)
    bob.stop()
    open_alice.add(bob, pin=False)
    follower = open_alice.client("follow", "-o", "json", "-p", "bob")
    eventually(lambda: open_alice.rpc("status")["followers"], "the follower")
    open_alice.ctl("peer", "connect", "bob")
    bob.start()
    open_alice.wait_online(bob)
    bob.ctl("send", "-p", "alice", "--wait", "hello")
    while (event := follower.next_json())["type"] != "message.received":
        assert event["peer"] == "bob"
    assert (event["peer"], event["message"]["body"]) == ("bob", "hello")


def test_two_that_add_each_other_by_address_find_each_other(open_alice, daemon):
    bob = daemon("bob", config="unknown-peers = accept\n")
    for _ in range(5):
        open_alice.add(bob, pin=False)
        bob.add(open_alice, pin=False)
        open_alice.wait_online(bob)
        bob.wait_online(open_alice)
        assert peers(open_alice) == [("bob", bob.fingerprint, "tofu")]
        assert peers(bob) == [("alice", open_alice.fingerprint, "tofu")]
        bob.ctl("peer", "remove", "alice")
        open_alice.ctl("peer", "remove", "bob")
    assert "another key" not in open_alice.text_of_log() + bob.text_of_log()


def test_who_only_calls_in_stays_who_he_is(open_alice, bob, daemon):
    mallory = daemon("mallory")
    bob.stop()
    open_alice.add(bob, pin=False)
    made = call_in(mallory, open_alice)
    assert open_alice.peer("bob")["trust"] == "unpinned"
    bob.start()
    bob.add(open_alice, address=False)
    open_alice.ctl("peer", "connect", "bob")
    open_alice.wait_online(bob)
    assert name_of(open_alice, bob) == "bob"
    assert name_of(open_alice, mallory) == made


@pytest.mark.parametrize("method, params", [
    ("peer.rename", {"to": "carol"}),
    ("peer.verify", {"fingerprint": None}),
    ("peer.set", {"address": ["127.0.0.1:1"]}),
])
def test_a_peer_that_people_know_becomes_no_other(open_alice, bob, method, params):
    made = call_in(bob, open_alice)
    params = {name: value or bob.fingerprint for name, value in params.items()}
    open_alice.rpc(method, name=made, **params)
    open_alice.add(bob, pin=False)
    eventually(lambda: "another key" in open_alice.peer("bob").get("last_error", ""), "the alarm")
    assert open_alice.peer("bob")["trust"] == "unpinned"
    assert name_of(open_alice, bob) == params.get("to", made)
