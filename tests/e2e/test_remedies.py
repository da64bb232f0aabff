"""What the programs tell people to type is typed here as it was printed, in a shell that knows of the
daemon only what the line says.
"""

import json
import os
import re
import shlex
import subprocess

import pytest

from harness import BUILD, P2PCHATCTL, P2PCHATD, PATIENCE_S, environment, eventually, run

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")


def commands(text, program="p2pchatctl"):
    """Commands in a text. They end where the sentence goes on."""
    return [found.rstrip() for found in
            re.findall(rf"{program} (?:'[^']*'|[^;,?)\n'])+", text)]


def type_in(home, command):
    """Types it at a prompt."""
    ours = environment(home)
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                          timeout=2 * PATIENCE_S, env=dict(ours, PATH=f"{BUILD}:{ours['PATH']}"))


def ask(daemon, *arguments, expect):
    """What a client says that was told by an option where the daemon is."""
    result = run(P2PCHATCTL, "-s", daemon.socket, *arguments, home=daemon.home, expect=expect)
    return result.out + result.err


def nobody(alice):
    return {}


def away(alice):
    """A peer that can't be reached."""
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    return {}


def unaddressed(alice):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    return {}


def blocked(alice):
    unaddressed(alice)
    alice.ctl("peer", "block", "bob")
    return {}


def crowded(alice):
    """Its queue is full."""
    unaddressed(alice)
    return {"ID": alice.ctl("send", "one").out.strip()}


@pytest.mark.parametrize("arrange, arguments, status, count", [
    (nobody, ["send", "x"], 67, 1),
    (nobody, ["peer", "show", "bob"], 67, 2),
    (nobody, ["queue", "cancel", "xyz"], 67, 1),
    (nobody, ["invite", "revoke", "xyz"], 67, 1),
    (nobody, ["peer", "accept", "SHA256:" + "B" * 43], 67, 1),
    (nobody, ["stream", "bob"], 64, 1),
    (nobody, ["xyzzy"], 64, 1),
    (nobody, ["doctor"], 0, 0),
    (away, ["peer", "ping", "bob"], 75, 1),
    (away, ["stream", "bob", "ssh"], 77, 1),
    (away, ["wait-online", "bob", "--timeout", "0.1"], 75, 1),
    (away, ["send", "--wait", "--timeout", "0.1", "x"], 75, 1),
    (away, ["peer", "show", "bob"], 0, 2),
    (unaddressed, ["peer", "connect", "bob"], 64, 1),
    (unaddressed, ["peer", "show", "bob"], 0, 1),
    (unaddressed, ["peer", "add", "bob", "127.0.0.1:1"], 69, 1),
    (blocked, ["send", "x"], 77, 1),
    (blocked, ["peer", "show", "bob"], 0, 1),
    (crowded, ["send", "two"], 75, 3),
])
def test_what_the_client_says_can_be_typed(daemon, arrange, arguments, status, count):
    alice = daemon("alice", config="queue-limit-messages = 1\n")
    words = arrange(alice)
    said = ask(alice, *arguments, expect=None)
    there = re.sub(r"there: [^;)?]*", "", said)
    found = commands(there)
    assert len(found) == count, said
    for command in found:
        for word, value in {"NAME": "carol", r"ADDRESS(\.\.\.)?": "127.0.0.1:2", **words}.items():
            command = re.sub(rf"\b{word}(?!\w)", value, command)
        assert f" -s {alice.socket} " in command or command.startswith("p2pchatctl help"), said
        done = type_in(alice.home, command)
        assert done.returncode in (0, 69, 75) and "can't reach" not in done.stderr, (command, done)


def test_a_new_key_is_let_in_as_printed(daemon):
    """From the refusal to the message that arrives."""
    alice, bob = daemon("alice"), daemon("bob")
    bob.ctl("peer", "add", "alice", "--fingerprint", alice.fingerprint)
    alice.ctl("peer", "add", "bob", bob.address)
    alice.wait_online(bob)
    bob.stop()
    bob.state.rename(bob.home / "old")
    bob.start()
    eventually(lambda: alice.peer("bob")["trust"] == "changed", "the alarm")
    [show] = commands(ask(alice, "send", "-p", "bob", "x", expect=77))
    shown = type_in(alice.home, show).stdout
    [accept] = commands(shown)
    assert type_in(alice.home, accept).returncode == 0, accept
    # Bob is asked as well, and his log and his list of requests have the line for it.
    eventually(lambda: "asks from" in bob.text_of_log(), "the request")
    [logged] = set(commands(re.search(r"unknown key .*", bob.text_of_log())[0]))
    assert commands(ask(bob, "peer", "requests", expect=0)) == [logged]
    assert type_in(bob.home, logged.replace("NAME", "alice")).returncode == 0, logged
    alice.ctl("send", "-p", "bob", "--wait", "it is you")
    assert bob.received() == ["it is you"]


def test_a_daemon_of_one_s_own_is_started_as_printed(alice):
    """With its own state, so that it is the one that it was."""
    before = alice.fingerprint
    alice.stop()
    [start] = commands(ask(alice, "status", expect=69), "p2pchatd")
    ours = environment(alice.home)
    daemon = subprocess.Popen(["bash", "-c", f"exec {start} --listen {alice.address}"],
                              env=dict(ours, PATH=f"{BUILD}:{ours['PATH']}"),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: run(P2PCHATCTL, "-s", alice.socket, "status", home=alice.home,
                               expect=None).status == 0, "an answer")
        assert alice.rpc("status")["fingerprint"] == before
    finally:
        daemon.terminate()
        assert daemon.wait(timeout=PATIENCE_S) == 0


def as_nobody(daemon, *arguments):
    """A user who is no administrator asks."""
    stranger = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    return subprocess.run([*stranger, P2PCHATCTL, "-s", daemon.socket, *arguments], text=True,
                          capture_output=True, env=environment(daemon.home))


def by_root(text):
    """What `sudo COMMAND` or su -c 'COMMAND' in a text runs."""
    line = re.search(r"sudo (.*)|su -c (.*)", text)
    return (line[1] or shlex.split(line[2])[0]).rstrip(")\n")


@pytest.fixture
def with_sudo(home):
    """Runs a command where the machine has a sudo, which this one may lack."""
    layer = home / "layer"
    layer.mkdir()
    (layer / "sudo").write_text("#!/bin/sh\nexit 1\n")
    (layer / "sudo").chmod(0o755)
    probe = ["unshare", "--mount", "sh", "-c",
             f'mount -t overlay overlay -o lowerdir={layer}:/usr/bin /usr/bin && exec "$@"', "sh"]
    if subprocess.run([*probe, "true"], capture_output=True).returncode != 0:
        pytest.skip("no overlay can be mounted here")
    return probe


@as_root
def test_what_needs_root_is_printed_with_sudo(alice, with_sudo):
    """To who may use the daemon and is no administrator of it; and in the log of the system's daemon."""
    alice.socket.chmod(0o666)
    ask_as_nobody = lambda *words: subprocess.run(
        [*with_sudo, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         P2PCHATCTL, "-s", alice.socket, *words],
        text=True, capture_output=True, env=environment(alice.home))
    told = ask_as_nobody("send", "x").stderr
    assert f"pair with one: sudo p2pchatctl -s {alice.socket} invite NAME" in told
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    finding = [found for line in ask_as_nobody("doctor", "--json").stdout.splitlines()
               if (found := json.loads(line))["check"] == "peer bob"]
    assert f"sudo p2pchatctl -s {alice.socket} peer set bob ADDRESS" in finding[0]["remedy"]
    assert "sudo" not in alice.ctl("doctor", expect=None).out


@as_root
def test_the_log_of_the_system_s_daemon_says_sudo(alice, home, with_sudo):
    """It runs as a user of its own, and whoever reads the log is another one."""
    state = home / "system"
    state.mkdir()
    os.chown(state, 65534, 65534)
    home.chmod(0o777)
    system = subprocess.Popen(
        [*with_sudo, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         P2PCHATD, "--control", home / "system.sock", "--listen", "127.0.0.1:0"],
        env=dict(environment(home), RUNTIME_DIRECTORY="/run/p2pchat", CONFIGURATION_DIRECTORY=str(state),
                 STATE_DIRECTORY=str(state)), stderr=subprocess.PIPE, text=True)
    try:
        log = iter(system.stderr.readline, "")
        address = next(found[1] for line in log
                       if (found := re.search(r"listening on (\S+:\d+)", line)))
        alice.ctl("peer", "add", "them", address)
        asked = next(line for line in log if "asks from" in line)
        assert f": sudo p2pchatctl -s {home}/system.sock peer accept {alice.fingerprint}" in asked
    finally:
        system.terminate()
        system.wait(timeout=PATIENCE_S)


@as_root
def test_who_may_not_is_given_the_line_for_root(alice):
    refused = as_nobody(alice, "status")
    assert refused.returncode == 69
    assert type_in(alice.home, by_root(refused.stderr)).returncode == 0, refused.stderr
    alice.socket.chmod(0o666)
    assert as_nobody(alice, "status").returncode == 0
    refused = as_nobody(alice, "invite", "--expires", "1h", "bob")
    assert refused.returncode == 77
    assert refused.stderr.startswith("p2pchatctl: invite.create is for root and the daemon's own user: ")
    assert "p2pchat://" in type_in(alice.home, by_root(refused.stderr)).stdout, refused.stderr
