"""What these tests themselves leave behind."""

import pathlib
import subprocess
import sys

from conftest import IDENTITIES
from harness import eventually

PROGRAM = """
import pathlib, sys
sys.path[:0] = sys.argv[3:]
from machine import Machine
machine = Machine("alice", pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])).start()
print(machine.process.pid, machine.network.keeper.pid, flush=True)
input()
"""


def has_ended(pid):
    status = pathlib.Path(f"/proc/{pid}/stat")
    return not status.exists() or ") Z " in status.read_text()


def test_a_test_that_is_killed_leaves_nothing_behind(home, machine):
    test = subprocess.Popen([sys.executable, "-c", PROGRAM, home, IDENTITIES[0], *sys.path],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pids = test.stdout.readline().split()
    assert len(pids) == 2
    test.kill()
    test.wait()
    eventually(lambda: all(has_ended(int(pid)) for pid in pids), "the end of all processes")
    test.stdin.close()
    test.stdout.close()
