"""What a process uses of the machine, as the kernel counts it: a busy machine changes nothing."""

import os
import pathlib

from harness import SANITIZED

# AddressSanitizer holds back what was freed, up to 256 MiB of it: memory then says nothing about the
# program, and no test may set a limit to it.
MEMORY_COUNTS = not SANITIZED


def cpu_seconds(pid):
    """The processor time that it has taken so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    """Its memory that is there now."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def peak_kib(pid):
    """The most memory that it ever had there."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def context_switches(pid):
    """How often it has waited for something."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def descriptors(pid):
    """How many it has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
