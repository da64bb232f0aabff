"""kill -9 between any two steps of pairing by an invite: it goes on afterwards, and never halfway."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2ppeer
from interceptor import Interceptor
from harness import PATIENCE_S, redirect

STEPS = ["HELLO_J", "HELLO_H", "IDENT", "KEY", "CONFIRM_J", "CONFIRM_H"]


@pytest.fixture
def alice(daemon):
    return daemon("alice", config="unknown-peers = reject\n")


@pytest.fixture
def interceptor(alice):
    made = Interceptor(alice.address)
    yield made
    made.end()


def stop_at(step, alice, bob, interceptor):
    """Bob takes up an invite; the frame `step` gets no further than to the interceptor."""
    interceptor.hold(getattr(p2ppeer, step))
    uri = alice.ctl("invite", "--address", interceptor.address, "bob").out.strip()
    bob.rpc("invite.accept", uri=uri, name="alice")
    assert interceptor.held.wait(PATIENCE_S)


def pinned_at(alice):
    return [peer["trust"] for peer in alice.rpc("peer.list")["peers"]]


def assert_pairs(alice, bob):
    bob.ctl("peer", "connect", "alice")
    bob.wait_online(alice)
    for daemon, name, other in ((alice, "bob", bob), (bob, "alice", alice)):
        peer = daemon.peer(name)
        assert (peer["fingerprint"], peer["trust"], peer["invited"]) == (
            other.fingerprint, "verified", False)
    assert alice.rpc("invite.list")["invites"] == []
    bob.ctl("send", "-p", "alice", "--wait", "here I am")
    assert alice.received() == ["here I am"]


@pytest.mark.parametrize("victim", ["alice", "bob", "both"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_between_two_steps(alice, bob, interceptor, step, victim):
    stop_at(step, alice, bob, interceptor)
    victims = {"alice": [alice], "bob": [bob], "both": [alice, bob]}[victim]
    for each in victims:
        each.kill()
    interceptor.open()
    for each in victims:
        each.start()
    assert_pairs(alice, bob)


@pytest.mark.parametrize("step", STEPS)
def test_pin_and_invite_change_in_one_step(alice, bob, interceptor, step):
    """At no moment is there neither an invite nor a peer, nor both."""
    stop_at(step, alice, bob, interceptor)
    if step == "CONFIRM_H":  # the answer is only given for what is on disk
        expected = (0, ["verified"])
    else:
        expected = (1, [])
    for crash in (False, True):
        if crash:
            alice.kill()
            alice.start()
        assert (len(alice.rpc("invite.list")["invites"]), pinned_at(alice)) == expected
        assert bob.peer("alice")["trust"] == "unpinned"


@pytest.mark.parametrize("step", STEPS[:-1])
def test_whoever_comes_first_uses_it_up(alice, bob, daemon, interceptor, step):
    """While one joiner is held at a step, another one comes with the same line."""
    carol = daemon("carol")
    uri = alice.ctl("invite", "--address", interceptor.address, "friend").out.strip()
    interceptor.hold(getattr(p2ppeer, step))
    joining = bob.client("--json", "join", uri, "alice")
    assert interceptor.held.wait(PATIENCE_S)
    carol.ctl("join", redirect(uri, interceptor.address, alice.address), "alice")
    interceptor.open()
    joining.wait(76)
    [peer] = alice.rpc("peer.list")["peers"]
    assert (peer["name"], peer["fingerprint"]) == ("friend", carol.fingerprint)


def test_at_the_last_step_the_second_is_refused(alice, bob, daemon, interceptor):
    """Both were told to go on; only one of them is let in."""
    carol = daemon("carol")
    uri = alice.ctl("invite", "--address", interceptor.address, "friend").out.strip()
    interceptor.hold(p2ppeer.CONFIRM_J)
    joining = bob.client("join", uri, "alice")
    assert interceptor.held.wait(PATIENCE_S)
    carol.ctl("join", redirect(uri, interceptor.address, alice.address), "alice")
    interceptor.release()
    joining.wait(76)
    [peer] = alice.rpc("peer.list")["peers"]
    assert peer["fingerprint"] == carol.fingerprint
