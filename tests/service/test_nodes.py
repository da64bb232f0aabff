"""Two machines, each in a network of its own, with a cable between them."""

import pytest

from machine import PATIENCE_S, eventually


@pytest.fixture
def nodes(boot, cable):
    """alice and bob, running; bob knows alice's key."""
    alice, bob = boot("alice", network=cable[0]), boot("bob", network=cable[1])
    for node in (alice, bob):
        node.systemctl("enable", "--now", "p2pchatd")
        node.key = node.ctl("fingerprint").out.split()[0]
    return alice, bob


def introduce(alice, bob):
    alice.ctl("peer", "add", "bob", "10.9.0.2", "--fingerprint", bob.key)
    bob.ctl("peer", "add", "alice", "10.9.0.1", "--fingerprint", alice.key)


def test_two_machines_pair_and_talk(nodes):
    alice, bob = nodes
    introduce(alice, bob)
    alice.ctl("send", "-p", "bob", "--wait", "--timeout", PATIENCE_S, "from alice")
    bob.ctl("send", "-p", "alice", "--wait", "--timeout", PATIENCE_S, "from bob")
    for node in nodes:
        texts = node.ctl("history", "-o", "cat", "-n", "all").out
        assert "from alice\n" in texts and "from bob\n" in texts
        node.wait_for("StatusText", "1 of 1 peers online")


def test_a_message_goes_out_when_the_network_comes_late(nodes):
    """As after a power cut, when the machine is up before its router."""
    alice, bob = nodes
    alice.systemctl("stop", "p2pchatd")
    alice.run("ip", "link", "set", "cable", "down")
    alice.systemctl("start", "p2pchatd")
    introduce(alice, bob)
    alice.ctl("send", "-p", "bob", "written without a network")
    assert alice.show("ActiveState") == "active"
    alice.run("ip", "link", "set", "cable", "up")
    eventually(lambda: "written without" in bob.ctl("history", "-o", "cat", "-n", "all").out,
               "the message")


def test_a_restart_of_either_side_is_not_noticed(nodes):
    alice, bob = nodes
    introduce(alice, bob)
    alice.ctl("wait-online", "bob")
    for i, node in enumerate((alice, bob, alice, bob)):
        node.systemctl("restart", "p2pchatd")
        alice.ctl("send", "-p", "bob", "--wait", "--timeout", PATIENCE_S, f"text {i}")
    assert bob.ctl("history", "-o", "cat", "-n", "all").out == "text 0\ntext 1\ntext 2\ntext 3\n"
