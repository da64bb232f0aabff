"""A million stored messages: start, status and memory stay small."""

import subprocess
import time

from harness import BUILD, P2PCHATD, Control, environment, eventually

FILL = BUILD / "tests" / "faults" / "fill"
SLOW = 5 if "sanitized" in BUILD.parts else 1


def usual_time(call):
    """The middle one of many, in seconds: not that of a machine that was busy."""
    times = []
    for _ in range(21):
        start = time.monotonic()
        call()
        times.append(time.monotonic() - start)
    return sorted(times)[len(times) // 2]


def test_many_stored_messages(daemon, deep, result):
    count = 1_000_000 if deep else 200_000
    one = daemon("one", config='log-level = "info"\nretention = "forever"\n')
    one.ctl("peer", "add", "nobody", "--fingerprint", "SHA256:" + "A" * 43)
    one.stop()
    subprocess.run([FILL, one.state, str(count)], check=True)
    start = time.monotonic()
    one.start()
    started = time.monotonic() - start
    control = Control(one.socket)
    status = control.call("status")
    assert status["store"]["messages"] == count
    assert len(one.history(limit=100)) == 100
    asked = usual_time(lambda: control.call("status"))
    listed = usual_time(lambda: control.call("history.list", limit=100))
    control.call("message.send", peer="nobody", body="one more")
    control.end()
    resident = next(int(line.split()[1]) for line in open(f"/proc/{one.process.pid}/status",
                                                          encoding="ascii") if "VmRSS" in line)
    result(f"{count:,} stored messages ({status['store']['file_bytes'] >> 20} MiB): start to READY "
           f"{started:.2f} s, status {asked * 1000:.1f} ms, last 100 messages "
           f"{listed * 1000:.0f} ms, {resident / 1024:.0f} MiB resident")
    assert started <= 2 * SLOW
    assert asked <= 0.01 * SLOW, "status looks at every message"
    assert listed <= 0.1 * SLOW, "the newest messages are searched for among all"
    assert resident <= 64 * 1024 * SLOW
