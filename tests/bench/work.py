"""What one message takes of processor and kernel, from `send` until it is known to be delivered.

These figures repeat, whatever else the machine does.
"""

import callgrind
import harness
import strace
from harness import BUILD
from scene import linked
from table import Row

FEW, MANY = 20, 80  # what besides messages happens in a run is in both, and so in neither
SLOW_S = 120  # patience with a program under callgrind

# Callgrind can't run what has confined itself.
UNCONFINED = BUILD / "plain" / "build" / "p2pchatd"


def deliver(alice, count):
    """Sends messages, each when the one before is delivered."""
    control = alice.control()
    for _ in range(count):
        accepted = control.call("message.send", peer="bob", body="hello, as people write it")
        control.call("message.wait", id=accepted["messages"][0]["id"], state="delivered")
    control.end()


def observe(daemons, tool, count):
    """Where `tool` has written about each daemon while `count` messages were delivered."""
    alice, bob = daemons
    outputs = [daemon.home / f"{tool.__name__}.{count}" for daemon in daemons]
    for daemon, output in zip(daemons, outputs):
        daemon.prefix = tool.command(output)
        daemon.start()
    alice.wait_online(bob)
    deliver(alice, count)
    for daemon in daemons:
        daemon.stop()
    return outputs


def per_message(daemons, tool, read):
    """What one message adds to a number that is read from what the tool has written."""
    few, many = ([read(output) for output in observe(daemons, tool, count)]
                 for count in (FEW, MANY))
    return [(more - less) / (MANY - FEW) for less, more in zip(few, many)]


def calls_per_message(daemons):
    """All calls, and those that wait for the disk."""
    few, many = ([strace.calls(output) for output in observe(daemons, strace, count)]
                 for count in (FEW, MANY))
    for less, more in zip(few, many):
        more.subtract(less)
    return [[sum(seen[name] for name in names or seen) / (MANY - FEW) for seen in many]
            for names in (None, ("fdatasync", "fsync"))]


def rows(_):
    harness.PATIENCE_S = SLOW_S
    with linked() as daemons:
        for daemon in daemons:
            daemon.stop()
        calls, syncs = calls_per_message(daemons)
        for daemon in daemons:
            daemon.program = UNCONFINED
        counts = per_message(daemons, callgrind, callgrind.instructions)
    for who, count, called, synced in zip(("sender", "receiver"), counts, calls, syncs):
        yield Row(f"one message, instructions of the {who}", count, "")
        yield Row(f"one message, system calls of the {who}", called, "")
        yield Row(f"one message, syncs of the {who}", synced, "", 1, "one commit")
