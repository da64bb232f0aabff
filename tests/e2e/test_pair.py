"""Pairing over ssh, which is a script here that runs the command against the other daemon."""

import os
import socket

import pytest

from harness import P2PCHATCTL

SSH = """#!/bin/sh
# ssh -- DESTINATION COMMAND, as far as p2pchatctl needs it.
echo "$@" >> "{log}"
[ "$#" -eq 3 ] && [ "$1" = -- ] && [ "$2" = "{destination}" ] || exit 255
PATH="{bin}:$PATH" P2PCHAT_SOCKET="{socket}" exec sh -c "$3"
"""


BEHIND_A_ROUTER = """#!/bin/sh
[ "$2" != invite ] || [ "$3" = revoke ] || exec "{real}" --json invite --address "{dead}"
exec "{real}" "$@"
"""


class Ssh:
    """The script, and the log of its arguments."""

    def __init__(self, script, log):
        self.script = script
        self.log = log


@pytest.fixture
def ssh(home, bob, monkeypatch):
    """ssh that leads from everywhere to Bob's machine, as user@127.0.0.1."""
    folder = home / "bin"
    folder.mkdir()
    script = folder / "ssh"
    log = home / "ssh.log"
    script.write_text(SSH.format(log=log, destination="user@127.0.0.1", bin=P2PCHATCTL.parent,
                                 socket=bob.socket))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Ssh(script, log)


def pair(alice, *arguments, **options):
    return alice.ctl("pair", "--ssh", "user@127.0.0.1", "--as", "alice", *arguments, **options)


def assert_both_verified(alice, bob):
    for daemon, name, other in ((alice, "bob", bob), (bob, "alice", alice)):
        peer = daemon.peer(name)
        assert (peer["fingerprint"], peer["trust"], peer["link"]) == (
            other.fingerprint, "verified", "online")
        assert daemon.rpc("invite.list")["invites"] == []
    alice.ctl("send", "-p", "bob", "--wait", "hello")
    assert bob.received() == ["hello"]


def test_both_sides_end_verified(alice, bob, ssh):
    paired = pair(alice, "bob")
    assert bob.fingerprint in paired.out and "verified" in paired.out
    assert_both_verified(alice, bob)


def test_a_shell_that_prints_something_does_not_matter(alice, bob, ssh):
    script = ssh.script.read_text()
    ssh.script.write_text(script.replace("PATH=", "echo Welcome; echo '{'\nPATH="))
    pair(alice, "bob")
    assert_both_verified(alice, bob)


def test_a_shell_that_prints_at_its_end_is_told(alice, bob, ssh):
    script = ssh.script.read_text()
    ssh.script.write_text(script.replace("exec sh", "sh") + "echo Bye\n")
    failed = pair(alice, "bob", expect=None)
    assert failed.status != 0
    assert "look at what this prints: ssh user@127.0.0.1 'p2pchatctl version'" in failed.err


def test_for_programs(alice, bob, ssh):
    [peer] = pair(alice, "bob", "--json").json
    assert (peer["name"], peer["trust"], peer["link"]) == ("bob", "verified", "online")


def test_if_they_are_behind_a_router_it_goes_the_other_way_round(alice, bob, ssh, home):
    """The addresses that Bob knows of himself lead nowhere, and so does the one that ssh uses."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # and does not listen
        dead = f"127.0.0.1:{unheard.getsockname()[1]}"
        wrapper = home / "bin" / "p2pchatctl"
        wrapper.write_text(BEHIND_A_ROUTER.format(real=P2PCHATCTL, dead=dead))
        wrapper.chmod(0o755)
        ssh.script.write_text(ssh.script.read_text().replace(str(P2PCHATCTL.parent),
                                                             str(home / "bin")))
        paired = pair(alice, "--timeout", "6s", "bob")
    assert "can't reach" in paired.err
    assert_both_verified(alice, bob)


def test_a_name_is_derived_from_the_destination_s_invite(alice, bob, ssh):
    pair(alice)
    [peer] = alice.rpc("peer.list")["peers"]
    assert peer["fingerprint"] == bob.fingerprint


def test_those_who_knew_each_other_at_first_sight_are_sure_afterwards(alice, bob, ssh):
    bob.ctl("peer", "add", "alice", alice.address)
    alice.ctl("peer", "add", "bob", bob.address)
    alice.wait_online(bob)
    assert (alice.peer("bob")["trust"], bob.peer("alice")["trust"]) == ("tofu", "tofu")
    alice.ctl("pair", "--ssh", "user@127.0.0.1", "--as", "alice2")
    assert (alice.peer("bob")["trust"], bob.peer("alice")["trust"]) == ("verified", "verified")


@pytest.mark.parametrize("destination", ["nobody@127.0.0.1", "-oProxyCommand=x", "user@127.0.0.1;x"])
def test_an_ssh_that_fails_is_told(alice, bob, ssh, destination):
    failed = alice.ctl("--json", "pair", f"--ssh={destination}", expect=69)
    assert failed.error["kind"] == "ssh"
    assert alice.rpc("peer.list")["peers"] == []


def test_names_are_no_commands_over_there(alice, bob, ssh, home):
    trap = home / "trap"
    pair(alice, "bob", "--as", f"a$(touch${{IFS}}{trap})'`touch${{IFS}}{trap}`'", expect=None)
    assert not trap.exists()


def test_the_secret_is_no_argument(alice, bob, ssh):
    """Arguments can be seen by everybody on a machine."""
    pair(alice, "bob")
    assert "p2pchat://" not in ssh.log.read_text()


def test_the_destination_is_needed(alice):
    alice.ctl("pair", expect=64)
    alice.ctl("pair", "--ssh", "user@127.0.0.1", "--timeout", "0", expect=64)
