"""Which suite protects a session, what of it people are told, and what requires the post-quantum one."""

import subprocess

import pytest

from harness import PATIENCE_S, environment, eventually


@pytest.fixture
def suite(paired):
    """The suite that two daemons on this machine speak: 2 if its OpenSSL can."""
    return 2 if paired[0].rpc("status")["suites"] == [1, 2] else 1


def test_both_sides_say_which_suite_it_is(paired, suite):
    for one, other in (paired, reversed(paired)):
        assert one.peer(other.name)["suite"] == suite
        shown = one.ctl("peer", "show", other.name).out
        assert ("post-quantum, ML-KEM-768 with X25519" in shown) == (suite == 2)
        assert "encryption" in shown
        assert ("post-quantum with peers that can" in one.ctl("status").out) == (suite == 2)


def test_events_say_which_suite_it_is(paired, suite):
    alice, bob = paired
    follower = alice.client("follow", "-o", "verbose", "--types", "peer.online,peer.offline")
    alice.ctl("peer", "disconnect", "bob")
    eventually(lambda: "suite" not in alice.peer("bob"), "the end of the session")
    alice.ctl("peer", "connect", "bob")
    while (line := follower.next()).split()[:1] != ["suite"]:
        pass
    assert line.split() == ["suite", str(suite)]


def test_who_requires_the_post_quantum_suite_speaks_no_other(daemon):
    """Or says at once that this machine can't."""
    alice = daemon("alice", config="require-pq = no\n")
    can = alice.rpc("status")["suites"] == [1, 2]
    alice.configure("require-pq = yes\n")
    if can:
        alice.restart()
        assert alice.rpc("config.get")["require-pq"] == "yes"
        return
    refused = alice.ctl("rpc", "daemon.reload", expect=None)
    assert refused.status != 0 and "OpenSSL here has no ML-KEM-768" in alice.text_of_log()
    assert alice.rpc("config.get")["require-pq"] == "no"
    alice.stop()
    ended = subprocess.run([alice.program, *map(str, alice.options)], capture_output=True, text=True,
                           env=environment(alice.home), timeout=PATIENCE_S)
    assert ended.returncode == 78 and "OpenSSL 3.5 or later" in ended.stderr
