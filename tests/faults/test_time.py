"""The clock steps, and processes stand still: no storm of connections, order kept, nothing lost."""

import signal
import time

import pytest

from harness import eventually, faketime, pair

STEPS = ["1970-01-02 00:00:00", "2038-01-19 03:14:06", "2106-02-07 06:28:14", "-5h", "+3h"]


def links_made(daemon):
    return daemon.text_of_log().count(": online")


def absolute(step):
    return step if step[0] in "+-" else "@" + step


def test_a_clock_that_steps_disturbs_nothing(daemon, home, result):
    """The time comes from a file, so that it can step while the daemon runs."""
    state = home / "alice" / "state"  # which the daemon may read
    clock = state / "clock"
    prefix = faketime("+0") + [f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_NO_CACHE=1",
                               "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    del prefix[2]
    alice, bob = daemon("alice", prefix=prefix, started=False), daemon("bob")
    state.mkdir(mode=0o700)
    clock.write_text("+0\n")
    alice.start()
    pair(alice, bob)
    links, expected = links_made(alice), []
    bob.stop()
    alice.ctl("send", "-p", "bob", "waits through it all")
    for step in STEPS:
        clock.write_text(absolute(step) + "\n")
        alice.rpc("daemon.reload")  # which looks at once for what is due
        alice.ctl("send", "-p", "bob", f"queued at {step}")
        expected.append(f"queued at {step}")
    years = {message["time"][:4] for message in alice.history()}
    assert {"1970", "2038", "2106"} <= years, "the clock did not step"
    clock.write_text("+0\n")
    assert alice.peer("bob")["queued"] == 1 + len(STEPS)
    bob.start()
    alice.rpc("peer.connect", name="bob")
    alice.wait_online(bob)
    links = links_made(alice)
    for step in STEPS:
        clock.write_text(absolute(step) + "\n")
        alice.ctl("send", "-p", "bob", "--wait", f"out at {step}")
        bob.ctl("send", "-p", "alice", "--wait", f"in at {step}")
        expected.append(f"out at {step}")
    assert bob.received() == ["waits through it all", *expected]
    assert alice.received() == [f"in at {step}" for step in STEPS]
    seqs = [message["seq"] for message in alice.history(limit=1000)]
    assert seqs == sorted(seqs)
    assert links_made(alice) == links, "the link was lost by a step of the clock"
    result(f"{len(STEPS)} steps of the clock (to 1970, 2038, 2106, by hours): no link lost, order "
           "kept, nothing expired or removed")


@pytest.mark.parametrize("frozen", ["alice", "bob"])
def test_a_process_that_stands_still_goes_on(paired, deep, frozen, result):
    alice, bob = paired
    seconds = 60 if deep else 5
    victim = {"alice": alice, "bob": bob}[frozen]
    follower = bob.client("follow", "-o", "cat", "--after", 0)
    sender = alice.client("send", "-p", "bob", "--wait", "--lines", stdin=-1)
    def feed(first):
        sender.process.stdin.write("".join(f"{n}\n" for n in range(first, first + 200)).encode())
        sender.process.stdin.flush()
    feed(0)
    follower.take(50)
    victim.process.send_signal(signal.SIGSTOP)
    feed(200)
    time.sleep(seconds)
    victim.process.send_signal(signal.SIGCONT)
    feed(400)
    sender.process.stdin.close()
    assert follower.take(550) == [str(n) for n in range(50, 600)]
    eventually(lambda: alice.peer("bob")["queued"] == 0, "delivery")
    assert bob.received() == [str(n) for n in range(600)]
    result(f"SIGSTOP of the {'sender' if frozen == 'alice' else 'receiver'} for {seconds} s under "
           "load: 600 messages, once and in order")
