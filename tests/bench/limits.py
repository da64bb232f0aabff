"""What the machine itself can do, for p2pchat to be measured beside."""

import os
import re
import sqlite3
import statistics
import subprocess
import time

from harness import BUILD

WAL = ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL",
       "wal_autocheckpoint = 1000")


def middle(numbers):
    return statistics.median(numbers)


def percentile(numbers, percent):
    return sorted(numbers)[min(len(numbers) * percent // 100, len(numbers) - 1)]


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class File:
    """A file that grows by a page and is synced."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)

    def append(self):
        os.write(self.fd, bytes(4096))
        os.fdatasync(self.fd)


class Table:
    """The least that SQLite can do to keep texts: one table, the settings of our store."""

    def __init__(self, path):
        self.sqlite = sqlite3.connect(path, isolation_level=None)
        for setting in WAL:
            self.sqlite.execute(f"PRAGMA {setting}")
        self.sqlite.execute("CREATE TABLE message (body BLOB)")

    def commit(self, rows, size):
        self.sqlite.execute("BEGIN IMMEDIATE")
        self.sqlite.executemany("INSERT INTO message VALUES (?)", [(bytes(size),)] * rows)
        self.sqlite.execute("COMMIT")


def one_way(kind):
    """Seconds from one process to another through a socket, "tcp" on loopback or "unix"."""
    done = subprocess.run([BUILD / "tests" / "bench" / "trip", kind], check=True, text=True,
                          capture_output=True)
    return float(done.stdout) / 2 / 1e9


def _openssl_speed(*arguments):
    done = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", *arguments], check=True,
                          text=True, capture_output=True)
    return done.stdout


def rsa_2048():
    """Seconds of processor time for a signature, and to check one."""
    rates = re.search(r"^\+F2:\d+:2048:([\d.]+):([\d.]+)", _openssl_speed("rsa2048"), re.M)
    return 1 / float(rates[1]), 1 / float(rates[2])


def x25519():
    """Seconds of processor time for one agreement."""
    return float(re.search(r"^\+F5:.*:([\d.]+)$", _openssl_speed("ecdhx25519"), re.M)[1])


def aes_256_gcm(size):
    """Bytes a second, in pieces of `size`."""
    said = _openssl_speed("-bytes", str(size), "-evp", "aes-256-gcm")
    return float(re.search(r"^\+F:.*:([\d.]+)$", said, re.M)[1])
