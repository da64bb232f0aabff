"""Write calls that fail one by one: a full disk at each of the first, a broken one at each sync."""

import shutil
import subprocess

import pytest

from harness import P2PCHATD, PATIENCE_S, Control, RpcError, environment, eventually

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

DEEP_FULL, DEEP_BROKEN = 300, 60
WRITES = "pwrite64,write,ftruncate,fallocate"


def strace(inject):
    return ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={inject.split(':')[0]}",
            "-e", "signal=none", "-e", f"inject={inject}"]


@pytest.fixture
def made(daemon):
    """A daemon with a peer that is never there, for whom messages wait."""
    one = daemon("one", config='log-level = "info"\n')
    one.ctl("peer", "add", "nobody", "--fingerprint", "SHA256:" + "A" * 43)
    one.stop()
    return one


# What a call meets that comes to a daemon which is gone, or goes meanwhile: no socket, no reply, or
# half of one.
NO_ANSWER = (OSError, TypeError, AssertionError)


def stop(daemon):
    """Ends it, if it doesn't end by itself."""
    try:
        daemon.rpc("daemon.stop")
    except (*NO_ANSWER, RpcError):
        pass


def send_many(daemon, first, count=8):
    """Sends until the daemon is gone. The texts it accepted, and the kinds of what it refused."""
    accepted, refused = [], []
    try:
        control = Control(daemon.socket)
    except OSError:
        return accepted, refused
    for number in range(first, first + count):
        try:
            control.call("message.send", peer="nobody", body=f"text {number}")
            accepted.append(f"text {number}")
        except RpcError as error:
            refused.append(error.kind)
        except NO_ANSWER:
            break
    control.end()
    return accepted, refused


def start_broken(daemon, prefix):
    """Starts it so that it fails at some time. Its process; it may have ended already."""
    with open(daemon.log, "ab") as log:
        process = subprocess.Popen([*prefix, P2PCHATD, *map(str, daemon.options)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=environment(daemon.home))

    def answers_or_ended():
        if process.poll() is not None:
            return True
        try:
            daemon.rpc("hello")
            return True
        except NO_ANSWER:
            return False

    eventually(answers_or_ended, "an answer or the end")
    return process


def texts(daemon):
    return [message["body"] for message in daemon.history(limit=10000)]


def test_nothing_is_acknowledged_after_a_sync_that_failed(made, deep, result):
    stored, fired = [], 0
    kinds = set()
    for call in ("fsync", "fdatasync"):
        for k in range(1, (DEEP_BROKEN if deep else 10) + 1):
            process = start_broken(made, strace(f"{call}:error=EIO:when={k}+"))
            accepted, refused = send_many(made, first=len(stored) * 10 + k * 1000)
            if not refused:
                stop(made)
            status = process.wait(timeout=PATIENCE_S)
            fired += status != 0
            kinds |= set(refused)
            assert status in (0, 74), f"{call} {k}: {made.text_of_log()[-2000:]}"
            assert status == 74 or not refused
            made.start()
            found = texts(made)
            assert found[:len(stored)] == stored
            assert [text for text in found[len(stored):] if text in accepted] == accepted
            # What was in the turn that failed may be there, but it was not promised.
            assert len(found) <= len(stored) + len(accepted) + 1
            stored = found
            made.stop()
    assert fired > 0
    assert kinds == {"store_error"}
    result(f"EIO at the k-th sync, k = 1..{k}: {fired} failures, each ended with status 74; "
           f"all {len(stored)} accepted messages were there afterwards")


def test_a_disk_that_is_full_at_one_write_call_costs_no_more_than_that(made, deep, result):
    stored, fired, kinds = [], 0, set()
    count = DEEP_FULL if deep else 50
    for k in range(1, count + 1):
        # Spread over calls, so that the start, the commits and the checkpoints all get their turn.
        process = start_broken(made, strace(f"{WRITES}:error=ENOSPC:when={k}"))
        accepted, refused = send_many(made, first=k * 1000, count=4)
        kinds |= set(refused)
        fired += bool(refused)
        stop(made)
        status = process.wait(timeout=PATIENCE_S)
        fired += status != 0
        assert status in (0, 71, 74, 78), f"write {k}: {made.text_of_log()[-2000:]}"
        made.start()
        found = texts(made)
        assert found == stored + accepted, f"write {k}"
        stored = found
        made.stop()
    assert fired > 0
    assert kinds <= {"disk_full", "store_error"}
    result(f"ENOSPC at each of the first {count} write calls: {fired} were noticed, "
           f"all {len(stored)} accepted messages were there afterwards")


def test_the_disk_fills_up_and_the_same_daemon_goes_on(made):
    """Every write to the log fails from some time on; then the disk has room again."""
    made.start()
    accepted, _ = send_many(made, first=0)
    tracer = subprocess.Popen(["strace", "-f", "-p", str(made.process.pid), "-o",
                               str(made.home / "trace"), "-e", "trace=pwrite64", "-e",
                               "signal=none", "-e", "inject=pwrite64:error=ENOSPC"],
                              stderr=subprocess.PIPE)
    assert b"attached" in tracer.stderr.readline()  # only now is nothing missed
    more, refused = send_many(made, first=100)
    tracer.terminate()
    tracer.communicate()
    assert more == [] and set(refused) == {"disk_full"}
    last, refused = send_many(made, first=200)
    assert len(last) == 8 and refused == []
    assert texts(made) == accepted + last
