"""An active man in the middle, with a key of his own for each side, is noticed: by an invite, by a
pinned fingerprint, by a key that was met before, and by people who compare safety numbers.
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2ppeer
from interceptor import Interceptor
from mallory import Mallory
from p2pcrypto import Identity

from harness import eventually, redirect


@pytest.fixture(scope="module")
def his_key():
    return Identity()


@pytest.fixture
def alice(daemon):
    return daemon("alice", config="unknown-peers = reject\n")


@pytest.fixture
def mallory(alice, his_key):
    """Stands between everybody and Alice."""
    made = Mallory(alice.address, his_key)
    yield made
    made.end()


def in_the_middle(alice, bob, mallory):
    """Bob has pinned him as Alice, and she him as Bob: what nobody had a chance to notice."""
    alice.ctl("peer", "add", "bob", "--fingerprint", mallory.fingerprint)
    bob.ctl("peer", "add", "alice", mallory.address)
    bob.ctl("send", "-p", "alice", "--wait", "between us")
    eventually(alice.received, "what he passes on")  # he confirms it first
    assert alice.received() == ["between us"]


def assert_noticed(bob, mallory, name="alice"):
    """There is an event that names his key, nothing is sent, and he has learnt nothing."""
    event = bob.wait_for_event("peer.key_changed", peer=name)
    assert (event["offered"], event["trust"]) == (mallory.fingerprint, "changed")
    assert bob.peer(name)["trust"] == "changed"
    refused = bob.ctl("--json", "send", "-p", name, "secret", expect=77)
    assert refused.error["kind"] == "key_changed"
    assert "p2pchatctl peer show" in refused.error["message"]
    assert mallory.fingerprint in bob.text_of_log()
    assert mallory.victims == [] and mallory.heard == []


def test_he_is_not_noticed_at_a_first_contact_that_nobody_checks(alice, bob, mallory):
    """What the other tests are good for: he is real, and reads along."""
    in_the_middle(alice, bob, mallory)
    assert mallory.heard == ["between us"]


def test_an_invite_finds_him_out(alice, bob, mallory):
    uri = alice.ctl("invite", "bob").out.strip()
    failed = bob.ctl("--json", "join", redirect(uri, alice.address, mallory.address), "alice",
                     expect=77)
    assert failed.error["kind"] == "mismatch"
    assert mallory.fingerprint in failed.error["message"]
    assert_noticed(bob, mallory)
    mallory.wait_for_tries(1)
    assert set(mallory.refusals) == {p2ppeer.REFUSED}
    assert alice.rpc("peer.list")["peers"] == []
    bob.ctl("join", uri, "alice")
    assert alice.peer("bob")["fingerprint"] == bob.fingerprint


def test_an_invite_finds_him_out_where_strangers_may_ask(daemon, bob, his_key):
    """The proof that he saw is bound to Bob's key and connection: to Alice he is a stranger."""
    alice = daemon("alice")
    mallory = Mallory(alice.address, his_key)
    try:
        uri = alice.ctl("invite", "bob").out.strip()
        bob.ctl("join", redirect(uri, alice.address, mallory.address), "alice", expect=77)
        alice.wait_for_request(mallory)
        assert alice.rpc("peer.list")["peers"] == []
        assert len(alice.rpc("invite.list")["invites"]) == 1
    finally:
        mallory.end()


def test_a_pinned_fingerprint_finds_him_out(alice, bob, mallory):
    alice.ctl("peer", "add", "bob", "--fingerprint", mallory.fingerprint)
    bob.ctl("peer", "add", "alice", mallory.address, "--fingerprint", alice.fingerprint)
    assert_noticed(bob, mallory)
    assert bob.peer("alice")["fingerprint"] == alice.fingerprint


def test_a_key_that_was_met_before_finds_him_out(alice, bob, mallory):
    alice.ctl("peer", "add", "bob", "--fingerprint", bob.fingerprint)
    bob.ctl("peer", "add", "alice", alice.address)
    bob.ctl("send", "-p", "alice", "--wait", "the first contact")
    assert bob.peer("alice")["trust"] == "tofu"
    bob.ctl("peer", "disconnect", "alice")
    bob.ctl("peer", "set", "alice", mallory.address)
    bob.ctl("peer", "connect", "alice")
    assert_noticed(bob, mallory)
    assert alice.received() == ["the first contact"]


def test_the_alarm_ends_when_the_right_key_is_back(alice, bob, mallory):
    alice.ctl("peer", "add", "bob", "--fingerprint", bob.fingerprint)
    bob.ctl("peer", "add", "alice", mallory.address, "--fingerprint", alice.fingerprint)
    assert_noticed(bob, mallory)
    bob.ctl("peer", "set", "alice", alice.address)
    bob.ctl("peer", "connect", "alice")
    bob.wait_online(alice)
    assert bob.peer("alice")["trust"] == "verified"
    assert bob.peer("alice")["former_keys"] == []


def number_of(daemon, name):
    """The safety number as `fingerprint` prints it."""
    return daemon.ctl("fingerprint", name).lines[-1].split("safety number  ")[1]


def test_comparing_safety_numbers_finds_him_out(alice, bob, mallory):
    in_the_middle(alice, bob, mallory)
    at_alice, at_bob = number_of(alice, "bob"), number_of(bob, "alice")
    assert at_alice != at_bob
    for number in (at_alice, alice.fingerprint):
        refused = bob.ctl("--json", "peer", "verify", "alice", number, expect=77)
        assert refused.error["kind"] == "mismatch"
        assert bob.peer("alice")["trust"] == "tofu"


@pytest.mark.parametrize("at", [0, 3, 4, 5, 21, -1],
                         ids=["length", "length that may be one", "type", "nonce", "signature",
                              "tag"])
def test_a_bit_flipped_in_each_packet_costs_no_message(alice, bob, at):
    """Anybody on the way can end sessions so; what was accepted waits for a better time."""
    interceptor = Interceptor(alice.address)
    texts = ["one", "two", "three"]
    try:
        alice.ctl("peer", "add", "bob", "--fingerprint", bob.fingerprint)
        interceptor.spoil(p2ppeer.PACKET, at)
        bob.ctl("peer", "add", "alice", interceptor.address, "--fingerprint", alice.fingerprint)
        for text in texts:
            bob.ctl("send", "-p", "alice", text)
        for session in range(1, 6):
            eventually(lambda: bob.text_of_log().count("says: protocol error") >= session,
                       "a session that ends by it")
            assert bob.peer("alice")["queued"] == 3
            if session < 5:
                bob.ctl("peer", "connect", "alice")
        interceptor.spoil(None, None)
        bob.ctl("peer", "connect", "alice")
        eventually(lambda: alice.received() == texts, "all three")
    finally:
        interceptor.end()


def test_equal_safety_numbers_are_honest_ones(alice, bob):
    alice.ctl("peer", "add", "bob", "--fingerprint", bob.fingerprint)
    bob.ctl("peer", "add", "alice", alice.address)
    bob.wait_online(alice)
    assert number_of(alice, "bob") == number_of(bob, "alice")
    bob.ctl("peer", "verify", "alice", number_of(alice, "bob"))
    assert bob.peer("alice")["trust"] == "verified"
    assert bob.wait_for_event("peer.trust", peer="alice", trust="verified")
    eventually(lambda: bob.peer("alice")["link"] == "online", "the link stays")
