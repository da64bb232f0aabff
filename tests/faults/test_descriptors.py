"""Strangers take all descriptors: no spin, people are answered, and it passes."""

import socket
import subprocess
import time

from harness import PATIENCE_S, eventually, pair
from usage import cpu_seconds, descriptors

LIMIT = 64
SPARED = 8  # at least, for people


def connect_all(address, count):
    """Connections from many addresses, because one alone gets only a few."""
    host, port = address.rsplit(":", 1)
    sockets = []
    for number in range(count):
        one = socket.socket()
        one.setblocking(False)
        one.bind((f"127.0.{1 + number // 200}.{1 + number % 200}", 0))
        one.connect_ex((host, int(port)))
        sockets.append(one)
    return sockets


def most_descriptors(pid, seconds):
    """The most that the process was seen to have open in this time."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, descriptors(pid))
    return most


def test_strangers_can_not_take_the_descriptors_that_people_need(daemon, bob, result):
    alice = daemon("alice", prefix=["prlimit", f"--nofile={LIMIT}"])
    pair(alice, bob)
    before = cpu_seconds(alice.process.pid)
    strangers = connect_all(alice.address, 500)
    eventually(lambda: descriptors(alice.process.pid) > LIMIT // 2, "the crowd")
    most = most_descriptors(alice.process.pid, 1)
    start, slowest = time.monotonic(), 0
    while time.monotonic() - start < 3:
        asked = time.monotonic()
        assert alice.rpc("status")["peers"][0]["link"] == "online"
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.05)
    spent = cpu_seconds(alice.process.pid) - before
    alice.ctl("send", "-p", "bob", "--wait", "meanwhile")
    for stranger in strangers:
        stranger.close()
    assert spent < 1.5, f"{spent} s of processor time in 3 s"
    assert most <= LIMIT - SPARED
    eventually(lambda: descriptors(alice.process.pid) < LIMIT // 2, "free ones")
    alice.restart()
    bob.ctl("send", "-p", "alice", "--wait", "--timeout", PATIENCE_S, "afterwards")
    assert (bob.received(), alice.received()) == (["meanwhile"], ["afterwards"])
    result(f"{LIMIT} descriptors and 500 connections: {spent:.2f} s of processor time in 3 s, "
           f"status answered within {slowest * 1000:.0f} ms")


def test_people_that_take_all_descriptors_harm_nobody_else(daemon, bob):
    alice = daemon("alice", prefix=["prlimit", f"--nofile={LIMIT}"])
    pair(alice, bob)
    people = []
    for _ in range(2 * LIMIT):
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        one.connect_ex(str(alice.socket))
        people.append(one)
    before = cpu_seconds(alice.process.pid)
    bob.ctl("send", "-p", "alice", "--wait", "through all that")
    time.sleep(1)
    assert cpu_seconds(alice.process.pid) - before < 0.7
    for one in people:
        one.close()
    eventually(lambda: alice.received() == ["through all that"], "an answer")


def test_the_soft_limit_is_raised(alice):
    limits = open(f"/proc/{alice.process.pid}/limits", encoding="ascii").read()
    [soft, hard] = next(line.split()[3:5] for line in limits.splitlines() if "open files" in line)
    assert soft == hard


def test_a_low_soft_limit_is_raised(daemon):
    alice = daemon("alice", prefix=["prlimit", "--nofile=32:256"])
    limits = subprocess.run(["prlimit", "--pid", str(alice.process.pid), "--nofile", "-o", "SOFT",
                             "--noheadings"], capture_output=True, text=True, check=True)
    assert limits.stdout.strip() == "256"
