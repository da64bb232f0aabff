"""How long a daemon takes from its start until it tells its manager that it is ready."""

import os
import signal
import socket
import subprocess
import time

import limits
from harness import BUILD, P2PCHATD, environment
from process import DEVNULL, once
from scene import scene
from table import Row

FILL = BUILD / "tests" / "faults" / "fill"
ROUNDS = 7


def until_ready(daemon):
    """Seconds to READY=1. The daemon is ended again."""
    words = [str(word) for word in (P2PCHATD, *daemon.options)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = daemon.home / "notify.sock"
        manager.bind(str(path))
        manager.settimeout(60)
        start = time.perf_counter()
        pid = os.posix_spawn(words[0], words, dict(environment(daemon.home),
                                                   NOTIFY_SOCKET=str(path)), file_actions=DEVNULL)
        while b"READY=1" not in manager.recv(4096).split(b"\n"):
            continue
        seconds = time.perf_counter() - start
        path.unlink()
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    return seconds


def read_all(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            continue


def rows(options):
    with scene() as start:
        daemon = start("daemon", config='retention = "forever"\n')
        daemon.add_nobody()
        daemon.stop()
        empty = limits.middle([until_ready(daemon) for _ in range(ROUNDS)])
        yield Row("start to READY, empty store", empty, "s", limits.middle(
            [once([P2PCHATD, "--version"], environment(daemon.home)).wall for _ in range(ROUNDS)]),
                  "p2pchatd --version")
        subprocess.run([FILL, daemon.state, str(options.messages)], check=True)
        until_ready(daemon)  # what is left in the log goes to the file
        full = limits.middle([until_ready(daemon) for _ in range(ROUNDS)])
        reading = limits.middle([limits.timed(lambda: read_all(daemon.state / "p2pchat.db"))
                                 for _ in range(ROUNDS)])
        yield Row(f"start to READY, {options.messages:,} messages", full, "s", empty + reading,
                  "the empty start, and reading the file once")
