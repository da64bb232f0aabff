"""A peer whose key nobody has compared looks so wherever one talks with it."""

import re

import pytest

from harness import P2PCHATCTL, environment, eventually
from screen import Screen


@pytest.fixture
def met(alice, bob):
    """Two that have met by an address alone."""
    bob.add(alice, address=False, pin=True)
    alice.add(bob, pin=False)
    alice.wait_online(bob)
    bob.wait_online(alice)
    assert alice.peer("bob")["trust"] == "tofu"
    return alice, bob


def test_messages_of_an_unverified_peer_are_marked_until_it_is_verified(met):
    alice, bob = met
    bob.ctl("send", "-p", "alice", "--wait", "from somebody")
    alice.ctl("send", "-p", "bob", "--wait", "to somebody")
    assert re.fullmatch(r"\S+ \S+ bob \(unverified\): from somebody",
                        alice.ctl("follow", "-n", 1, "--no-follow").lines[0])
    received, sent = alice.ctl("history").lines
    assert " bob (unverified): from somebody" in received
    assert " -> bob (unverified): to somebody" in sent
    assert "unverified" not in bob.ctl("history").out
    alice.ctl("peer", "verify", "bob", bob.fingerprint)
    bob.ctl("send", "-p", "alice", "--wait", "from bob")
    assert " bob: from bob" in alice.ctl("history", "-n", 1).out


def test_send_says_how_to_verify_to_who_looks_on(met):
    alice, bob = met
    quiet = alice.ctl("send", "-p", "bob", "from a script")
    assert quiet.err == "" and len(quiet.lines) == 1
    [message] = alice.rpc("message.send", peer="bob", body="for programs")["messages"]
    assert message["trust"] == "tofu"
    command = f"{P2PCHATCTL} send -p bob hello"
    screen = Screen(alice.home, command, columns=200, environment=environment(alice.home, alice.socket))
    try:
        screen.expect_line("exit status 0")
        [advice] = [line for line in screen.lines() if "unverified" in line]
    finally:
        screen.end()
    assert advice.startswith("p2pchatctl: bob is unverified: compare with them the safety number of ")
    # The advice can be followed.
    show, verify = re.fullmatch(r".* of (p2pchatctl .*), then: (p2pchatctl .*)", advice).groups()
    number = re.search(r"(?:\d{5} ){11}\d{5}", alice.ctl(*show.split()[1:]).out)[0]
    alice.ctl(*verify.replace("NUMBER", number).split()[1:4], number)
    assert alice.peer("bob")["trust"] == "verified"


def test_a_chat_with_an_unverified_peer_says_so(met):
    alice, bob = met
    bob.ctl("send", "-p", "alice", "--wait", "who am I?")
    command = f"{P2PCHATCTL} chat bob"
    screen = Screen(alice.home, command, columns=120, environment=environment(alice.home, alice.socket))
    try:
        screen.expect_line(lambda line: line.rstrip() == "bob (unverified)>", "with a marked prompt")
        screen.expect_line(lambda line: line.endswith("bob (unverified): who am I?"), "with a mark")
        screen.expect_line(lambda line: "somebody may be in between: /verify" in line, "of advice")
        screen.enter("/verify")
        screen.expect_line("* if it is: p2pchatctl peer verify bob NUMBER")
        alice.ctl("peer", "verify", "bob", bob.fingerprint)
        screen.expect_line(lambda line: line.rstrip() == "bob>", "with a prompt without a mark")
        screen.key("C-d")
        eventually(lambda: "exit status 0" in screen.lines(), "the end")
    finally:
        screen.end()
