"""A hundred followers that never read: bounded memory, nobody else notices, nothing is lost."""

import statistics
import time

from harness import Control, eventually
from usage import resident_kib

FOLLOWERS = 100
TEXT = "x" * 8000


def latency(alice, bob, count=20):
    """The median time from `message.send` until bob's follower has it."""
    control, follower = alice.control(), bob.control()
    follower.ask("follow", types=["message.received"])
    follower.read()
    while follower.read()["params"]["type"] != "follow.live":
        pass
    times = []
    for _ in range(count):
        start = time.monotonic()
        control.call("message.send", peer="bob", body="ping")
        follower.read()
        times.append(time.monotonic() - start)
    control.end()
    follower.end()
    return statistics.median(times)


def test_followers_that_never_read_cost_little_and_lose_nothing(paired, deep, result):
    alice, bob = paired
    count = 4000 if deep else 600
    before = latency(alice, bob)
    idle = []
    for _ in range(FOLLOWERS):
        control = Control(bob.socket)
        control.ask("follow", after=0)
        idle.append(control)
    eventually(lambda: len(bob.rpc("status")["followers"]) == FOLLOWERS, "the followers")
    start = resident_kib(bob.process.pid)
    alice.ctl("send", "-p", "bob", "--wait", "--lines",
              input="".join(f"{n} {TEXT}\n" for n in range(count)))
    grown = resident_kib(bob.process.pid) - start
    after = latency(alice, bob)
    lags = [follower["lag"] for follower in bob.rpc("status")["followers"]]
    assert min(lags) > count // 4, "they were meant to be behind"
    # 256 KiB of output for each, what one event adds to that, and some for the store's cache.
    assert grown < FOLLOWERS * 400 + 16 * 1024, f"{grown} KiB more"
    # A machine that is busier than it was makes the difference smaller than a second.
    assert after < 4 * before + 1, f"{after * 1000:.1f} ms, before {before * 1000:.1f} ms"
    for control in idle[:5]:
        numbers = []
        while len(numbers) < count:
            line = control.read()
            message = line.get("params", {}).get("message", {})
            if message.get("body", "").endswith(TEXT):
                numbers.append(int(message["body"].split()[0]))
        assert numbers == list(range(count))
    for control in idle:
        control.end()
    result(f"{FOLLOWERS} followers that never read while {count * len(TEXT) // 1000000} MB arrive: "
           f"{grown / 1024:.0f} MiB more memory; latency {before * 1000:.1f} ms before, "
           f"{after * 1000:.1f} ms with them; all {count} messages were there for them afterwards")
