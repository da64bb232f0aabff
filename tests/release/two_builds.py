#!/usr/bin/python3
"""Two builds of p2pchat talk, in each role.

    two_builds.py FOLDER NAME[=LIBRARIES]...

FOLDER/NAME holds p2pchatd and p2pchatctl; the daemon takes shared libraries from FOLDER/LIBRARIES/lib
first. Prints a line for each pair: who was dialled, who dialled, and the suite that both say they
speak; then one for each pair of which the dialling side requires the post-quantum suite.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
UNABLE = 76  # exit status: what is demanded can't be had
HOST_ADDRESS, JOINER_ADDRESS = "127.0.0.1:8766", "127.0.0.2:8766"


class Daemon:
    def __init__(self, folder, name, home, address):
        program, _, libraries = name.partition("=")
        self.programs, self.home = folder / program, home
        libraries = {"LD_LIBRARY_PATH": str(folder / libraries / "lib")} if libraries else {}
        self.process = subprocess.Popen(
            [self.programs / "p2pchatd", "--state-dir", home / "state", "--control", home / "socket",
             "--listen", address], env=dict(os.environ, **libraries), stderr=subprocess.DEVNULL)
        eventually(lambda: subprocess.run(
            [self.programs / "p2pchatctl", "-s", home / "socket", "rpc", "hello"],
            capture_output=True).returncode == 0, f"an answer of {name}")
        self.fingerprint = self.ctl("fingerprint").split()[0]

    def ctl(self, *arguments, expect=0):
        done = subprocess.run([self.programs / "p2pchatctl", "-s", self.home / "socket", *arguments],
                              capture_output=True, text=True)
        if done.returncode not in (0, expect):
            sys.exit(f"{arguments}: exit status {done.returncode}: {done.stderr}")
        return done.stderr.strip() if done.returncode else done.stdout

    def peer(self):
        return json.loads(self.ctl("--json", "peer", "show", "other"))

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


def eventually(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"never came: {what}")
        time.sleep(0.05)


def pair(folder, names, *demand):
    """What comes of a joiner that dials a host: the suite, or why there is no session."""
    with tempfile.TemporaryDirectory() as home:
        homes = [pathlib.Path(home, side) for side in ("host", "joiner")]
        for path in homes:
            path.mkdir()
        host = Daemon(folder, names[0], homes[0], HOST_ADDRESS)
        joiner = Daemon(folder, names[1], homes[1], JOINER_ADDRESS)
        try:
            host.ctl("peer", "add", "other", "--fingerprint", joiner.fingerprint)
            said = joiner.ctl("peer", "add", "other", HOST_ADDRESS, "--fingerprint", host.fingerprint,
                              *demand, expect=UNABLE)
            if said.startswith("p2pchatctl: "):
                return said
            eventually(lambda: "suite" in joiner.peer() or joiner.peer().get("last_error"),
                       f"a session of {names}")
            if "suite" not in joiner.peer():
                return joiner.peer()["last_error"]
            for side in (host, joiner):
                side.ctl("wait-online", "other", "--timeout", str(PATIENCE_S))
                side.ctl("send", "-p", "other", "--wait", "across releases")
            suites = {side.peer()["suite"] for side in (host, joiner)}
            assert len(suites) == 1, suites
            [suite] = suites
            says = {"post-quantum" in side.ctl("peer", "show", "other") for side in (host, joiner)}
            assert says == {suite == 2}
            return f"suite {suite}"
        finally:
            joiner.end()
            host.end()


def main():
    folder, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    for demand in ([], ["--require-pq=yes"]):
        for host in names:
            for joiner in names:
                print(*demand, f"{host} <- {joiner}: {pair(folder, (host, joiner), *demand)}", flush=True)


if __name__ == "__main__":
    main()
