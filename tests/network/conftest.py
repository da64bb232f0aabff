"""The fixtures of the network tests: machines, and wires between them."""

import pathlib
import random
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "e2e"))

from fixtures import *  # noqa: E402,F401,F403
from harness import Daemons, pair  # noqa: E402
from machine import Machine, Network, why_not  # noqa: E402
from wire import Wire  # noqa: E402

IDENTITIES = sorted((TESTS / "simulation" / "keys").glob("*.pem"))


@pytest.fixture
def wires():
    """All wires of the test, which outlive its machines."""
    wires = []
    yield wires
    for wire in wires:
        wire.end()


@pytest.fixture
def machine(home, wires, request):
    """machine(NAME): one more machine, without any network and not started."""
    if why_not() is not None:
        pytest.skip(why_not())
    with Daemons(home) as daemons:
        request.node.daemons = daemons.all
        identities = random.sample(IDENTITIES, len(IDENTITIES))  # either may have the smaller one

        def make(name, **options):
            daemons.all.append(Machine(name, home, identities.pop(), **options))
            return daemons.all[-1]

        yield make


@pytest.fixture
def router(wires):
    """A network that passes on what is for others."""
    if why_not() is not None:
        pytest.skip(why_not())
    router = Network()
    router.run("tee", "/proc/sys/net/ipv4/ip_forward", input="1")
    yield router
    router.end()


@pytest.fixture
def lay(wires):
    """lay(ONE, OTHER): a wire between two networks.

    The n-th has 10.0.n.1 and 10.0.n.2, or with families=(6,) fd00:0:0:n::1 and ::2.
    """

    def make(one, other, families=(4,)):
        number = len(wires)
        device = f"wire{number}"
        wires.append(Wire([one.path, other.path], device))
        for i, network in enumerate((one, other), 1):
            for family in families:
                network.plug(device, f"10.0.{number}.{i}/24" if family == 4
                             else f"fd00:0:0:{number:x}::{i}/64")
        return wires[-1]

    return make


@pytest.fixture
def strangers(machine, lay):
    """Two machines on a wire that don't know each other yet, and the wire."""
    alice, bob = machine("alice"), machine("bob")
    wire = lay(alice.network, bob.network)
    return alice.start(), bob.start(), wire


@pytest.fixture
def linked(strangers):
    """Two machines with a link over a wire, and the wire; alice dials."""
    alice, bob, wire = strangers
    pair(alice, bob)
    return alice, bob, wire
