"""The recipes of p2pchatd(8), typed as they stand there."""

import pathlib
import sys

import pytest

from machine import eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "docs"))

from mdoc import Page, plain  # noqa: E402

STATE = "/var/lib/p2pchat"


def commands(title):
    """The lines to type of the recipe that begins so."""
    recipes = Page("p2pchatd.8").section("DESCRIPTION").subsection("Recipes").items()
    [recipe] = [item for item in recipes if item.head.startswith(title)]
    return [plain(line.removeprefix(".Dl ")) for line in recipe.lines if line.startswith(".Dl ")]


def type_in(machine, lines):
    for line in lines:
        machine.run("sh", "-ec", f"cd {machine.build}; {line}")


@pytest.fixture
def host(machine):
    """A machine with the service running and something to lose."""
    machine.systemctl("enable", "--now", "p2pchatd")
    machine.ctl("peer", "add", "laptop", "[2001:db8::1]:8766")
    machine.ctl("send", "-p", "laptop", "precious")
    return machine


def queued(machine):
    return "precious" in machine.ctl("queue").out


def test_another_port(host):
    type_in(host, commands("Another port"))
    host.wait_for("ActiveState", "active")
    assert '"port":8767' in host.ctl("rpc", "status").out
    assert queued(host)


def test_upgrade(host):
    [install, restart] = commands("Upgrade")
    before = host.show("MainPID")
    assert restart in host.run("make", "-s", "-C", host.build, install.removeprefix("make ")).out
    type_in(host, [restart])
    assert host.show("MainPID") != before
    assert queued(host)


def test_removal_ends_the_service_and_keeps_what_it_had(host):
    [uninstall, for_ever] = commands("Removal")
    type_in(host, [uninstall])
    eventually(lambda: host.run("pgrep", "p2pchatd", expect=None).status == 1, "the end of it")
    assert host.path(f"{STATE}/p2pchat.db").exists()
    left = host.systemctl("list-units", "--all", "--plain", "--no-legend", "p2pchatd*")
    assert "loaded" not in left.replace("not-found", ""), left
    host.run("make", "-s", "-C", host.build, "install")
    host.systemctl("enable", "--now", "p2pchatd")
    assert queued(host)
    type_in(host, [uninstall, for_ever])
    assert not host.path(STATE).exists()


def test_a_lost_machine_is_blocked(host):
    type_in(host, commands("A machine is lost"))
    assert "blocked" in host.ctl("peer", "list").out


def test_backup_and_restore(host):
    [backup, restore, enable] = [
        plain(line.removeprefix(".Dl ")) for line in
        Page("p2pchatd.8").section("DESCRIPTION").subsection("Backup and restore").lines
        if line.startswith(".Dl ")]
    fingerprint = host.ctl("-q", "fingerprint").out
    host.run("mkdir", "-p", "/srv/backup")
    host.write("/root/passphrase", "correct horse\n", mode=0o600)
    type_in(host, [f"{backup} --passphrase-file /root/passphrase"])
    host.run("mv", "/srv/backup/" + host.run("ls", "/srv/backup").out.strip(),
             "/root/" + restore.split()[-1])
    host.systemctl("disable", "--now", "p2pchatd.service", "p2pchatd.socket",
                   "p2pchatd-peer.socket")
    host.run("sh", "-c", f"rm -r {STATE}/*")
    host.run("sh", "-c", f"cd /root && {restore} --passphrase-file /root/passphrase")
    owners = host.run("stat", "-c", "%U %a", f"{STATE}/p2pchat.db", f"{STATE}/store.key").out
    assert owners.splitlines() == ["p2pchat 600"] * 2
    type_in(host, [enable])
    assert host.ctl("-q", "fingerprint").out == fingerprint
    assert queued(host)
