"""A machine behind a router that lets peers in when it is asked, and routers that do not."""

import json
import shutil
import subprocess

import pytest

from conversation import Conversation
from harness import eventually
from machine import PORT
from wire import Wire

# What routers at home do: NAT for IPv4 and a closed door, in which miniupnpd opens ports.
RULES = """
table inet filter {
    chain miniupnpd { }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
    chain forward {
        type filter hook forward priority 0; policy drop
        ct state established,related accept
        iifname "wire0" accept
        iifname "wire1" jump miniupnpd
    }
    chain prerouting {
        type nat hook prerouting priority -100; policy accept
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100; policy accept
        jump postrouting_miniupnpd
        meta nfproto ipv4 oifname "wire1" masquerade
    }
}
"""
SETTINGS = """
ext_ifname=wire1
ext_ifname6=wire1
listening_ip=wire0
enable_natpmp=yes
enable_upnp=no
min_lifetime=120
max_lifetime=86400
secure_mode=yes
system_uptime=no
uuid=00000000-0000-0000-0000-000000000001
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""
PUBLIC, LAN, HOME = "11.22.33.7", "192.168.77.1", "192.168.77.2"
PUBLIC_6, LAN_6, HOME_6 = "2a00:1450:1::7", "2a00:1450:77::1", "2a00:1450:77::2"
MAPS = "port-mapping = yes\n"


class Router:
    """miniupnpd in a network between a home (wire0) and the internet (wire1)."""

    def __init__(self, network, folder):
        self.network = network
        self.settings = folder / "miniupnpd.conf"
        self.settings.write_text(SETTINGS)
        self.log = open(folder / "miniupnpd.log", "ab")
        self.pid_file = folder / "miniupnpd.pid"
        self.process = None

    def start(self):
        """Without a memory of what it let in before."""
        self.network.run("nft", "flush", "ruleset")
        self.network.run("nft", "-f", "-", input=RULES)
        self.process = subprocess.Popen(
            self.network.command("miniupnpd", "-d", "-f", self.settings, "-P", self.pid_file),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        eventually(lambda: ":5351" in self.network.run("ss", "-Hlun"), "the router to serve")
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
        self.process = None

    def opened(self, chain="prerouting_miniupnpd"):
        return str(PORT) in self.network.run("nft", "list", "chain", "inet", "filter", chain)


@pytest.fixture
def neighbourhood(machine, router, wires, tmp_path):
    """Makes alice at home behind the router and bob in the internet; both are started."""
    routers = []

    def make(settings=MAPS, public=PUBLIC):
        alice, bob = machine("alice", config=settings), machine("bob")
        for device, network, ends in (
                ("wire0", alice.network, ((LAN, HOME, 24), (LAN_6, HOME_6, 64))),
                ("wire1", bob.network, ((public, "11.22.33.1", 24),
                                        (PUBLIC_6, "2a00:1450:1::1", 64)))):
            wires.append(Wire([router.path, network.path], device))
            for there, here, bits in ends:
                router.plug(device, f"{there}/{bits}")
                network.plug(device, f"{here}/{bits}")
        router.run("tee", "/proc/sys/net/ipv6/conf/all/forwarding", input="1")
        alice.network.run("ip", "route", "add", "default", "via", LAN)
        alice.network.run("ip", "-6", "route", "add", "default", "via", LAN_6)
        bob.network.run("ip", "-6", "route", "add", "2a00:1450:77::/64", "via", PUBLIC_6)
        routers.append(Router(router, tmp_path))
        return alice, bob, routers[-1]

    if shutil.which("miniupnpd") is None:
        pytest.skip("needs miniupnpd (Debian: miniupnpd-nftables)")
    yield make
    for each in routers:
        each.stop()


def mappings(machine):
    """What came of each, by family."""
    return {each["family"]: each for each in machine.rpc("network.status")["mappings"]}


def wait_for_mapping(machine, family="ipv4"):
    eventually(lambda: "external" in mappings(machine)[family], f"a mapping by {family}")
    return mappings(machine)[family]


def test_two_machines_pair_by_an_invite_through_a_router_that_lets_them(neighbourhood):
    alice, bob, router = neighbourhood()
    router.start()
    alice.start(), bob.start()
    assert wait_for_mapping(alice)["external"] == f"{PUBLIC}:{PORT}"
    assert wait_for_mapping(alice)["protocol"] == "pcp"
    bob.network.run("ip", "-6", "route", "del", "2a00:1450:77::/64")  # by IPv4 alone
    made = json.loads(alice.ctl("--json", "invite", "bob").out)
    assert made["addresses"][0] == f"{PUBLIC}:{PORT}"
    bob.ctl("join", made["uri"], "alice")
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()


def test_a_peer_is_told_where_the_router_lets_it_in(neighbourhood):
    alice, bob, router = neighbourhood()
    router.start()
    alice.start(), bob.start()
    wait_for_mapping(alice)
    alice.rpc("peer.add", name="bob", address=["11.22.33.1"], fingerprint=bob.fingerprint)
    bob.rpc("peer.add", name="alice", fingerprint=alice.fingerprint)
    eventually(lambda: f"{PUBLIC}:{PORT}" in json.dumps(bob.rpc("peer.get", name="alice")),
               "the address to be told")


def test_a_firewall_for_ipv6_lets_peers_in(neighbourhood):
    alice, bob, router = neighbourhood()
    router.start()
    alice.start(), bob.start()
    assert wait_for_mapping(alice, "ipv6")["external"] == f"[{HOME_6}]:{PORT}"
    assert router.opened("miniupnpd")
    alice.rpc("peer.add", name="bob", fingerprint=bob.fingerprint)
    bob.rpc("peer.add", name="alice", address=[f"[{HOME_6}]:{PORT}"],
            fingerprint=alice.fingerprint)
    Conversation(alice, bob).say()


def test_a_router_that_has_lost_its_memory_is_asked_again(neighbourhood):
    alice, _, router = neighbourhood()
    router.start()
    alice.start()
    wait_for_mapping(alice)
    router.stop()
    router.start()  # says so to all
    eventually(router.opened, "the port to be open again")


def test_a_router_that_comes_later_is_asked_when_the_network_changes(neighbourhood):
    alice, _, router = neighbourhood()
    alice.start()
    eventually(lambda: mappings(alice)["ipv4"].get("error") == "the router does not answer",
               "nobody to answer")
    router.start()
    alice.network.plug("wire0", "192.168.77.3/24")
    wait_for_mapping(alice)


def test_one_without_a_public_address_is_told_with_what_to_do(neighbourhood):
    alice, _, router = neighbourhood(public="100.64.3.2")
    router.start()
    alice.start()
    eventually(lambda: "error" in mappings(alice)["ipv4"], "the router's refusal")
    said = alice.ctl("doctor", expect=None).out
    [finding] = [line for line in said.splitlines() if "mapping" in line and "IPv4" in line]
    assert finding.startswith("WRONG") and LAN in finding and "public address" in finding
    assert "what to do" in said


def test_nobody_is_asked_unless_somebody_said_yes(neighbourhood):
    alice, bob, router = neighbourhood(settings="")
    router.start()
    router.network.run("nft", "add", "chain", "inet", "filter", "asked",
                       "{ type filter hook input priority 0; }")
    router.network.run("nft", "add", "rule", "inet", "filter", "asked", "udp", "dport", "5351",
                       "counter")
    alice.start()
    assert mappings(alice) == {}
    assert "port-mapping" in alice.ctl("status", "--network").out
    assert "nobody outside" in alice.ctl("invite", "bob", "--address", HOME).err
    assert "packets 0 " in router.network.run("nft", "list", "chain", "inet", "filter", "asked")
