"""A million stored messages: start, status and memory stay small."""

import subprocess

from harness import BUILD, Control
from usage import cpu_seconds, resident_kib

FILL = BUILD / "tests" / "faults" / "fill"
SLOW = 5 if "sanitized" in BUILD.parts else 1
CALLS = 100


def cost(pid, call):
    """The processor time of a call, in seconds."""
    before = cpu_seconds(pid)
    for _ in range(CALLS):
        call()
    return (cpu_seconds(pid) - before) / CALLS


def test_many_stored_messages(daemon, deep, result):
    count = 1_000_000 if deep else 200_000
    one = daemon("one", config='log-level = "info"\nretention = "forever"\n')
    one.ctl("peer", "add", "nobody", "--fingerprint", "SHA256:" + "A" * 43)
    one.stop()
    subprocess.run([FILL, one.state, str(count)], check=True)
    one.start()
    pid = one.process.pid
    started = cpu_seconds(pid)
    control = Control(one.socket)
    status = control.call("status")
    assert status["store"]["messages"] == count
    assert len(one.history(limit=100)) == 100
    asked = cost(pid, lambda: control.call("status"))
    listed = cost(pid, lambda: control.call("history.list", limit=100))
    control.call("message.send", peer="nobody", body="one more")
    control.end()
    resident = resident_kib(pid)
    result(f"{count:,} stored messages ({status['store']['file_bytes'] >> 20} MiB), in processor "
           f"time: start {started:.2f} s, status {asked * 1000:.1f} ms, last 100 messages "
           f"{listed * 1000:.1f} ms; {resident / 1024:.0f} MiB resident")
    assert started <= 2 * SLOW
    assert asked <= 0.005 * SLOW, "status looks at every message"
    assert listed <= 0.05 * SLOW, "the newest messages are searched for among all"
    assert resident <= 64 * 1024 * SLOW
