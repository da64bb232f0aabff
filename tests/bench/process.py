"""A process seen from outside: how long it runs, and what it takes meanwhile."""

import dataclasses
import os
import time

DEVNULL = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
CPUCLOCK_SCHED = 2


@dataclasses.dataclass
class Run:
    """One run from start to end, in seconds."""
    wall: float
    cpu: float


def once(command, environment):
    """Runs a program. Spawned at once, because subprocess takes longer than the program."""
    command = [str(word) for word in command]
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment, file_actions=DEVNULL)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    assert status == 0, f"{' '.join(command)}: wait status {status}"
    return Run(wall, usage.ru_utime + usage.ru_stime)


def processor_seconds(pid):
    """What the process has used, to the nanosecond: the clock that clock_getcpuclockid(3) names."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def _numbers(path):
    """The `Name: number` lines of a file of proc(5)."""
    with open(path, encoding="ascii", errors="replace") as file:
        fields = (line.split() for line in file)
        return {words[0].rstrip(":"): int(words[1])
                for words in fields if len(words) > 1 and words[1].isdecimal()}


def wakeups(pid):
    """How often it went to sleep so far."""
    return _numbers(f"/proc/{pid}/status")["voluntary_ctxt_switches"]


def resident(pid):
    return _numbers(f"/proc/{pid}/status")["VmRSS"] * 1024


def own_memory(pid):
    """Heap and stack, without the files that it maps."""
    return _numbers(f"/proc/{pid}/status")["RssAnon"] * 1024


def proportional(pid):
    """With its share of what others map as well; None without the right to look into a daemon."""
    try:
        return _numbers(f"/proc/{pid}/smaps_rollup")["Pss"] * 1024
    except PermissionError:
        return None
