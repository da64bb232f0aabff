"""The recipes of p2pchatd(8), typed as they stand there."""

import pathlib
import re
import sys

import pytest

from machine import SOURCE, eventually

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
def server(machine):
    """A machine with the service running and something to lose."""
    machine.systemctl("enable", "--now", "p2pchatd")
    machine.ctl("peer", "add", "laptop", "[2001:db8::1]:8766")
    machine.ctl("send", "-p", "laptop", "precious")
    return machine


def queued(machine):
    return "precious" in machine.ctl("queue").out


def test_another_port(server):
    type_in(server, commands("Another port"))
    server.wait_for("ActiveState", "active")
    assert '"port":8767' in server.ctl("rpc", "status").out
    assert queued(server)


def test_upgrade(server):
    [install, restart] = commands("Upgrade")
    before = server.show("MainPID")
    assert restart in server.run("make", "-s", "-C", server.build, install.removeprefix("make ")).out
    type_in(server, [restart])
    assert server.show("MainPID") != before
    assert queued(server)


def test_removal_ends_the_service_and_keeps_what_it_had(server):
    [uninstall, for_ever] = commands("Removal")
    type_in(server, [uninstall])
    eventually(lambda: server.run("pgrep", "p2pchatd", expect=None).status == 1, "the end of it")
    assert server.path(f"{STATE}/p2pchat.db").exists()
    left = server.systemctl("list-units", "--all", "--plain", "--no-legend", "p2pchatd*")
    assert "loaded" not in left.replace("not-found", ""), left
    server.run("make", "-s", "-C", server.build, "install")
    server.systemctl("enable", "--now", "p2pchatd")
    assert queued(server)
    type_in(server, [uninstall, for_ever])
    assert not server.path(STATE).exists()


def test_a_lost_machine_is_blocked(server):
    type_in(server, commands("A machine is lost"))
    assert "blocked" in server.ctl("peer", "list").out


def test_backup_and_restore(server):
    [backup, restore, enable] = [
        plain(line.removeprefix(".Dl ")) for line in
        Page("p2pchatd.8").section("DESCRIPTION").subsection("Backup and restore").lines
        if line.startswith(".Dl ")]
    fingerprint = server.ctl("-q", "fingerprint").out
    server.run("mkdir", "-p", "/srv/backup")
    server.write("/root/passphrase", "correct horse\n", mode=0o600)
    type_in(server, [f"{backup} --passphrase-file /root/passphrase"])
    server.run("mv", "/srv/backup/" + server.run("ls", "/srv/backup").out.strip(),
             "/root/" + restore.split()[-1])
    server.systemctl("disable", "--now", "p2pchatd.service", "p2pchatd.socket",
                   "p2pchatd-peer.socket")
    server.run("sh", "-c", f"rm -r {STATE}/*")
    server.run("sh", "-c", f"cd /root && {restore} --passphrase-file /root/passphrase")
    owners = server.run("stat", "-c", "%U %a", f"{STATE}/p2pchat.db", f"{STATE}/store.key").out
    assert owners.splitlines() == ["p2pchat 600"] * 2
    type_in(server, [enable])
    assert server.ctl("-q", "fingerprint").out == fingerprint
    assert queued(server)


def test_a_copied_machine_gets_a_key_of_its_own(server):
    fingerprint = server.ctl("-q", "fingerprint").out
    type_in(server, commands("A machine was copied"))
    server.wait_for("ActiveState", "active")
    assert server.ctl("-q", "fingerprint").out != fingerprint
    assert not queued(server) and server.path(f"{STATE}.copy/p2pchat.db").exists()


def as_told(machine, text):
    """Types what a text ends with, as root: nobody here has a password for su."""
    line = re.search(r"su -c '([^']*)'|sudo ([^,)\n]*)", text)
    return machine.run("bash", "-c", line[1] or line[2].strip()).out


def test_a_user_is_told_how_to_become_a_member_and_who_pairs(server):
    """The path of the front page for the machine's daemon, from a user who is nobody to it."""
    page = (SOURCE / "README.md").read_text(encoding="utf-8")
    # An invite names the addresses by which a machine would reach the Internet.
    server.run("ip", "address", "add", "10.9.0.1/24", "dev", "lo")
    server.run("ip", "route", "add", "default", "via", "10.9.0.2", "dev", "lo")
    [join] = re.findall(r"^    sudo (usermod .*?) +#.*$", page, re.M)
    server.run("useradd", "--create-home", "carol")
    carol = server.uid("carol")
    before = ["setpriv", f"--reuid={carol}", f"--regid={carol}", "--clear-groups", "p2pchatctl"]
    refused = server.run(*before, "status", expect=69).err
    assert join.replace("$USER", "carol") in refused
    as_told(server, refused)
    # A session from before does not have the group yet; newgrp gives it one that does.
    told = server.run(*before, "status", expect=69).err
    assert told.rstrip(")\n").endswith("log in again, or type: newgrp p2pchat"), told
    server.run(*before[:-1], "newgrp", "p2pchat", input="p2pchatctl status\n")
    server.ctl("status", user="carol")
    # A member sends and reads; what is root's is printed as root has to type it.
    told = server.ctl("invite", "bob", user="carol", expect=77).err
    assert "p2pchatctl invite bob" in told
    assert as_told(server, told).startswith("p2pchat://")
    server.ctl("send", "-p", "laptop", "from carol", user="carol")
    assert "from carol" in server.ctl("history", "-o", "cat", user="carol").out
