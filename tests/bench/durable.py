"""How many messages a second are safe on disk."""

import json

import limits
from scene import linked, scene
from table import Row

SLICES = 5  # taken in turns, so that what disturbs one disturbs the other
ALONE = 300
LINES = 2000
WINDOW = 64  # messages that `send --lines` has under way
SIZE = 100


def in_turns(calls, count):
    """Calls a second of each, as the median over the slices."""
    rates = [[] for _ in calls]
    for _ in range(SLICES):
        for call, seen in zip(calls, rates):
            seen.append(count / limits.timed(call))
    return [limits.middle(seen) for seen in rates]


def repeat(call, count):
    def many():
        for _ in range(count):
            call()
    return many


def in_groups(table):
    return repeat(lambda: table.commit(WINDOW, SIZE), LINES // WINDOW)


def texts(count):
    return b"".join(b"%0*d\n" % (SIZE, number) for number in range(count))


def one_at_a_time(daemon, table, file):
    control = daemon.control()
    request = json.dumps({"id": 1, "method": "message.send",
                          "params": {"peer": "nobody", "body": "x" * SIZE}}).encode() + b"\n"

    def send():
        control.write(request)
        control.reader.readline()

    calls = [send, lambda: table.commit(1, SIZE), file.append]
    sent, committed, synced = in_turns([repeat(call, ALONE) for call in calls], ALONE)
    yield Row("messages accepted, one at a time", sent, "/s", committed, "SQLite commits")
    yield Row("SQLite commits themselves", committed, "/s", synced, "fdatasync of a page")


def rows(_):
    with scene() as start:
        daemon = start("daemon")
        daemon.add_nobody()
        table, file = limits.Table(daemon.home / "t.db"), limits.File(daemon.home / "file")
        groups = in_groups(table)
        yield from one_at_a_time(daemon, table, file)
        sent, committed = in_turns([daemon.feed(texts(LINES), "-p", "nobody"), groups], LINES)
        yield Row("messages accepted, send --lines", sent, "/s", committed,
                  f"SQLite rows, {WINDOW} in a commit")
    with linked() as (alice, bob):
        groups = in_groups(limits.Table(alice.home / "t.db"))
        delivered, committed = in_turns([alice.feed(texts(LINES), "-p", "bob", "--wait"), groups],
                                        LINES)
        yield Row("messages delivered, send --lines --wait", delivered, "/s", committed,
                  f"SQLite rows, {WINDOW} in a commit")
