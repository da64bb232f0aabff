"""kill -9 of either side at random moments under load: nothing lost, nothing twice, all in order."""

import random
import threading
import time

from harness import Control, eventually, pair

WINDOW = 32  # requests without an answer
PAUSE_S = 0.004  # between messages, so that the histories stay readable


class Sender(threading.Thread):
    """Sends numbers one after the other for as long as it is told to, whatever happens to its daemon.

    A request that was not answered is made again with the same client_id, so each number is accepted
    in the end, and none may be twice.
    """

    def __init__(self, daemon, peer):
        super().__init__(daemon=True)
        self.source = daemon
        self.peer = peer
        self.accepted = []  # (number, id), in the order of the answers
        self.stopped = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not (self.stopped.is_set() and self.answered == self.asked):
                try:
                    self.talk()
                except (OSError, ConnectionError, AssertionError, EOFError):
                    time.sleep(0.005)  # it is dead at the moment
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    answered = asked = 0

    def ask(self, control, number):
        control.write({"jsonrpc": "2.0", "id": number, "method": "message.send", "params": {
            "peer": self.peer, "body": str(number), "client_id": f"n{number}"}})

    def talk(self):
        """One connection: first what was not answered by the last one, then new numbers."""
        control = Control(self.source.socket)
        try:
            for number in range(self.answered, self.asked):
                self.ask(control, number)
            while True:
                if self.asked - self.answered < WINDOW and not self.stopped.is_set():
                    self.asked += 1
                    self.ask(control, self.asked - 1)
                    time.sleep(PAUSE_S)
                if self.asked - self.answered >= WINDOW // 2 or self.stopped.is_set():
                    while self.answered < self.asked:
                        self.take(control)
                    if self.stopped.is_set():
                        return
        finally:
            control.end()

    def take(self, control):
        reply = control.read()
        if reply is None or reply.get("error", {}).get("data", {}).get("kind") == "stopping":
            raise EOFError
        assert reply["id"] == self.answered
        if "error" in reply:
            raise RuntimeError(f"not accepted: {reply}")
        [message] = reply["result"]["messages"]
        self.accepted.append((str(reply["id"]), message["id"]))
        self.answered += 1


def history(daemon, direction):
    """(text, id) of everything that came in or went out, oldest first."""
    found, before = [], 0
    while True:
        page = daemon.history(limit=5000, **({"before": before} if before else {}))
        found = [(m["body"], m["id"]) for m in page if m["direction"] == direction] + found
        if not page or (before := page[0]["seq"]) == 1:
            return found


def compare(accepted, arrived):
    """How many were lost, came twice, and came out of order."""
    ids = [id for _, id in arrived]
    lost = len(set(accepted) - set(arrived))
    twice = len(ids) - len(set(ids)) + len(set(ids) - {id for _, id in accepted})
    order = [number for number, _ in arrived]
    disorder = sum(int(one) > int(other) for one, other in zip(order, order[1:]))
    return lost, twice, disorder


def revive(random_, killed, other):
    """Starts it again; often, but not always, the link is back before the next kill."""
    killed.start()
    if random_.random() < 0.1:
        return
    killed.rpc("peer.connect", name=other.name)
    if random_.random() < 0.8:
        eventually(lambda: killed.peer(other.name)["link"] == "online", "the link")
    time.sleep(random_.random() * 0.06)


def test_kill(daemon, deep, result):
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    random_ = random.Random(seed)
    quiet = 'log-level = "warning"\n'
    alice, bob = daemon("alice", config=quiet), daemon("bob", config=quiet)
    pair(alice, bob)
    bob.rpc("peer.set", name="alice", address=[alice.address])
    senders = [Sender(alice, "bob"), Sender(bob, "alice")]
    for sender in senders:
        sender.start()
    kills = {alice: 0, bob: 0}
    each = 1000 if deep else 50
    start = time.monotonic()
    while min(kills.values()) < each:
        victim = random_.choice([one for one in kills if kills[one] < each])
        victim.kill()
        kills[victim] += 1
        revive(random_, victim, bob if victim is alice else alice)
        assert not [s.failure for s in senders if s.failure], "a sender was refused"
    for sender in senders:
        sender.stopped.set()
        sender.join()
        assert sender.failure is None
    for one, other in ((alice, bob), (bob, alice)):
        one.rpc("peer.connect", name=other.name)
        eventually(lambda one=one, other=other: one.peer(other.name)["queued"] == 0, "delivery")
    seconds = time.monotonic() - start
    totals = [0, 0, 0]
    for sender, receiver in zip(senders, (bob, alice)):
        sent = history(sender.source, "out")
        arrived = history(receiver, "in")
        assert compare(sender.accepted, sent) == (0, 0, 0), "the sender's own history"
        found = compare(sender.accepted, arrived)
        totals = [total + more for total, more in zip(totals, found)]
        assert arrived == sender.accepted or any(found)
    lost, twice, disorder = totals
    result(f"{kills[alice]:,} kills of one side and {kills[bob]:,} of the other in {seconds:.0f} s, "
           f"{sum(len(s.accepted) for s in senders):,} messages accepted: {lost} lost, "
           f"{twice} duplicated, {disorder} out of order (seed {seed})")
    assert totals == [0, 0, 0]
