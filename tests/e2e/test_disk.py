"""A disk that is full or fails: a clear refusal, nothing stored is lost, nothing false is promised."""

import os
import resource
import subprocess

import pytest

from harness import PATIENCE_S, pair

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@pytest.fixture
def cramped(daemon, home):
    """A daemon whose state lies on a small file system, and a way to fill that."""
    made = daemon("cramped", started=False)
    made.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", made.state],
                   check=True)
    ballast = made.state / "ballast"

    def fill():
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    made.fill = fill
    made.relieve = ballast.unlink
    try:
        yield made.start()
    finally:
        made.end()
        subprocess.run(["umount", made.state], check=True)


@needs_root
def test_73_is_for_a_full_disk_and_passes_with_it(cramped, bob):
    pair(cramped, bob)
    cramped.ctl("send", "-p", "bob", "--wait", "before")
    cramped.fill()
    text = "x" * 60000
    result = cramped.ctl("--json", "send", "-p", "bob", input=text, expect=73)
    assert result.error["kind"] == "disk_full"
    assert [message["body"] for message in cramped.history()] == ["before"]
    cramped.relieve()
    cramped.ctl("send", "-p", "bob", "--wait", "after")
    assert bob.received() == ["before", "after"]


@needs_root
def test_what_a_full_disk_can_not_take_stays_with_its_sender(cramped, bob):
    pair(bob, cramped)
    cramped.fill()
    text = "x" * 60000
    id = bob.ctl("send", "-p", "cramped", input=text).out.strip()
    bob.ctl("send", "-p", "cramped", "--wait", "--timeout", "0.5", "y", expect=75)
    assert cramped.received() == []
    cramped.relieve()
    bob.rpc("message.wait", id=id, state="delivered")
    bob.ctl("send", "-p", "cramped", "--wait", "end")
    assert cramped.received() == [text, "y", "end"]


def test_74_is_for_a_disk_that_fails_and_nothing_is_accepted_any_more(daemon, bob):
    alice = daemon("alice", prefix=["env", "--ignore-signal=XFSZ"])
    pair(alice, bob)
    bob.stop()
    kept = [alice.ctl("send", "-p", "bob", f"kept {number}").out.strip() for number in range(3)]
    # Every write fails from now on, the same to the store as an I/O error.
    resource.prlimit(alice.process.pid, resource.RLIMIT_FSIZE, (1, 1))
    result = alice.ctl("--json", "send", "-p", "bob", "lost", expect=74)
    assert result.error["kind"] == "store_error"
    assert alice.process.wait(timeout=PATIENCE_S) == 74
    alice.process = None
    alice.start()
    bob.start()
    alice.rpc("message.wait", id=kept[-1], state="delivered")
    assert bob.received() == ["kept 0", "kept 1", "kept 2"]
