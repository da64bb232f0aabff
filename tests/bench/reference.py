"""p2pchat beside a pair of daemons that does the least for the same promises, mosquitto and ncat.

See reference.c for what that pair does.
"""

import contextlib
import json
import os
import socket
import subprocess
import time

import limits
import rivals
from harness import environment
from process import DEVNULL
from table import Row

SLICES = 5  # taken in turns, so that what disturbs one disturbs the others
SMALL, LARGE = (100, 4000), (65536, 96)  # bytes and lines of a slice
ROUNDS, PROCESS_ROUNDS = 200, 60
TEXT = b"x" * 100


def lines(size, count):
    return b"".join(b"%0*d\n" % (size - 1, number) for number in range(count))


def measure(carriers, size, count):
    """Of each: messages a second, the median over the slices, and processor seconds of one."""
    rates, spent = {name: [] for name in carriers}, {name: 0 for name in carriers}
    for _ in range(SLICES):
        for name, rival in carriers.items():
            share = count // rival.slowness
            text, before = lines(size, share), rival.seconds()
            rates[name].append(share / limits.timed(lambda: rival.carry(text)))
            spent[name] += (rival.seconds() - before) / share
    return ({name: limits.middle(seen) for name, seen in rates.items()},
            {name: seconds / SLICES for name, seconds in spent.items()})


def throughput(carriers, size, count, unit, scale):
    what = "100 B messages" if size == SMALL[0] else "64 KiB messages"
    rates, spent = measure(carriers, size, count)
    for name, rate in list(rates.items())[1:]:
        yield Row(f"{what}, delivered", rates["p2pchat"] * scale, unit, rate * scale, name)
    for name, seconds in list(spent.items())[1:]:
        yield Row(f"{what}, processor time of all", spent["p2pchat"], "s", seconds, name)


# --- one message -----------------------------------------------------------------------------


class Sockets:
    """A connection that sends and one that follows, of each of the two."""

    def __init__(self, ours, theirs):
        self.ours = ours.alice.control(), ours.bob.follow("message.received")
        self.request = json.dumps({"id": 1, "method": "message.send",
                                   "params": {"peer": "bob", "body": TEXT.decode()}}).encode() + b"\n"
        self.theirs = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for end, name in zip(self.theirs, ("in", "out")):
            end.connect(str(theirs.home / name))
        self.theirs[1].recv(1)

    def p2pchat(self):
        """Seconds from one end to the other."""
        (sender, reader), start = self.ours, time.perf_counter()
        sender.write(self.request)
        reader.reader.readline()
        seconds = time.perf_counter() - start
        sender.read()
        return seconds

    def reference(self):
        (sender, reader), start = self.theirs, time.perf_counter()
        sender.sendall(TEXT + b"\n")
        reader.recv(4096)
        seconds = time.perf_counter() - start
        while b"d" not in sender.recv(4096):
            continue
        return seconds


def in_turns(calls, rounds):
    return zip(*([call() for call in calls] for _ in range(rounds)))


def one_message(ours, theirs):
    sockets = Sockets(ours, theirs)
    seen, least = in_turns([sockets.p2pchat, sockets.reference], ROUNDS)
    for percent in (50, 99):
        yield Row(f"one message, in to out, p{percent}", limits.percentile(seen, percent), "s",
                  limits.percentile(least, percent), "the reference")


def send_once(rival, command, line):
    """Seconds until the process has ended, and until the line is out."""
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment(rival.home), file_actions=DEVNULL)
    rival.expect(line)
    out = time.perf_counter() - start
    _, status, _ = os.wait4(pid, 0)
    assert status == 0, command
    return out


def one_process(ours, theirs):
    """The end of the process may come before or after the line is out: each is measured alone."""
    sends = [[str(word) for word in words] for words in
             (ours.alice.command("-q", "send", "-p", "bob", "hello"),
              [rivals.CLIENT, "accepted", theirs.home / "in", "hello"])]
    calls = [lambda rival=rival, words=words: send_once(rival, words, b"hello\n")
             for rival, words in zip((ours, theirs), sends)]
    seen, least = in_turns(calls, PROCESS_ROUNDS)
    yield Row("`send` as a process, until out", limits.middle(seen), "s", limits.middle(least),
              "the reference")

    def until_exit(rival, words):
        seconds = limits.timed(lambda: subprocess.run(words, check=True, close_fds=False,
                                                      stdout=subprocess.DEVNULL,
                                                      env=environment(rival.home)))
        rival.expect(b"hello\n")
        return seconds
    calls = [lambda rival=rival, words=words: until_exit(rival, words)
             for rival, words in zip((ours, theirs), sends)]
    seen, least = in_turns(calls, PROCESS_ROUNDS)
    yield Row("`send` as a process, until its end", limits.middle(seen), "s",
              limits.middle(least), "the reference")


def rows(_):
    with contextlib.ExitStack() as stack:
        names = {"p2pchat": rivals.p2pchat(), "the reference": rivals.reference(),
                 "mosquitto, QoS 1, saved": rivals.mosquitto(True),
                 "mosquitto, QoS 1": rivals.mosquitto(False), "ncat": rivals.ncat()}
        entered = {name: stack.enter_context(rival) for name, rival in names.items()}
        present = {name: rival for name, rival in entered.items() if rival is not None}
        ours, theirs = present["p2pchat"], present["the reference"]
        yield from one_message(ours, theirs)
        for rival in (ours, theirs):  # the other follower has seen them, too
            rival.expect((TEXT + b"\n") * ROUNDS)
        yield from one_process(ours, theirs)
        yield from throughput(present, *SMALL, "/s", 1)
        durable = {"p2pchat": ours, "the reference": theirs}
        yield from throughput(durable, *LARGE, "B/s", LARGE[0])
