"""Tries what a daemon in its sandbox must not be able to do. Names, one a line, what worked."""

import ctypes
import mmap
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)


def call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def execute(path):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, [path])
        finally:
            os._exit(127)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 127:
        raise OSError("not executed")


ATTEMPTS = {
    "write /etc": lambda: open("/etc/stray", "w"),
    "write /usr": lambda: open("/usr/local/sbin/p2pchatd", "r+"),
    "write the configuration": lambda: open("/etc/p2pchat/stray", "w"),
    "write /var": lambda: open("/var/stray", "w"),
    "write a kernel setting": lambda: open("/proc/sys/kernel/core_pattern", "w"),
    "write a control group": lambda: os.mkdir("/sys/fs/cgroup/stray"),
    "see homes": lambda: os.listdir("/root") and os.listdir("/home/alice"),
    "read kernel messages": lambda: open("/dev/kmsg"),
    "read a disk": lambda: [open(f"/dev/{name}") for name in ("sda", "vda", "nvme0n1", "mem")][0],
    "see other processes": lambda: open("/proc/1/cmdline").read() or 1 / 0,
    "see the kernel's symbols": lambda: open("/proc/kallsyms"),
    "execute a shell": lambda: execute("/bin/true"),
    "execute its own file": lambda: (open("/var/lib/p2pchat/x", "w").write("#!/bin/sh\n"),
                                     os.chmod("/var/lib/p2pchat/x", 0o700),
                                     execute("/var/lib/p2pchat/x")),
    "make a set-user-id file": lambda: (open("/var/lib/p2pchat/s", "w"),
                                        os.chmod("/var/lib/p2pchat/s", 0o4700)),
    "use raw sockets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "use packet sockets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "use vsock": lambda: socket.socket(socket.AF_VSOCK),
    "make code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "make a namespace": lambda: call(libc.unshare(0x10000000)),
    "mount": lambda: call(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    "trace": lambda: call(libc.ptrace(16, os.getppid(), None, None)),
    "set the clock": lambda: __import__("time").clock_settime(0, 0),
    "name the host": lambda: socket.sethostname("stray"),
    "become root": lambda: os.setuid(0),
    "real-time scheduling": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "reboot": lambda: call(libc.reboot(0)),
    "use another architecture": lambda: call(libc.personality(8)),
}

# And what it must.
NEEDS = {
    "keep state": lambda: open("/var/lib/p2pchat/kept", "w").write("x"),
    "read its configuration": lambda: open("/etc/p2pchat/p2pchatd.conf"),
    "look up hosts": lambda: open("/etc/hosts"),
    "notice changes of the network": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).bind((0, 0x550)),
    "dial": lambda: socket.create_connection(("127.0.0.1", 8766)),
    "confine itself": lambda: call(libc.syscall(444, None, 0, 1)),  # landlock_create_ruleset
}

for name, attempt in ATTEMPTS.items():
    try:
        attempt()
        print("worked:", name)
    except (OSError, ZeroDivisionError):
        pass
for name, attempt in NEEDS.items():
    try:
        attempt()
    except OSError as error:
        print("failed:", name, error)
