"""What a handshake takes: from `peer connect` to online."""

import time

import limits
from process import processor_seconds
from scene import linked
from table import Row

ROUNDS = 16
RESPITE_S = 0.5  # a daemon lends its private key to one peer no more than twice a second


def once_more(alice, bob):
    """Wall seconds, and processor seconds of each side, of one handshake."""
    events = [daemon.follow("peer.online", "peer.offline") for daemon in (alice, bob)]
    alice.rpc("peer.disconnect", name="bob")
    for reader in events:
        reader.read()
    time.sleep(RESPITE_S)
    before = [processor_seconds(daemon.pid) for daemon in (alice, bob)]
    start = time.perf_counter()
    alice.rpc("peer.connect", name="bob")
    for reader in events:
        reader.read()
    wall = time.perf_counter() - start
    after = [processor_seconds(daemon.pid) for daemon in (alice, bob)]
    for reader in events:
        reader.end()
    return wall, after[0] - before[0], after[1] - before[1]


def rows(_):
    with linked() as (alice, bob):
        wall, joiner, host = zip(*(once_more(alice, bob) for _ in range(ROUNDS)))
    sign, check = limits.rsa_2048()
    both = check + 2 * limits.x25519()  # making a key takes about what agreeing does
    dials, listens = both + 2 * sign, both + check + sign
    yield Row("handshake", limits.middle(wall), "s", dials + listens, "what both must compute")
    yield Row("its processor time, of the joiner", limits.middle(joiner), "s", dials,
              "RSA-2048: 2 private, 1 public; 2 × X25519")
    yield Row("its processor time, of the host", limits.middle(host), "s", listens,
              "RSA-2048: 1 private, 2 public; 2 × X25519")
