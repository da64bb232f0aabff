"""The package for Debian, on machines with a real systemd: what is installed, goes on through an
upgrade, and is left behind.
"""

import hashlib
import json
import os
import platform
import re
import subprocess

import pytest

from machine import PATIENCE_S, SOURCE, eventually

UNITS = ["p2pchatd.service", "p2pchatd.socket", "p2pchatd-peer.socket"]


def build(folder):
    """A package, made of what is committed. Its tests were run before."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS"))}
    for command in ([SOURCE / "configure", "-q"], ["make", "deb"]):
        done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env=dict(clean, DEB_BUILD_OPTIONS="nocheck parallel=2"))
        assert done.returncode == 0, done.stdout[-10000:]
    [package] = (folder / "build/deb").glob("p2pchat_*.deb")
    return package


@pytest.fixture(scope="module")
def deb(tmp_path_factory):
    return build(tmp_path_factory.mktemp("deb"))


@pytest.fixture
def bare(boot):
    """bare(NAME, …): a machine without p2pchat, on which services are started as on any other."""
    def start(name, **options):
        machine = boot(name, install=False, **options)
        machine.run("rm", "-f", "/usr/sbin/policy-rc.d")
        return machine
    return start


def install(machine, deb):
    place = machine.path(f"/root/{deb.name}")
    place.write_bytes(deb.read_bytes())
    return machine.run("apt-get", "install", "-y", "--reinstall", f"/root/{deb.name}").out


def release():
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def states(machine):
    return [machine.show("ActiveState", unit) for unit in UNITS]


def test_it_has_the_same_bytes_each_time(deb, tmp_path):
    assert hashlib.sha256(build(tmp_path).read_bytes()).digest() == \
        hashlib.sha256(deb.read_bytes()).digest()


def test_lintian_finds_nothing(deb):
    """Only the binary packages are looked at: Debian has no source of it."""
    [changes] = deb.parent.glob("*.changes")
    found = subprocess.run(["lintian", "--pedantic", "--allow-root", changes], text=True,
                           capture_output=True)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_starts_nothing_that_nobody_asked_for(bare, deb):
    machine = bare("fresh")
    install(machine, deb)
    assert states(machine) == ["inactive"] * 3
    for scope in ([], ["--global"]):
        enabled = machine.run("systemctl", *scope, "is-enabled", *UNITS, expect=1).out
        assert enabled.split() == ["disabled"] * 3
    assert machine.run("stat", "-c", "%U", "/run/p2pchat").out == "p2pchat\n"


def chat_as_printed(machines):
    """The first chat of the front page, each line on the machine that it is shown for."""
    page = (SOURCE / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (alice|bob)\$ +(.*?)(?: +#.*)?$", page, re.M)
    assert len(lines) == 3
    invite = ""
    for name, command in lines:
        said = machines[name].run("bash", "-c", command.replace("p2pchat://…", invite)).out
        invite = invite or said.strip()


def test_two_machines_chat_as_the_front_page_says_and_through_an_upgrade(bare, deb, cable):
    alice, bob = bare("alice", network=cable[0]), bare("bob", network=cable[1])
    for machine, beyond in ((alice, "10.9.0.2"), (bob, "10.9.0.1")):
        # An invite names the addresses by which a machine would reach the Internet.
        machine.run("ip", "route", "add", "default", "via", beyond)
        install(machine, deb)
        machine.systemctl("enable", "--now", "p2pchatd")
    chat_as_printed({"alice": alice, "bob": bob})
    can = json.loads(alice.ctl("version", "--json").out)["daemon"]["suites"] == [1, 2]
    assert can == (release() == "trixie")
    for machine, peer in ((alice, "bob"), (bob, "alice")):
        assert ("post-quantum, ML-KEM-768" in machine.ctl("peer", "show", peer).out) == can
    socket = alice.run("stat", "-c", "%i", "/run/p2pchat/control.sock").out
    before = alice.show("MainPID")
    sender = alice.start("sh", "-c", "for i in $(seq 200); do echo $i; sleep 0.01; done | "
                         "p2pchatctl send -q -p bob --lines")
    install(alice, deb)
    assert sender.wait(timeout=PATIENCE_S) == 0
    alice.wait_for("ActiveState", "active")
    assert alice.show("MainPID") != before
    assert alice.run("stat", "-c", "%i", "/run/p2pchat/control.sock").out == socket
    assert states(alice) == ["active"] * 3
    sent = ["hello Bob", *map(str, range(1, 201))]
    eventually(lambda: len(bob.ctl("history", "-o", "cat", "-n", "all").out.splitlines()) >= len(sent),
               "all messages")
    assert bob.ctl("history", "-o", "cat", "-n", "all").out.splitlines() == sent


def test_a_removed_package_keeps_the_key_and_a_purged_one_says_what_it_takes(bare, deb):
    machine = bare("host")
    install(machine, deb)
    machine.systemctl("enable", "--now", "p2pchatd")
    key = machine.ctl("fingerprint").out
    machine.run("dpkg", "--remove", "p2pchat")
    assert states(machine) == ["inactive"] * 3
    install(machine, deb)
    machine.systemctl("enable", "--now", "p2pchatd")
    assert machine.ctl("fingerprint").out == key
    said = machine.run("dpkg", "--purge", "p2pchat").out
    for folder in ("/etc/p2pchat", "/var/lib/p2pchat"):
        assert f"p2pchat: removing {folder}\n" in said
        assert not machine.path(folder).exists()
    assert states(machine) == ["inactive"] * 3
