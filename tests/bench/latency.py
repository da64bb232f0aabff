"""How long a message takes from `send` to `follow`."""

import json
import subprocess
import time

import limits
from harness import environment
from scene import linked
from table import Row

ROUNDS = 300
COMMAND_ROUNDS = 60
BESIDE = "2 SQLite commits, RSA-2048 signature and check, 3 socket hops"


class Least:
    """What nobody can leave out: each side's commit, the signature, and the way through the sockets."""

    def __init__(self, home):
        self.table = limits.Table(home / "limit.db")
        self.fixed = sum(limits.rsa_2048()) + 2 * limits.one_way("unix") + limits.one_way("tcp")

    def again(self):
        commits = (limits.timed(lambda: self.table.commit(1, 200)) for _ in range(2))
        return self.fixed + sum(commits)


def through_sockets(alice, bob, least):
    """Seconds to the reader, seconds until the sender knows, and the limit, of each round."""
    sender, reader = alice.control(), bob.follow("message.received")
    watcher = alice.follow("message.state")
    request = json.dumps({"id": 1, "method": "message.send",
                          "params": {"peer": "bob", "body": "hello"}}).encode() + b"\n"
    for _ in range(ROUNDS):
        start = time.perf_counter()
        sender.write(request)
        reader.reader.readline()
        arrived = time.perf_counter() - start
        while watcher.read()["params"]["message"]["state"] != "delivered":
            continue
        confirmed = time.perf_counter() - start
        sender.read()
        yield arrived, confirmed, least.again()


def through_commands(alice, bob):
    """Seconds from the start of `p2pchatctl send` to the line of `p2pchatctl follow`."""
    follower = subprocess.Popen(bob.command("follow", "-o", "cat"), stdout=subprocess.PIPE,
                                env=environment(bob.home))
    command = alice.command("-q", "send", "-p", "bob", "hello")
    send = lambda: subprocess.run(command, check=True, env=environment(alice.home))  # noqa: E731
    send()
    follower.stdout.readline()  # it listens now
    for _ in range(COMMAND_ROUNDS):
        start = time.perf_counter()
        running = subprocess.Popen(command, env=environment(alice.home))
        follower.stdout.readline()
        yield time.perf_counter() - start
        running.wait()
    follower.terminate()
    follower.wait()


def rows(_):
    with linked() as (alice, bob):
        least = Least(alice.home)
        arrived, confirmed, limit = zip(*through_sockets(alice, bob, least))
        for percent in (50, 99):
            yield Row(f"message, send to follow, p{percent}", limits.percentile(arrived, percent),
                      "s", limits.percentile(limit, percent), BESIDE)
        yield Row("message, send to delivered, p50", limits.middle(confirmed), "s",
                  limits.middle(limit), BESIDE)
        yield Row("the same by commands, p50", limits.middle(list(through_commands(alice, bob))),
                  "s", limits.middle(arrived), "the message through the sockets")
