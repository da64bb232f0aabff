"""kill -9 at every write of a request's life, of the one who asks and of the one who is asked: it never runs
twice, and is always answered.
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
    """Kills a daemon when it makes a system call for the n-th time from now on."""

    def __init__(self, daemon, call, n):
        self.daemon = daemon
        self.process = subprocess.Popen(
            ["strace", "-f", "-p", str(daemon.process.pid), "-o", "/dev/null", "-e", f"trace={call}",
             "-e", "signal=none", "-e", f"inject={call}:signal=SIGKILL:when={n}"],
            stderr=subprocess.PIPE)
        assert b"attached" in self.process.stderr.readline()  # only now is nothing missed

    def struck(self):
        return self.daemon.process.poll() is not None

    def end(self):
        """Whether it was killed; if so it runs again."""
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE_S)
        if not self.struck():
            return False
        self.daemon.process = None
        self.daemon.start()
        return True


def asked_once(alice, n):
    """The n-th request, which is asked again if nobody knows whether it was."""
    return alice.rpc("message.ask", peer="bob", service="it", body="x", timeout_s=600, client_id=str(n))["id"]


def settled(alice, bob, id):
    """Whether a request is answered, and bob knows that alice knows."""
    return (alice.rpc("message.get", id=id)["state"] == "processed" and
            not bob.history(queued=True))


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("victim", [0, 1], ids=["asker", "asked"])
def test_a_request_survives_a_crash_at_each_write(paired, tmp_path, victim, call):
    alice, bob = paired
    file = tmp_path / "runs"
    with serving(bob, f"echo $P2PCHAT_ID >> {file}"):
        for n in itertools.count(1):
            killer = Killer(paired[victim], call, n)
            try:
                id = asked_once(alice, n)
                eventually(lambda: killer.struck() or settled(alice, bob, id), "the answer")
            except NO_ANSWER:
                assert killer.daemon.process.wait(timeout=PATIENCE_S) != 0
            killed = killer.end()
            id = asked_once(alice, n)
            outcome = result_of(alice, id)["result"]["outcome"]
            assert outcome in ("exited", "interrupted")
            assert runs(file).count(id) in ([1] if outcome == "exited" else [0, 1])
            assert requests(bob)["waiting"] == requests(bob)["running"] == 0
            if not killed:
                break
            bob.wait_online(alice)
    assert n > 3  # it was killed at all
    assert len(set(runs(file))) == len(runs(file)) and outcome == "exited"
