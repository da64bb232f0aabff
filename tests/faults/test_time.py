"""The clock steps, and processes stand still: no storm of connections, order kept, nothing lost."""

import datetime
import pathlib
import signal
import time

import pytest

from harness import eventually, faketime, pair

STOP_S = 60

STEPS = ["1970-01-02 00:00:00", "2038-01-19 03:14:06", "2106-02-07 06:28:14", "-5h", "+3h"]


def links_made(daemon):
    return daemon.text_of_log().count(": online")


def lines(first, end):
    return "".join(f"{n}\n" for n in range(first, end))


def absolute(step):
    return step if step[0] in "+-" else "@" + step


class Clock:
    """What a daemon takes for the time: a file that it reads again each time, among its own."""

    def __init__(self, daemon, name, home, *options):
        self.file = home / name / "state" / "clock"
        [env, library, _] = faketime("+0")
        self.daemon = daemon(name, started=False, prefix=[
            env, library, f"FAKETIME_TIMESTAMP_FILE={self.file}", "FAKETIME_NO_CACHE=1", *options])
        self.file.parent.mkdir(mode=0o700)
        self.set("+0")
        self.daemon.start()

    def set(self, spec):
        """In one step, because the daemon may be reading."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{spec}\n")
        fresh.rename(self.file)


def test_a_clock_that_steps_disturbs_nothing(daemon, bob, home, result):
    clock = Clock(daemon, "alice", home, "FAKETIME_DONT_FAKE_MONOTONIC=1")
    alice = clock.daemon
    pair(alice, bob)
    expected = []
    bob.stop()
    alice.ctl("send", "-p", "bob", "waits through it all")
    for step in STEPS:
        clock.set(absolute(step))
        alice.rpc("daemon.reload")  # which looks at once for what is due
        alice.ctl("send", "-p", "bob", f"queued at {step}")
        expected.append(f"queued at {step}")
        [message] = alice.history(limit=1)
        assert step[0] in "+-" or message["time"][:4] == step[:4], "the clock did not step"
    clock.set("+0")
    alice.rpc("daemon.reload")
    now = datetime.datetime.now(datetime.timezone.utc)
    ages = [now - datetime.datetime.fromisoformat(message["time"][:-1] + "+00:00")
            for message in alice.history()]
    # Each step takes what came before along, to the minute.
    assert max(map(abs, ages)) < datetime.timedelta(minutes=10), ages
    assert alice.peer("bob")["queued"] == 1 + len(STEPS)
    bob.start()
    alice.rpc("peer.connect", name="bob")
    alice.wait_online(bob)
    links = links_made(alice)
    for step in STEPS:
        clock.set(absolute(step))
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


# --- standing still ------------------------------------------------------------------------------

@pytest.fixture
def clock(daemon, home):
    return Clock(daemon, "alice", home)


@pytest.fixture
def acquainted(clock, bob):
    """Alice, who has that clock, and Bob."""
    pair(clock.daemon, bob)
    return clock.daemon, bob


@pytest.fixture
def let_pass(clock, deep):
    """let_pass(SECONDS), for Alice: in the long form really, in the short one by her clock."""
    passed = 0

    def wait(seconds):
        nonlocal passed
        passed += seconds
        if deep:
            time.sleep(seconds)
        else:
            clock.set(f"+{passed}")
    return wait


def stop(daemon):
    """Returns when it stands still."""
    daemon.process.send_signal(signal.SIGSTOP)
    stat = pathlib.Path(f"/proc/{daemon.process.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(") ")[2].startswith("T"), "its stop")


def go_on(daemon):
    daemon.process.send_signal(signal.SIGCONT)


def test_a_stop_is_not_the_silence_of_the_peer(acquainted, let_pass, result):
    """What was answered meanwhile is read before anything counts as unanswered."""
    alice, bob = acquainted
    links = links_made(alice)
    stop(bob)
    asking = alice.control()
    asking.ask("peer.ping", name="bob")
    alice.ctl("send", "-p", "bob", "--wait=sent", "anybody there?")
    stop(alice)
    go_on(bob)
    eventually(lambda: bob.received() == ["anybody there?"], "the message")
    bob.rpc("status")  # by then he has answered
    let_pass(STOP_S)
    go_on(alice)
    assert asking.read()["result"]["rtt_ms"] >= 1000 * STOP_S
    eventually(lambda: alice.peer("bob")["queued"] == 0, "the acknowledgement")
    assert links_made(alice) == links, "the link was given up"
    result(f"SIGSTOP for {STOP_S} s of a daemon that waits for answers: it finds them, and keeps "
           "its link")


def test_a_peer_that_stands_still_gets_everything_once(acquainted, let_pass, result):
    """It is given up meanwhile, and then finds the same messages on its old link and on a new one."""
    alice, bob = acquainted
    follower = bob.client("follow", "-o", "cat", "--after", 0)
    alice.ctl("send", "-p", "bob", "--lines", "--wait", input=lines(0, 200))
    stop(bob)
    alice.ctl("send", "-p", "bob", "--lines", "--wait=sent", input=lines(200, 400))
    for _ in range(2):
        let_pass(STOP_S / 2)
        alice.rpc("status")  # which lets it look at its clock
    eventually(lambda: alice.peer("bob")["link"] != "online", "that it is given up")
    go_on(bob)
    alice.ctl("send", "-p", "bob", "--lines", "--wait", input=lines(400, 600))
    assert bob.received() == [str(n) for n in range(600)]
    assert follower.take(600) == [str(n) for n in range(600)]
    result(f"SIGSTOP of the receiver for {STOP_S} s: 600 messages, once and in order")
