"""Links on which nothing comes through any more, without a word from anybody."""

import time

import pytest

from conversation import Conversation
from harness import eventually

# Promised are 45 and 15 s; the rest is for a machine that has a lot to do.
NOTICED_IDLE_S = 45 + 20
NOTICED_BUSY_S = 15 + 20


@pytest.mark.parametrize("dead", ["there", "back", "both"])
def test_a_partition_is_noticed_and_overcome(linked, dead, deep, result):
    alice, bob, wire = linked
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    times, noticed_s = 5 if deep else 1, 0
    for _ in range(times):
        for way in wire.ways if dead == "both" else [getattr(wire, dead)]:
            way.open = False
        start = time.monotonic()
        talk.say()
        talk.wait_for("offline")
        noticed_s = max(noticed_s, time.monotonic() - start)
        talk.say()
        talk.check_states(online=False)
        wire.mend()
        talk.wait_for("online")
        talk.say()
    talk.settle()
    talk.check_states(online=True)
    talk.check_presence(times)
    assert noticed_s < NOTICED_BUSY_S
    result(f"{times} partitions with messages on their way, noticed after {noticed_s:.1f} s at most; "
           f"{talk.outcome}")


def test_a_short_partition_costs_nothing_but_time(linked):
    """Shorter than the time after which a link is given up: TCP sends again."""
    alice, bob, wire = linked
    talk = Conversation(alice, bob)
    wire.set(open=False)
    talk.say(2)
    eventually(lambda: all(way.swallowed > 2 for way in wire.ways), "packets that are lost")
    wire.mend()
    talk.settle()
    talk.check_presence(0)


@pytest.mark.parametrize("gone, stays", [("alice", "bob"), ("bob", "alice")])
def test_an_idle_peer_that_is_gone_is_noticed(linked, gone, stays, result):
    """And may come back, as after a power cut."""
    alice, bob, wire = linked
    machines = {"alice": alice, "bob": bob}
    gone, stays = machines[gone], machines[stays]
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    eventually(lambda: alice.is_quiet() and bob.is_quiet(), "rest")
    wire.set(open=False)
    start = time.monotonic()
    gone.kill()
    gone.reset_connections()
    stays.presence.wait_for("offline")
    noticed_s = time.monotonic() - start
    assert noticed_s < NOTICED_IDLE_S
    talk.say(by=stays)
    wire.mend()
    gone.start()
    stays.presence.wait_for("online")
    talk.say()
    talk.settle()
    stays.presence.check(1)
    result(f"a peer that is gone without a word, noticed after {noticed_s:.1f} s; {talk.outcome}")


def test_a_link_that_loses_all_long_packets_heals(linked):
    """As when a router on the way takes only shorter ones, and what it says of that is filtered."""
    alice, bob, wire = linked
    talk = Conversation(alice, bob)
    wire.set(longest=1280)
    talk.say(size=5000)
    talk.wait_for("offline")
    talk.say()
    talk.check_states(online=False)
    wire.set(longest=65535)
    talk.wait_for("online")
    talk.settle()
    talk.check_presence(1)
