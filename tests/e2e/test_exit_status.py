"""Every exit status of the programs, as their manual promises it."""

import os
import signal
import subprocess

import pytest

from harness import P2PCHATCTL, P2PCHATD, run


def kind(daemon, *arguments, expect, **options):
    """The stable name of the error that a command ends with."""
    return daemon.ctl("--json", *arguments, expect=expect, **options).error["kind"]


def test_0_is_for_help_and_version_without_a_daemon(home):
    for arguments in (["--help"], ["help"], ["help", "send"], ["version"], ["version", "--json"]):
        result = run(P2PCHATCTL, *arguments, home=home)
        assert result.out
        assert result.err == ""


@pytest.mark.parametrize("arguments", [
    [],
    ["nonsense"],
    ["--nonsense"],
    ["send", "--nonsense"],
    ["send", "--wait=soon", "x"],
    ["send", "--timeout", "never", "x"],
    ["send", "--expires", "-1", "x"],
    ["follow", "-o", "xml"],
    ["follow", "-n", "few"],
    ["follow", "--count", "0x"],
    ["peer"],
    ["peer", "nonsense"],
    ["peer", "add"],
    ["peer", "add", "bob", "127.0.0.1:99999"],
    ["peer", "show"],
    ["wait-online", "--timeout", "x"],
    ["rpc", "status", "{"],
    ["queue", "cancel"],
])
def test_64_is_for_usage(alice, arguments):
    result = alice.ctl(*arguments, expect=64)
    assert result.out == ""
    assert result.err


def test_64_is_for_an_unknown_method(alice):
    alice.ctl("rpc", "no.such.method", expect=64)


@pytest.mark.parametrize("input, wanted", [
    (b"", "empty"),
    (b"\n", "empty"),
    (b"\xff\xfe", "not_utf8"),
    (b"\xed\xa0\x80", "not_utf8"),
    (b"x" * 65537, "too_large"),
], ids=lambda value: str(value)[:20])
def test_65_is_for_a_text_that_can_not_be_sent(paired, input, wanted):
    alice, _ = paired
    assert kind(alice, "send", "-p", "bob", input=input, expect=65) == wanted


def test_65_is_for_an_empty_argument(paired):
    alice, _ = paired
    alice.ctl("send", "-p", "bob", "", expect=65)


def test_65_leaves_nothing_behind(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", input=b"\xff", expect=65)
    assert alice.history() == []


def test_67_is_for_no_such_peer(alice):
    assert kind(alice, "send", "-p", "nobody", "x", expect=67) == "no_such_peer"
    assert kind(alice, "peer", "show", "nobody", expect=67) == "no_such_peer"
    assert kind(alice, "peer", "remove", "nobody", expect=67) == "no_such_peer"
    assert kind(alice, "wait-online", "nobody", expect=67) == "no_such_peer"


def test_67_is_for_no_peer_at_all(alice):
    alice.ctl("send", "x", expect=67)


def test_67_is_for_not_saying_which(alice):
    for name in ("bob", "carol"):
        alice.ctl("peer", "add", name, "127.0.0.1:1")
    assert kind(alice, "send", "x", expect=67) == "ambiguous_peer"


def test_67_is_for_no_such_message(alice):
    assert kind(alice, "queue", "cancel", "01930000-0000-7000-8000-000000000000",
                expect=67) == "no_such_message"


def test_69_is_for_no_daemon_and_says_where_and_what_to_do(home):
    socket = home / "nowhere.sock"
    result = run(P2PCHATCTL, "-s", socket, "status", home=home, expect=69)
    assert str(socket) in result.err
    assert "No such file or directory" in result.err
    assert "p2pchatd" in result.err
    assert result.out == ""


def test_69_is_for_a_socket_that_nobody_serves(alice):
    alice.kill()
    result = alice.ctl("status", expect=69)
    assert "Connection refused" in result.err


def test_75_is_for_not_in_time(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    assert kind(alice, "wait-online", "bob", "--timeout", "0.1", expect=75) == "timeout"
    assert kind(alice, "send", "-p", "bob", "--wait", "--timeout", "0.1", "x", expect=75) == "timeout"


def test_75_is_for_a_peer_that_is_offline(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    assert kind(alice, "peer", "ping", "bob", expect=75) == "peer_offline"


def test_75_is_for_a_full_queue(daemon, bob):
    alice = daemon("alice", config="queue-limit-messages = 3\n")
    bob.stop()
    alice.add(bob)
    for _ in range(3):
        alice.ctl("send", "-p", "bob", "x")
    assert kind(alice, "send", "-p", "bob", "x", expect=75) == "queue_full"
    assert alice.peer("bob")["queued"] == 3


def test_77_is_for_a_blocked_peer(paired):
    alice, _ = paired
    alice.ctl("peer", "block", "bob")
    assert kind(alice, "send", "-p", "bob", "x", expect=77) == "blocked"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_77_is_for_who_is_not_admin(alice):
    alice.socket.chmod(0o666)
    program = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", P2PCHATCTL]
    done = subprocess.run([*program, "-s", alice.socket, "--json", "peer", "add", "bob"],
                          capture_output=True, text=True)
    assert done.returncode == 77
    assert '"not_admin"' in done.stderr
    done = subprocess.run([*program, "-s", alice.socket, "status"], capture_output=True)
    assert done.returncode == 0


def test_78_is_for_a_bad_configuration(home):
    config = home / "p2pchatd.conf"
    config.write_text('log-level = "info"\nunknown-peers = perhaps\n')
    result = run(P2PCHATD, "-c", config, "-t", home=home, expect=78)
    assert f"{config}:2: " in result.err


def test_64_is_for_the_usage_of_the_daemon(home):
    for arguments in (["--nonsense"], ["stray"], ["--log-level", "loud"], ["--listen", "a:b:c"]):
        run(P2PCHATD, *arguments, home=home, expect=64)


def test_130_is_for_an_interrupt(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "x")
    follower = bob.client("follow", "-n", "all")
    follower.take(1)
    follower.process.send_signal(signal.SIGINT)
    follower.wait(expect=130)


def test_errors_go_to_standard_error_and_nothing_to_standard_output(alice):
    for arguments in (["send", "-p", "nobody", "x"], ["--json", "send", "-p", "nobody", "x"]):
        result = alice.ctl(*arguments, expect=67)
        assert result.out == ""
        assert result.err.count("\n") == 1


def test_the_error_object_names_code_kind_and_message(alice):
    error = alice.ctl("--json", "send", "-p", "nobody", "x", expect=67).error
    assert (error["code"], error["kind"]) == (-67, "no_such_peer")
    assert "nobody" in error["message"]
