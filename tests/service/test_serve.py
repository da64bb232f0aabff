"""Services that are provided from when the machine starts."""

import pathlib
import sys

import pytest

from machine import eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "docs"))

from mdoc import Page, plain  # noqa: E402

ALICE = "SHA256:" + "A" * 43
SERVICES = "/etc/p2pchat/services"


def recipe():
    """The lines to type of the page."""
    lines = Page("p2pchatctl.1").section("VERBS").subsection("serve").lines
    return [plain(line.removeprefix(".Dl ")) for line in lines if line.startswith(".Dl ")]


@pytest.fixture
def server(machine):
    """A machine with the service running, that knows alice."""
    machine.systemctl("enable", "--now", "p2pchatd")
    machine.ctl("peer", "add", "alice", "--fingerprint", ALICE)
    return machine


def provided(machine):
    return machine.ctl("rpc", "service.list").out


def test_the_recipe_of_the_page_provides_a_service_as_a_user_of_its_own(server):
    for line in recipe():
        server.run("sh", "-ec", line)
    eventually(lambda: '"name":"ssh"' in provided(server), "the service")
    pid = server.show("MainPID", unit="p2pchat-serve.service")
    assert server.run("stat", "-c", "%U", f"/proc/{pid}").out == "p2pchat-serve\n"
    server.run("systemd-run", "--quiet", "--wait", "--property=User=p2pchat-serve", "test", "!",
             "-r", "/var/lib/p2pchat/identity.pem")


def test_it_comes_back_with_the_daemon_and_after_a_kill(server):
    server.write(SERVICES, "echo -p alice --exec cat\n")
    server.systemctl("start", "p2pchat-serve")
    eventually(lambda: '"provided":true' in provided(server), "the service")
    server.systemctl("restart", "p2pchatd")
    eventually(lambda: '"provided":true' in provided(server), "the service again")
    server.run("kill", "-KILL", server.show("MainPID", unit="p2pchat-serve.service"))
    server.wait_for("NRestarts", "1", unit="p2pchat-serve.service")
    eventually(lambda: '"provided":true' in provided(server), "the service once more")


def test_a_wrong_line_is_left_to_a_person(server):
    server.write(SERVICES, "echo --exec cat\n")
    server.systemctl("start", "p2pchat-serve")
    server.wait_for("ActiveState", "failed", unit="p2pchat-serve.service")
    assert server.show("ExecMainStatus", unit="p2pchat-serve.service") == "64"
    assert server.show("NRestarts", unit="p2pchat-serve.service") == "0"
    [entry] = [entry for entry in server.journal("_SYSTEMD_UNIT=p2pchat-serve.service")
               if "line 1" in entry["MESSAGE"]]
    assert SERVICES in entry["MESSAGE"]


def test_without_a_file_nothing_is_provided(server):
    server.systemctl("start", "p2pchat-serve")
    assert server.show("ConditionResult", unit="p2pchat-serve.service") == "no"


def test_a_user_s_services_are_run_by_the_user_s_manager(machine):
    machine.run("useradd", "--create-home", "bob")
    machine.systemctl("start", f"user@{machine.uid('bob')}.service")
    machine.systemctl("--user", "start", "p2pchatd", user="bob")
    machine.ctl("peer", "add", "alice", "--fingerprint", ALICE, user="bob")
    machine.run("mkdir", "-p", "/home/bob/.config/p2pchat", user="bob")
    machine.write("/home/bob/.config/p2pchat/services", "echo -p alice --exec cat\n")
    machine.systemctl("--user", "start", "p2pchat-serve", user="bob")
    eventually(lambda: '"provided":true' in machine.ctl("rpc", "service.list", user="bob").out,
               "the service")
