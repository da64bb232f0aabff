"""What the manual shows works as it is shown: its examples are typed, its objects are compared with
real ones.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from harness import BUILD, P2PCHATD, PATIENCE_S, environment, eventually, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "docs"))

from mdoc import Page, plain

CONTROL = Page("p2pchat-control.7")


def displays(part):
    """The literal displays of a part of a page."""
    return [plain(text) for text in re.findall(r"^\.Bd -literal.*\n((?:(?!\.Ed).*\n)*)\.Ed", part.text,
                                               re.MULTILINE)]


def examples(page):
    """The commands of the section EXAMPLES, in their order."""
    section = Page(page).section("EXAMPLES")
    found = re.findall(r"^\.Dl (.*)|^\.Bd -literal.*\n((?:(?!\.Ed).*\n)*)\.Ed", section.text, re.MULTILINE)
    return [plain(line or block) for line, block in found]


# --- p2pchatctl(1) ----------------------------------------------------------------------------------

class Shell:
    """Types commands of the manual for the users of two daemons, in a folder with some files."""

    def __init__(self, alice, bob, folder):
        self.alice, self.bob, self.folder = alice, bob, folder
        self.processes = []

    def start(self, command):
        daemon = self.bob if re.match(r"p2pchatctl (join|serve) ", command) else self.alice
        if " join " in command:
            invite = self.alice.ctl("invite", "--address", self.alice.address, "bob").out.strip()
            command = command.replace("p2pchat://...", invite)
        ours = environment(daemon.home)
        process = subprocess.Popen(["bash", "-c", command], cwd=self.folder, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   env=dict(ours, PATH=f"{BUILD}:{ours['PATH']}",
                                            P2PCHAT_SOCKET=str(daemon.socket)))
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, 9)
            process.wait()


def test_the_first_chat_of_the_front_page_goes_as_printed(alice, bob):
    page = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (alice|bob)\$ +(.*?)(?: +#.*)?$", page, re.M)
    assert len(lines) == 3
    invite = ""
    for name, command in lines:
        daemon = alice if name == "alice" else bob
        # Both are on one machine, so nobody but them knows where alice is.
        command = command.replace("ctl invite", f"ctl invite --address {alice.address}")
        ours = environment(daemon.home)
        said = subprocess.run(["bash", "-c", command.replace("p2pchat://…", invite)], check=True,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env=dict(ours, PATH=f"{BUILD}:{ours['PATH']}",
                                       P2PCHAT_SOCKET=str(daemon.socket))).stdout
        invite = invite or said.strip()
    assert bob.received() == ["hello Bob"]


@pytest.fixture
def shell(alice, bob, home):
    folder = home / "files"
    folder.mkdir()
    (folder / "report.txt").write_text("a report\n")
    (folder / "archive.tar").write_text("an archive\n")
    (folder / "app.log").write_text("a line of the log\n")
    shell = Shell(alice, bob, folder)
    yield shell
    shell.end()


def check_tail(shell):
    eventually(lambda: "a line of the log" in shell.bob.received(), "the line")


def check_follow(shell):
    eventually(lambda: shell.alice.rpc("status")["followers"], "a follower")


def check_exec(shell):
    eventually(lambda: any(follower.get("consumer") == "todo"
                           for follower in shell.alice.rpc("status")["followers"]), "the consumer")
    shell.bob.ctl("send", "-p", "alice", "--wait", "buy milk")
    todo = shell.folder / "todo.txt"
    eventually(lambda: todo.exists() and todo.read_text() == "buy milk", "the text")


def check_serve(shell):
    """Bob serves, and, for the example of a command that he lets us run, one of the name in it."""
    eventually(lambda: shell.bob.rpc("service.list")["services"], "the service")
    shell.bob.client("serve", "backup", "-p", "alice", "--exec", "cat >/dev/null")
    eventually(lambda: len(shell.bob.rpc("service.list")["services"]) == 2, "the other service")


def check_forward(shell):
    def answers():
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", 5432)).close()
            return True
    eventually(answers, "the port")


# What needs another machine to log in to.
ELSEWHERE = ("p2pchatctl pair ", "ssh ", "scp ")

# What does not end by itself, and how to see that it works.
ENDLESS = {"tail -F": check_tail, "p2pchatctl follow\n": check_follow,
           "p2pchatctl follow --consumer": check_exec, "p2pchatctl serve": check_serve,
           "p2pchatctl forward": check_forward}


def test_examples_of_the_client_work(shell):
    for command in examples("p2pchatctl.1"):
        if command.startswith(ELSEWHERE):
            continue
        process = shell.start(command)
        endless = [check for start, check in ENDLESS.items() if (command + "\n").startswith(start)]
        if endless:
            endless[0](shell)
            assert process.poll() is None, command
        else:
            statuses = (0, 69) if "doctor" in command else (0,)  # it looks at this machine, too
            assert process.wait(timeout=2 * PATIENCE_S) in statuses, command
    eventually(lambda: {"The backup is done.", "a report", "finished"} <= set(shell.bob.received()),
               "what was sent")


# --- p2pchatd(8), p2pchatd.conf(5) --------------------------------------------------------------------

def check_configuration(path, home):
    run(P2PCHATD, "-t", "-c", path, "--control", home / "socket", home=home)


def test_examples_of_the_configuration_are_accepted(home):
    [config] = displays(Page("p2pchatd.conf.5").section("DESCRIPTION"))
    path = home / "p2pchatd.conf"
    path.write_text(config)
    check_configuration(path, home)


def test_values_of_the_configuration_that_the_page_names_are_accepted(home):
    path = home / "p2pchatd.conf"
    for item in Page("p2pchatd.conf.5").section("SETTINGS").items():
        key = item.macros("Ic")[0] if item.head.startswith("Ic ") else None
        for value in re.findall(r"^\.Ql ([a-z]+)(?: [;,.])?$", item.text, re.MULTILINE):
            path.write_text(f'{key} = "{value}"\n')
            check_configuration(path, home)


# --- p2pchat-control(7) -------------------------------------------------------------------------------

def members(shape):
    """The members that the page gives an object: those that are always there, and those that may be."""
    always, may_be = set(), set()
    for item in CONTROL.section("SHAPES").subsection(shape).items():
        names = re.sub(r"\b(Va|Bq)\b", "", item.head).replace(",", "").split()
        (may_be if item.head.startswith("Bq ") else always).update(names)
    return always, may_be


def compare(shape, real):
    always, may_be = members(shape)
    missing, unknown = always - set(real), set(real) - always - may_be
    assert not missing, f"'.Ss {shape}': not in a real one: {missing}"
    assert not unknown, f"'.Ss {shape}': add {unknown}"


def test_objects_have_the_members_that_the_page_gives_them(paired, daemon):
    alice, bob = paired
    carol = daemon("carol")
    carol.add(bob)
    eventually(lambda: bob.rpc("status")["requests"], "the request")
    alice.ctl("send", "-p", "bob", "--wait", "x")
    bob.rpc("peer.ping", name="alice")
    compare("Status", bob.rpc("status"))
    compare("Identity", bob.rpc("identity.get"))
    compare("Peer", bob.peer("alice"))
    compare("Message", bob.history()[0])
    compare("Message", alice.history()[0])
    compare("Request", bob.rpc("peer.requests")["requests"][0])


def test_the_request_that_the_page_shows_gets_such_a_reply(paired):
    alice, _ = paired
    request, reply = displays(CONTROL.section("DESCRIPTION").subsection("Lines"))[0].splitlines()
    control = alice.control()
    control.write(request.encode() + b"\n")
    assert re.sub(r"\d+", "N", str(control.read())) == re.sub(r"\d+", "N", str(json.loads(reply)))


def test_the_shell_example_s_request_is_accepted(paired):
    alice, bob = paired
    request = re.search(r"echo '(\{.*\})'", CONTROL.section("EXAMPLES").text)[1]
    control = alice.control()
    control.write(request.encode() + b"\n")
    assert control.read()["result"]["messages"][0]["peer"] == "bob"
    eventually(lambda: bob.received() == ["hi"], "the message")


def test_the_event_that_the_page_shows_is_like_a_real_one(paired):
    alice, bob = paired
    [shown] = displays(CONTROL.section("EVENTS"))
    shown = json.loads(shown.replace("\n", ""))
    bob.ctl("send", "-p", "alice", "--wait", "hi")
    control = alice.control()
    control.ask("follow", after=0, types=["message.received"], live=False)
    assert "result" in control.read()
    real = control.read()
    assert real.keys() == shown.keys()
    assert real["params"].keys() == shown["params"].keys()
    assert real["params"]["message"].keys() == shown["params"]["message"].keys()
