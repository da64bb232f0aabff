"""Files that come by themselves, from when the machine starts."""

import json

import pytest

from machine import eventually

SENDER = ("-s", "/run/sender/control.sock")
FOLDER = "/var/lib/p2pchat-files/sender"


@pytest.fixture
def receiver(machine):
    """A machine with the daemon and a sender: another daemon in it that knows it."""
    machine.systemctl("enable", "--now", "p2pchatd")
    machine.run("mkdir", "-p", "/run/sender/state")
    machine.write("/run/sender/conf", "listen = 127.0.0.1:8767\n")
    machine.run("systemd-run", "--quiet", "--unit=sender", "p2pchatd", "--state-dir",
                "/run/sender/state", "--config", "/run/sender/conf", "--control", SENDER[1])
    eventually(lambda: machine.ctl(*SENDER, "status", expect=None).status == 0, "the sender")
    machine.ctl(*SENDER, "peer", "add", "receiver", "--fingerprint", fingerprint(machine))
    machine.ctl("peer", "add", "sender", "127.0.0.1:8767", "--fingerprint",
                fingerprint(machine, *SENDER))
    machine.ctl("wait-online", "sender")
    return machine


def fingerprint(machine, *options):
    return json.loads(machine.ctl(*options, "--json", "fingerprint").out)["fingerprint"]


def send(machine, path):
    return machine.ctl(*SENDER, "send-file", "-p", "receiver", "--wait", "--timeout", "60s", path)


def test_what_a_peer_offers_comes_into_a_folder_of_its_own(receiver):
    receiver.systemctl("enable", "--now", "p2pchat-files@sender")
    send(receiver, "/etc/hostname")
    assert receiver.run("cat", f"{FOLDER}/hostname").out == receiver.run("cat", "/etc/hostname").out
    owner = receiver.run("stat", "-c", "%U", f"{FOLDER}/hostname").out.strip()
    assert owner not in ("root", "p2pchat")
    assert "without Landlock" not in receiver.run("journalctl", "-u", "p2pchat-files@sender").out


def test_it_comes_back_after_a_kill_and_takes_options_of_the_peer(receiver):
    receiver.run("mkdir", "-p", "/etc/p2pchat/files")
    receiver.write("/etc/p2pchat/files/sender", "OPTIONS=--max-size 10\n")
    receiver.write("/root/large", "more than ten bytes")
    receiver.write("/root/small", "ten bytes")
    receiver.systemctl("start", "p2pchat-files@sender")
    unit = "p2pchat-files@sender.service"
    receiver.run("kill", "-KILL", receiver.show("MainPID", unit=unit))
    receiver.wait_for("NRestarts", "1", unit=unit)
    refused = receiver.ctl(*SENDER, "send-file", "-p", "receiver", "--wait", "/root/large", expect=76)
    assert "size" in refused.err
    send(receiver, "/root/small")
    assert receiver.run("cat", f"{FOLDER}/small").out == "ten bytes"


def test_an_unknown_peer_is_left_to_a_person(receiver):
    receiver.systemctl("start", "p2pchat-files@nobody")
    receiver.wait_for("ActiveState", "failed", unit="p2pchat-files@nobody.service")
