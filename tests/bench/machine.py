"""What the machine itself does: the limits that the other parts are measured beside."""

import shutil

import limits
from harness import environment, temporary_home
from process import once
from table import Row

ROUNDS = 100
SIZE = 65536


def usual(call):
    return limits.middle([limits.timed(call) for _ in range(ROUNDS)])


def rows(_):
    for kind in ("tcp", "unix"):
        yield Row(f"one way through a socket, {kind}", limits.one_way(kind), "s")
    with temporary_home() as home:
        file, table = limits.File(home / "file"), limits.Table(home / "limit.db")
        yield Row("fdatasync of a page", usual(file.append), "s")
        yield Row("SQLite commit of a row", usual(lambda: table.commit(1, 200)), "s")
        true, surroundings = [shutil.which("true")], environment(home)
        yield Row("start and end of /bin/true", usual(lambda: once(true, surroundings)), "s")
    sign, check = limits.rsa_2048()
    yield Row("RSA-2048 signature", sign, "s")
    yield Row("RSA-2048 check of a signature", check, "s")
    yield Row("X25519 agreement", limits.x25519(), "s")
    yield Row("AES-256-GCM in pieces of 64 KiB", limits.aes_256_gcm(SIZE), "B/s")
