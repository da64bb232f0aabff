"""Where machines are, how to get there, and that both may change."""

import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from conversation import Conversation
from harness import eventually, pair
from machine import PORT
from usage import context_switches
from wire import inside

NAT = """
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat
        oifname wire1 masquerade
    }
    chain in {
        type filter hook input priority filter
        iifname wire1 ct state new drop
    }
}
"""


# --- no address at all, or of one kind only ---


def test_a_network_that_comes_late_is_used_at_once(machine, lay):
    alice, bob = machine("alice").start(), machine("bob").start()
    start = time.monotonic()
    alice.rpc("peer.add", name="bob", address=["10.0.0.2"], fingerprint=bob.fingerprint)
    bob.rpc("peer.add", name="alice", address=["10.0.0.1"], fingerprint=alice.fingerprint)
    talk = Conversation(alice, bob)
    talk.say()
    for one in talk.machines:
        eventually(lambda: one.text_of_log().count("Network is unreachable") >= 3, "three dials")
    assert time.monotonic() - start > 2  # after the first it waits for 1 s, then for 2 s
    talk.check_states(online=False)
    lay(alice.network, bob.network)
    talk.say()
    talk.settle()
    talk.check_states(online=True)
    talk.check_presence(0, 1)  # both dial


def test_two_hosts_with_nothing_but_ipv6_talk(machine, lay):
    alice, bob = machine("alice"), machine("bob")
    lay(alice.network, bob.network, families=(6,))
    pair(alice.start(), bob.start())
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    assert all("[fd00::" in end for pair in alice.connections() for end in pair)


class NameServer(threading.Thread):
    """Answers every question for an AAAA with one address, and others with none."""

    def __init__(self, network, address, at="::1"):
        super().__init__(daemon=True)
        self.place = (at, 53)
        self.answer = socket.inet_pton(socket.AF_INET6, address)
        self.socket = inside(network.path, lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        self.socket.bind(("::", 53) if at == "::1" else self.place)
        self.start()

    def run(self):
        while True:
            query, who = self.socket.recvfrom(512)
            if query == b"":
                return
            wanted = query[12:].endswith(struct.pack("!HH", 28, 1))
            record = struct.pack("!HHHIH", 0xC00C, 28, 1, 60, 16) + self.answer
            self.socket.sendto(query[:2] + struct.pack("!HHHHH", 0x8180, 1, wanted, 0, 0)
                               + query[12:] + record * wanted, who)

    def end(self):
        self.socket.sendto(b"", self.place)
        self.join()
        self.socket.close()


def test_link_local_addresses_lead_to_peers_and_name_servers_by_their_interface(machine, lay, tmp_path):
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver fe80::2%wire0\n")
    see = ["unshare", "--mount", "sh", "-c",
           f'mount --bind {resolv} "$(realpath /etc/resolv.conf)" && exec "$@"', "sh"]
    alice, bob = machine("alice", prefix=see), machine("bob")
    lay(alice.network, bob.network, families=(6,))
    for number, one in enumerate((alice, bob), 1):
        one.network.plug("wire0", f"fe80::{number}/64")
    alice.start()
    bob.listen = f"[fe80::2%wire0]:{PORT}"
    bob.start()
    [listener] = bob.rpc("status")["listeners"]
    assert (listener["address"], listener["port"]) == ("fe80::2%wire0", PORT)
    invite = bob.ctl("-q", "invite", "alice").lines[0]
    assert f"[fe80::2%wire0]:{PORT}" in invite
    alice.ctl("join", invite, "bob")
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    assert all("[fe80::2]" in there for _, there in alice.connections())
    server = NameServer(bob.network, "fd00::2")
    alice.ctl("peer", "add", "named", "bob.example")
    eventually(lambda: "Connection refused" in alice.peer("named").get("last_error", ""),
               "an answer of the name server, and of nobody there")
    server.end()


def test_names_are_found_again_however_resolv_conf_comes_and_moves(machine, lay, tmp_path):
    """It is not there at the start, then a link, then a link to another service's, then a file."""
    etc, run = tmp_path / "etc", tmp_path / "run"
    for folder in (etc, run):
        folder.mkdir()
    see = ["unshare", "--mount", "sh", "-c",
           f'mount --bind {etc} /etc && mount --bind {run} /run && exec "$@"', "sh"]
    alice, bob = machine("alice", prefix=see), machine("bob")
    lay(alice.network, bob.network, families=(6,))
    bob.network.plug("wire0", "fd00::3/64")
    alice.start()
    servers = [NameServer(bob.network, "fd00::2", at) for at in ("fd00::2", "fd00::3")]

    def reached(name):
        """Whether the name server is found; nobody listens where it leads."""
        alice.ctl("peer", "add", name, f"{name}.example")
        eventually(lambda: "Connection refused" in alice.peer(name).get("last_error", ""),
                   f"an answer for {name}")

    alice.ctl("peer", "add", "early", "early.example")
    eventually(lambda: "no name server" in alice.peer("early").get("last_error", ""), "no server")
    link = etc / "resolv.conf"
    for service, address in (("systemd/resolve", "fd00::2"), ("NetworkManager", "fd00::3")):
        there = run / service / "resolv.conf"
        there.parent.mkdir(parents=True)
        there.write_text(f"nameserver {address}\n")
        (etc / "new").symlink_to(f"/run/{service}/resolv.conf")
        (etc / "new").rename(link)
        reached(there.parent.name.lower())
    shutil.rmtree(run / "NetworkManager")
    (etc / "new").write_text("nameserver fd00::2\n")
    (etc / "new").rename(link)
    reached("file")
    for server in servers:
        server.end()


@pytest.mark.parametrize("dead", ["10.0.0.2", "fd00::2"])
def test_of_two_kinds_of_addresses_one_is_enough(machine, lay, dead):
    alice, bob = machine("alice"), machine("bob")
    lay(alice.network, bob.network, families=(4, 6))
    bob.network.run("nft", "-f", "-", input=f"""
        table inet dead {{
            chain in {{
                type filter hook input priority 0
                {"ip6" if ":" in dead else "ip"} daddr {dead} drop
            }}
        }}""")
    alice.start(), bob.start()
    first, second = sorted(bob.addresses, key=lambda address: dead not in address)
    alice.rpc("peer.add", name="bob", fingerprint=bob.fingerprint, address=[first, second])
    bob.add(alice, address=False)
    talk = Conversation(alice, bob)
    talk.wait_for("online")
    talk.say()
    talk.settle()
    talk.check_presence(0)
    assert "dial failed" not in alice.text_of_log()  # nobody waited for the end of the dead one


# --- dead ways ---

CONNECT_S = 10  # the patience with one address


def black_holes(network, count):
    """So many addresses where nobody ever answers."""
    network.run("ip", "route", "add", "10.9.0.0/24", "via", "10.0.0.2")
    return [f"10.9.0.{number}:8766" for number in range(1, count + 1)]


def tries_of_black_holes(network):
    """How many packets somebody has sent to them."""
    return int(re.search(r"packets (\d+)", network.run("nft", "list", "table", "ip", "dead"))[1])


def seconds_until_online(talk, start):
    began = time.monotonic()
    start()
    talk.wait_for("online")
    return time.monotonic() - began


def test_seven_black_holes_before_the_good_way_cost_little(strangers, result):
    alice, bob, _ = strangers
    bob.network.run("nft", "-f", "-", input="""
        table ip dead {
            chain in {
                type filter hook prerouting priority 0
                ip daddr 10.9.0.0/24 counter drop
            }
        }""")
    bob.add(alice, address=False)
    talk = Conversation(alice, bob)
    ways = [*black_holes(alice.network, 7), bob.address]
    first_s = seconds_until_online(talk, lambda: alice.rpc(
        "peer.add", name="bob", fingerprint=bob.fingerprint, address=ways))
    assert first_s < CONNECT_S  # and not 70 s
    alice.rpc("peer.disconnect", name="bob")
    talk.wait_for("offline")
    again_s = seconds_until_online(talk, lambda: alice.rpc("peer.connect", name="bob"))
    assert again_s < first_s  # it remembers what has worked
    tries = tries_of_black_holes(bob.network)
    assert tries > 0
    alice.restart()
    bob.presence.wait_for("offline")
    bob.presence.wait_for("online")
    assert tries_of_black_holes(bob.network) == tries  # also when it has ended meanwhile
    result(f"seven dead ways before the good one: a session after {first_s:.2f} s, "
           f"and after {again_s:.2f} s when it has worked before")


def test_somebody_who_accepts_and_says_nothing_does_not_hold_up_the_peer(strangers, result):
    alice, bob, _ = strangers
    bob.add(alice, address=False)
    talk = Conversation(alice, bob)
    listening = bob.network.command("python3", "-c", "import socket, sys; "
                                    "kept = socket.create_server(('10.0.0.2', 9), backlog=8); "
                                    "print(flush=True); sys.stdin.read()")
    with subprocess.Popen(listening, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as silent:
        silent.stdout.readline()
        seconds = seconds_until_online(talk, lambda: alice.rpc(
            "peer.add", name="bob", fingerprint=bob.fingerprint,
            address=["10.0.0.2:9", bob.address]))
        silent.stdin.close()
    assert "it connects, but nobody answers" in alice.text_of_log()
    talk.say()
    talk.settle()
    result(f"a way that connects and says nothing before the good one: a session after {seconds:.2f} s")


def test_a_host_sees_one_connection_of_a_race(strangers):
    alice, bob, _ = strangers
    bob.add(alice, address=False)
    bob.network.run("ip", "address", "add", "10.0.0.3/24", "dev", "wire0")
    bob.network.run("ip", "address", "add", "10.0.0.4/24", "dev", "wire0")
    talk = Conversation(alice, bob)
    alice.rpc("peer.add", name="bob", fingerprint=bob.fingerprint,
              address=[bob.address, "10.0.0.3", "10.0.0.4"])
    talk.wait_for("online")
    talk.say()
    talk.settle()
    [counted] = [line for line in bob.network.run("nstat", "-az", "TcpPassiveOpens").splitlines()
                 if line.startswith("TcpPassiveOpens")]
    assert counted.split()[1] == "1"


# --- behind a router ---


@pytest.fixture
def apart(machine, lay, router):
    """Alice behind a router that hides her, bob before it; both dial, she alone can get through."""
    alice, bob = machine("alice"), machine("bob")
    lay(alice.network, router)
    lay(router, bob.network)
    alice.network.run("ip", "route", "add", "default", "via", "10.0.0.2")
    router.run("nft", "-f", "-", input=NAT)
    alice.start(), bob.start()
    alice.add(bob)
    bob.add(alice)
    Conversation(alice, bob).wait_for("online")
    return alice, bob


def test_behind_a_router_both_directions_work(apart):
    alice, bob = apart
    talk = Conversation(alice, bob)
    talk.say(by=bob)
    talk.settle()
    talk.say()
    bob.restart()
    talk.say()
    talk.settle()
    alice.restart()
    talk.say(by=bob)
    talk.settle()
    assert [there.rpartition(":")[0] for _, there in bob.connections()] == ["[::ffff:10.0.1.1]"]


@pytest.mark.parametrize("speaker", ["alice", "bob"])
def test_a_router_that_forgets_connections_is_overcome(apart, router, speaker):
    """As every day, when it gets another address."""
    alice, bob = apart
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    router.run("ip", "address", "flush", "dev", "wire1")
    router.plug("wire1", "10.0.1.9/24")
    talk.say(by={"alice": alice, "bob": bob}[speaker])
    alice.presence.wait_for("offline")
    alice.presence.wait_for("online")
    talk.say()
    talk.settle()
    talk.check_states(online=True)
    alice.presence.check(1)
    bob.presence.check(0, 1)  # the new link may take the place of the old one


# --- another address ---


def test_the_second_address_of_an_invite_leads_to_a_peer_whose_first_is_gone(machine, lay):
    alice, bob = machine("alice"), machine("bob")
    lay(alice.network, bob.network)
    wire = lay(alice.network, bob.network)
    bob.network.run("ip", "route", "add", "default", "dev", "wire1")
    alice.start(), bob.start()
    uri = bob.rpc("invite.create", name="alice")["uri"]
    alice.rpc("invite.accept", uri=uri, name="bob", timeout_ms=30000)
    first, second = alice.peer("bob")["addresses"]
    assert [first, second] == bob.addresses[::-1]
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    wire.set(open=False)
    bob.network.run("ip", "address", "flush", "dev", "wire1")
    talk.say()
    talk.wait_for("offline")
    talk.say()
    talk.wait_for("online")
    talk.settle()
    talk.check_states(online=True)
    talk.check_presence(1)
    assert [there for _, there in alice.connections()] == [second]


@pytest.mark.parametrize("mover", ["alice", "bob"])
def test_a_host_that_moves_is_back_by_itself(linked, mover):
    """When it knows where the other one is."""
    alice, bob, _ = linked
    bob.rpc("peer.set", name="alice", address=alice.addresses)
    network = {"alice": alice, "bob": bob}[mover].network
    talk = Conversation(alice, bob)
    talk.say()
    network.run("ip", "address", "flush", "dev", "wire0")
    network.plug("wire0", "10.0.0.9/24")
    talk.say()
    talk.settle()
    talk.check_states(online=True)
    talk.check_presence(0, 1)  # a new link may take the place of one that is not yet given up
    for machine in (alice, bob):
        [ends] = machine.connections()
        assert "10.0.0.9" in "".join(ends)


# --- the network changes ---


def move(one, old, new):
    """Gives a machine another address in place of its old one."""
    one.network.run("ip", "address", "del", f"{old}/24", "dev", "wire0")
    one.network.run("ip", "address", "add", f"{new}/24", "dev", "wire0")


@pytest.mark.parametrize("larger", ["moves", "stays"])
@pytest.mark.parametrize("joiner", ["moves", "stays"])
def test_a_machine_that_gets_another_address_notices_and_dials(strangers, joiner, larger, result):
    """Whoever would win if both dialled at once: who moved says which link is gone."""
    alice, bob, _ = strangers
    if (alice.key > bob.key) != (larger == "moves"):
        alice, bob = bob, alice
    first, second = (alice, bob) if joiner == "moves" else (bob, alice)
    second.rpc("peer.add", name=first.name, fingerprint=first.fingerprint)
    first.rpc("peer.add", name=second.name, fingerprint=second.fingerprint, address=[second.address])
    talk = Conversation(alice, bob)
    talk.wait_for("online")
    if joiner == "stays":
        alice.rpc("peer.set", name=bob.name, address=[bob.address])
    talk.say()
    talk.settle()
    began = time.monotonic()
    move(alice, alice.address.rpartition(":")[0], "10.0.0.3")
    alice.presence.wait_for("offline")
    talk.say()
    alice.presence.wait_for("online")
    seconds = time.monotonic() - began
    talk.settle()
    assert "offline: connection lost: this machine lost the address" in alice.text_of_log()
    assert seconds < 10  # as long as a second try would have to wait
    assert set(alice.rpc("status")["network"]) == {"watched", "changed", "port_mapping"}
    result(f"another address of the side that {'had' if joiner == 'moves' else 'had not'} "
           f"dialled, {'larger' if larger == 'moves' else 'smaller'} fingerprint: a session again "
           f"after {seconds:.2f} s")


def test_only_routes_to_the_internet_wake_anybody(linked):
    alice, bob, _ = linked
    talk = Conversation(alice, bob)
    talk.say()
    talk.settle()
    before = context_switches(alice.process.pid)
    changes = "".join(f"route {what} 10.200.{i}.0/24 via 10.0.0.2\n"
                      for i in range(250) for what in ("add", "del"))
    alice.network.run("ip", "-batch", "-", input=changes)
    alice.network.run("ip", "route", "add", "default", "via", "10.0.0.2")
    eventually(lambda: "the way to the internet is another one" in alice.text_of_log(), "the news")
    assert context_switches(alice.process.pid) - before < 100
    talk.say()
    talk.settle()
    talk.check_presence(0)


def test_a_default_route_into_nowhere_ends_the_link_in_seconds(linked, result):
    alice, bob, wire = linked
    talk = Conversation(alice, bob)
    wire.set(loss=1.0)
    began = time.monotonic()
    alice.network.run("ip", "route", "add", "default", "via", "10.0.0.2")
    alice.presence.wait_for("offline")
    seconds = time.monotonic() - began
    wire.set(loss=0.0)
    talk.say()
    talk.settle()
    assert seconds < 10  # the patience with a PING that nobody doubts
    result(f"a link that died when the route changed, noticed after {seconds:.2f} s")


# --- what peers tell of themselves ---


def make_public(one, address):
    """Gives a machine one address, which might be one of the internet, and its way there."""
    one.network.run("ip", "address", "flush", "dev", "wire0")
    one.network.run("ip", "address", "add", f"{address}/24", "dev", "wire0")
    one.network.run("ip", "route", "add", "default", "dev", "wire0")


@pytest.fixture
def public(machine, lay):
    """Two machines with public addresses; only alice knows where the other one is."""
    alice, bob = machine("alice"), machine("bob")
    lay(alice.network, bob.network)
    make_public(alice, "203.0.113.1")
    make_public(bob, "203.0.113.2")
    alice.start(), bob.start()
    return alice, bob


def meet(alice, bob):
    bob.rpc("peer.add", name="alice", fingerprint=alice.fingerprint)
    alice.rpc("peer.add", name="bob", fingerprint=bob.fingerprint, address=["203.0.113.2"])
    talk = Conversation(alice, bob)
    talk.wait_for("online")
    return talk


def test_who_moves_finds_a_peer_that_told_where_it_is(public):
    alice, bob = public
    talk = meet(alice, bob)
    eventually(lambda: bob.peer("alice")["told"] == ["203.0.113.1:8766"], "what alice tells")
    eventually(lambda: alice.peer("bob")["told"] == ["203.0.113.2:8766"], "what bob tells")
    make_public(bob, "203.0.113.3")
    bob.presence.wait_for("offline")
    bob.presence.wait_for("online")
    talk.say()
    talk.settle()
    eventually(lambda: alice.peer("bob")["told"] == ["203.0.113.3:8766"], "where bob is now")
    assert alice.peer("bob")["addresses"] == ["203.0.113.2:8766"]


def test_one_more_address_is_told_while_the_link_goes_on(public):
    alice, bob = public
    talk = meet(alice, bob)
    eventually(lambda: bob.peer("alice")["told"] == ["203.0.113.1:8766"], "what alice tells")
    alice.network.run("ip", "address", "add", "203.0.113.7/24", "dev", "wire0")
    alice.network.run("ip", "route", "replace", "default", "dev", "wire0", "src", "203.0.113.7")
    eventually(lambda: bob.peer("alice")["told"] == ["203.0.113.7:8766"], "another address")
    talk.say()
    talk.settle()
    talk.check_presence(0)


def test_private_addresses_are_not_told(strangers):
    alice, bob, _ = strangers
    for one in (alice, bob):
        one.network.run("ip", "route", "add", "default", "dev", "wire0")
    bob.add(alice, address=False)
    alice.add(bob)
    talk = Conversation(alice, bob)
    talk.wait_for("online")
    talk.say()
    talk.settle()
    assert alice.peer("bob")["told"] == bob.peer("alice")["told"] == []


def test_with_tell_addresses_no_nothing_is_told(public):
    alice, bob = public
    alice.configure("tell-addresses = no\n")
    alice.restart()
    talk = meet(alice, bob)
    eventually(lambda: alice.peer("bob")["told"] == ["203.0.113.2:8766"], "what bob tells")
    talk.say()
    talk.settle()
    assert bob.peer("alice")["told"] == []
