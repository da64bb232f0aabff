"""What thousands of known peers cost who have nothing to do."""

import base64
import os

import limits
from process import processor_seconds
from scene import scene
from start import until_ready
from table import Row

PEERS = 10_000
AT_ONCE = 50  # calls that wait for their answer
CALLS = 2000
ROUNDS = 5


def add_peers(daemon, count):
    """Peers with keys that nobody has and without addresses."""
    control = daemon.control()
    for first in range(0, count, AT_ONCE):
        for number in range(first, first + AT_ONCE):
            key = base64.b64encode(os.urandom(32)).decode().rstrip("=")
            control.ask("peer.add", name=f"peer{number}", fingerprint=f"SHA256:{key}")
        for _ in range(AT_ONCE):
            assert "result" in control.read()
    control.end()


def turn(daemon):
    """Processor time of a turn in which one small call is answered."""
    control = daemon.control()
    before = processor_seconds(daemon.pid)
    for _ in range(CALLS):
        control.call("log.level")
    return (processor_seconds(daemon.pid) - before) / CALLS


def list_all(control):
    page = control.call("peer.list")
    while "after" in page:
        page = control.call("peer.list", after=page["after"])


def figures(daemon):
    control = daemon.control()
    status, listed = (limits.middle([limits.timed(call) for _ in range(ROUNDS)])
                      for call in (lambda: control.call("status"), lambda: list_all(control)))
    took = turn(daemon)
    daemon.stop()
    return took, status, listed, limits.middle([until_ready(daemon) for _ in range(ROUNDS)])


def rows(_):
    with scene() as start:
        few, many = start("few"), start("many")
        add_peers(few, AT_ONCE)
        add_peers(many, PEERS)
        names = ("a turn, processor time", "status", "a list of all", "start to READY")
        for name, few_s, many_s in zip(names, figures(few), figures(many)):
            yield Row(f"{PEERS:,} peers: {name}", many_s, "s", few_s, f"with {AT_ONCE} peers")
