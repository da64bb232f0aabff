"""How many bytes a second go through in the largest messages there are."""

import limits
from durable import WINDOW, repeat
from process import processor_seconds
from scene import linked
from table import Row

SIZE = 65536
LINES = 256
SLICES = 5
TEXT = b"".join(b"%0*d\n" % (SIZE, number) for number in range(LINES))


def rows(_):
    with linked() as (alice, bob):
        table = limits.Table(alice.home / "limit.db")
        feed = alice.feed(TEXT, "-p", "bob", "--wait")
        groups = repeat(lambda: table.commit(WINDOW, SIZE), LINES // WINDOW)
        spent = [processor_seconds(daemon.pid) for daemon in (alice, bob)]
        sent, stored = [], []
        for _ in range(SLICES):
            sent.append(limits.timed(feed))
            stored.append(limits.timed(groups))
        spent = [processor_seconds(daemon.pid) - before
                 for daemon, before in zip((alice, bob), spent)]
        total = LINES * SIZE
        rate, cipher = total / limits.middle(sent), limits.aes_256_gcm(SIZE)
        yield Row("64 KiB messages, delivered", rate, "B/s", total / limits.middle(stored),
                  f"SQLite, {WINDOW} of them in a commit")
        yield Row("the same", rate, "B/s", cipher, "AES-256-GCM by openssl speed")
        least = sum(limits.rsa_2048()) + 2 * SIZE / cipher
        for name, seconds in zip(("sender", "receiver"), spent):
            yield Row(f"each, processor time of the {name}", seconds / LINES / SLICES, "s", least,
                      "RSA-2048 signature and check, 2 × AES-256-GCM")
