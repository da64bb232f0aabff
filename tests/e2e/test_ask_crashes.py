"""kill -9 at every write of a request's life, of the one who asks and of the one who is asked, and at every
system call of who provides: it never runs twice, and is always answered.
"""

import itertools
import shutil
import subprocess

import pytest

from harness import PATIENCE_S, eventually
from test_ask import requests, result_of, runs, serving

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

# What a call meets that comes to a daemon which is gone, or goes meanwhile.
NO_ANSWER = (OSError, TypeError, AssertionError)


class Killer:
    """Kills a process when it makes such a system call for the n-th time from now on."""

    def __init__(self, victim, call, n):
        self.victim = victim
        self.tracer = subprocess.Popen(
            ["strace", "-p", str(victim.pid), "-o", "/dev/null", "-e", f"trace={call}", "-e", "signal=none",
             "-e", f"inject={call}:signal=SIGKILL:when={n}"], stderr=subprocess.PIPE)
        assert b"attached" in self.tracer.stderr.readline()  # only now is nothing missed

    def struck(self):
        return self.victim.poll() is not None

    def end(self):
        """Whether it was killed."""
        self.tracer.terminate()
        self.tracer.communicate(timeout=PATIENCE_S)
        return self.struck()


def asked_once(alice, n):
    """The n-th request, which is asked again if nobody knows whether it was."""
    return alice.rpc("message.ask", peer="bob", service="it", body="x", timeout_s=600, client_id=str(n))["id"]


def settled(alice, bob, id):
    """Whether a request is answered, and bob knows that alice knows."""
    return alice.rpc("message.get", id=id)["state"] == "processed" and not bob.history(queued=True)


def checked(alice, bob, id, file):
    """The outcome of a request, which fits to what ran."""
    outcome = result_of(alice, id)["result"]["outcome"]
    assert outcome in ("exited", "interrupted")
    assert runs(file).count(id) in ([1] if outcome == "exited" else [0, 1])
    assert requests(bob)["waiting"] == requests(bob)["running"] == 0
    return outcome


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("victim", [0, 1], ids=["asker", "asked"])
def test_a_request_survives_a_crash_at_each_write(paired, tmp_path, victim, call):
    alice, bob = paired
    daemon, file = paired[victim], tmp_path / "runs"
    with serving(bob, f"echo $P2PCHAT_ID >> {file}"):
        for n in itertools.count(1):
            killer = Killer(daemon.process, call, n)
            try:
                id = asked_once(alice, n)
                eventually(lambda: killer.struck() or settled(alice, bob, id), "the answer")
            except NO_ANSWER:
                assert daemon.process.wait(timeout=PATIENCE_S) != 0
            killed = killer.end()
            if killed:
                daemon.process = None
                daemon.start()
            outcome = checked(alice, bob, asked_once(alice, n), file)
            if not killed:
                break
            bob.wait_online(alice)
    assert n > 3  # it was killed at all
    assert outcome == "exited" and len(set(runs(file))) == len(runs(file))


def test_a_request_survives_a_crash_of_its_provider_at_each_call(paired, tmp_path):
    alice, bob = paired
    file = tmp_path / "runs"
    for n in itertools.count(1):
        with serving(bob, f"echo $P2PCHAT_ID >> {file}") as provider:
            killer = Killer(provider.process, "all", n)
            id = asked_once(alice, n)
            eventually(lambda: killer.struck() or settled(alice, bob, id), "the answer")
            killed = killer.end()
            if not killed:
                break
        with serving(bob, f"echo $P2PCHAT_ID >> {file}"):  # what was not claimed waits for the next
            checked(alice, bob, id, file)
    assert n > 5  # it was killed at all
    assert checked(alice, bob, id, file) == "exited" and len(set(runs(file))) == len(runs(file))
