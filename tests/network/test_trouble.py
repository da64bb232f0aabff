"""Wires that work badly, and connections that are cut at a bad moment."""

import itertools
import os
import random
import signal
import time

import pytest

from conversation import Conversation
from harness import eventually, faketime, pair

LINES = 1000


# --- bad wires ---


def test_loss_delay_and_disorder_change_nothing(linked, deep, result):
    alice, bob, wire = linked
    wire.set(loss=0.03, repeats=0.03, delay_s=0.04, jitter_s=0.03)
    talk = Conversation(alice, bob)
    for _ in range(100 if deep else 5):
        talk.say(20)
        talk.say(1, size=20000)
    talk.settle()
    talk.check_states(online=True)
    talk.check_presence(0)
    result(f"3 % of all packets lost, 3 % twice, late and out of order: {talk.outcome}")


def test_hosts_that_dial_each_other_at_once_over_a_slow_wire_have_one_link(strangers, deep,
                                                                           result):
    alice, bob, wire = strangers
    talk = Conversation(alice, bob)
    for machine, other in talk.both_ways:
        machine.rpc("peer.add", name=other.name, fingerprint=other.fingerprint)
        machine.rpc("peer.disconnect", name=other.name)
        machine.rpc("peer.set", name=other.name, address=[other.address])
    times = 50 if deep else 3
    for _ in range(times):
        wire.set(delay_s=0.1 * random.random(), jitter_s=0.2 * random.random())
        for machine, other in talk.both_ways:
            machine.rpc("peer.connect", name=other.name)
        talk.wait_for("online")
        talk.say(3)
        talk.settle()
        eventually(lambda: all(len(machine.connections()) == 1 for machine in talk.machines), "one link")
        talk.check_states(online=True)
        # Now and then the news that a link is replaced is there before the new one.
        talk.check_presence(0, 1)
        for machine, other in talk.both_ways:
            machine.rpc("peer.disconnect", name=other.name)
        for machine, other in talk.both_ways:
            eventually(lambda: machine.peer(other.name)["link"] == "offline", "the end of the link")
            machine.presence.so_far().clear()
    result(f"{times} times two dials at once: one link each time, {talk.outcome}")


def test_a_thousand_lines_go_through_a_narrow_wire(linked):
    alice, bob, wire = linked
    wire.set(rate=200_000, delay_s=0.02)
    follower = bob.client("follow", "-o", "cat", "--after", 0, "--types", "message.received")
    lines = [f"line {number}" for number in range(LINES)]
    sender = alice.client("send", "-p", "bob", "--wait", "--lines", stdin=pipe_of(lines))
    assert follower.take(LINES) == lines
    sender.wait()
    assert bob.received() == lines
    for machine in (alice, bob):
        machine.presence.check(0)


def test_a_ping_that_waits_behind_messages_on_a_narrow_wire_does_not_end_the_link(linked):
    alice, bob, wire = linked
    talk = Conversation(alice, bob)
    wire.set(rate=12_000)
    talk.say(300, by=alice, size=1000)
    alice.control().ask("peer.ping", name="bob")
    talk.settle()
    talk.check_presence(0)


@pytest.mark.parametrize("queue_s", [12, 20] if os.environ.get("P2PCHAT_DEEP") else [12])
def test_a_backlog_gets_through_a_very_slow_wire(strangers, deep, result, queue_s):
    """8 kbit/s: the longest packet alone is on its way for two minutes, in the short form for one.

    The shorter queue drops much of it: what is missing comes again behind all that was sent since.
    """
    alice, bob, wire = strangers
    wire.set(rate=1000, queue_s=queue_s)
    talk = Conversation(alice, bob)
    bob.rpc("peer.add", name="alice", fingerprint=alice.fingerprint)
    alice.rpc("peer.add", name="bob", fingerprint=bob.fingerprint)
    talk.say(100, by=alice)
    talk.say(1, by=alice, size=65_536 if deep else 60_000)
    alice.rpc("peer.set", name="bob", address=[bob.address])
    talk.wait_for("online")
    start = time.monotonic()
    talk.settle()
    talk.check_presence(0)
    result(f"a backlog at 8 kbit/s in {time.monotonic() - start:.0f} s on one link: {talk.outcome}")


STANDSTILL_S = 20


def test_a_peer_that_does_not_read_for_a_while_keeps_its_link(linked):
    """Its kernel closes the window and answers our probes of it."""
    alice, bob, _ = linked
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    os.kill(bob.process.pid, signal.SIGSTOP)
    start = time.monotonic()
    talk.say(60, by=alice, size=60_000)
    eventually(lambda: time.monotonic() - start > STANDSTILL_S, "the end of the standstill")
    os.kill(bob.process.pid, signal.SIGCONT)
    talk.settle()
    talk.check_presence(0)


def pipe_of(lines):
    """A file that holds these lines."""
    file = os.memfd_create("lines")
    os.write(file, "".join(line + "\n" for line in lines).encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file


# --- cut at a bad moment ---


@pytest.mark.parametrize("victim", ["alice", "bob"])
def test_a_connection_that_is_ended_by_force_comes_back(linked, victim, deep, result):
    alice, bob, _ = linked
    talk = Conversation(alice, bob)
    victim = {"alice": alice, "bob": bob}[victim]
    times = 30 if deep else 3
    for _ in range(times):
        talk.say()
        victim.reset_connections()
        talk.say()
        alice.presence.wait_for("offline")
        alice.presence.wait_for("online")
    talk.settle()
    talk.check_states(online=True)
    alice.presence.check(times)
    bob.presence.check(*range(times + 1))  # a new link may take the place of the old one
    result(f"{times} connections ended by force: {talk.outcome}")


@pytest.mark.parametrize("sender", ["alice", "bob"])
def test_a_link_that_is_cut_in_a_long_message_loses_nothing(linked, sender, deep, result):
    alice, bob, wire = linked
    sender, way = {"alice": (alice, wire.there), "bob": (bob, wire.back)}[sender]
    talk = Conversation(alice, bob)
    sizes = range(0, 131_000, 4000) if deep else (1, 30_000, 100_000)
    for size in sizes:
        talk.say(2)
        talk.settle()
        wire.cut_after(way, size)
        talk.say(1, by=sender, size=65_536)
        assert wire.was_cut.wait(60)
        sender.reset_connections()
        sender.presence.wait_for("offline")
        talk.say(2)
        wire.mend()
        sender.presence.wait_for("online")
        talk.settle()
    talk.check_states(online=True)
    sender.presence.check(len(sizes))
    result(f"{len(sizes)} links cut within a message of 64 KiB: {talk.outcome}")


# --- a rekey ---

KEYS_AGE_S = 16 * 60
PACKET = 5 + 32  # bytes around what is in one


def size_of_init(machine):
    """Of the packet with REKEY_INIT, on the wire: a key of ML-KEM needs the next size."""
    return PACKET + (2048 if 2 in machine.rpc("status")["suites"] else 1024)


@pytest.fixture
def aging(machine, lay, home):
    """A link whose machine can be made to think that its keys are old: a function does that."""
    state = home / "bob" / "state"  # which the daemon may read
    prefix = [each for each in faketime("+0") if not each.startswith("FAKETIME=")]
    alice = machine("alice")
    bob = machine("bob", prefix=[*prefix, f"FAKETIME_TIMESTAMP_FILE={state}/clock",
                              "FAKETIME_NO_CACHE=1"])
    wire = lay(alice.network, bob.network)
    ages = itertools.count(step=KEYS_AGE_S)

    def age():
        (state / "next").write_text(f"+{next(ages)}\n")
        (state / "next").rename(state / "clock")  # in one step, because it may be read meanwhile

    age()
    pair(alice.start(), bob.start())
    return alice, bob, wire, age


@pytest.mark.parametrize("lost, way", [
    ("REKEY_INIT", "back"), ("REKEY_RESP", "there"), ("REKEY_DONE", "back")])
def test_a_link_that_is_cut_in_a_rekey_loses_nothing(aging, lost, way, deep, result):
    alice, bob, wire, age = aging
    size = size_of_init(bob) if lost == "REKEY_DONE" else 0
    talk = Conversation(alice, bob)
    times = 20 if deep else 1
    for round in range(1, times + 1):
        talk.say(2)
        talk.settle()
        wire.cut_after(getattr(wire, way), size)
        age()
        bob.rpc("hello")  # it looks at the clock
        assert wire.was_cut.wait(60)
        speaker = alice if lost == "REKEY_RESP" else bob
        assert speaker.text_of_log().count(f"epoch: sending {lost} -> ") == round
        bob.reset_connections()
        bob.presence.wait_for("offline")
        talk.say(2)
        wire.mend()
        bob.presence.wait_for("online")
        talk.settle()
    talk.check_states(online=True)
    bob.presence.check(times)
    result(f"{times} links cut before {lost}: {talk.outcome}")
