"""An error names the thing, the reason and the next step."""

import json
import subprocess

import pytest

from harness import P2PCHATCTL, run


@pytest.mark.parametrize("arguments, meant", [
    (["sned", "x"], '"send"'),
    (["folow"], '"follow"'),
    (["help", "histroy"], '"history"'),
    (["peer", "lits"], '"list"'),
    (["send", "--waitt", "x"], "--wait"),
    (["follow", "--no-folow"], "--no-follow"),
    (["--jsno", "status"], "--json"),
])
def test_a_mistyped_word_is_answered_by_the_one_that_was_meant(home, arguments, meant):
    result = run(P2PCHATCTL, *arguments, home=home, expect=64)
    assert f"did you mean {meant}?" in result.err
    assert "p2pchatctl help" in result.err


@pytest.mark.parametrize("arguments", [["xyzzy"], ["peer", "xyzzy"], ["send", "--xyzzy"]])
def test_what_is_like_nothing_gets_no_suggestion(home, arguments):
    result = run(P2PCHATCTL, *arguments, home=home, expect=64)
    assert "xyzzy" in result.err and "did you mean" not in result.err


def test_a_mistyped_peer_is_answered_by_the_one_that_was_meant(alice):
    alice.ctl("peer", "add", "carol", "127.0.0.1:1")
    alice.ctl("peer", "add", "caroline", "127.0.0.1:1")
    for arguments in (["send", "-p", "carlo", "x"], ["peer", "show", "carlo"],
                      ["follow", "-p", "carlo"], ["wait-online", "carlo"]):
        result = alice.ctl(*arguments, expect=67)
        assert result.err == "p2pchatctl: no peer carlo; did you mean carol?\n"


def test_without_any_peer_the_next_step_is_to_add_one(alice):
    result = alice.ctl("send", "x", expect=67)
    assert result.err == "p2pchatctl: there is no peer yet; pair with one: p2pchatctl invite NAME\n"


def test_a_peer_that_is_named_twice_gets_the_message_once(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    sent = alice.ctl("--json", "send", "-p", "bob", "-p", "bob", "once").json
    assert len(sent) == len(alice.history()) == 1


@pytest.mark.parametrize("arguments, next_step", [
    (["follow", "--types", "peer.onlin"], "did you mean peer.online?"),
    (["follow", "--types", "nonsense"], "p2pchatctl help follow"),
    (["rpc", "peer.gett"], "did you mean peer.get?"),
    (["rpc", "nonsense"], "see: p2pchatctl rpc"),
    (["rpc", "peer.get", '{"nam":"bob"}'], "it takes name?:string"),
    (["rpc", "status", '{"all":true}'], "it takes none"),
    (["peer", "add", "carol"], "an address like host:8766"),
    (["peer", "verify", "bob", "SHA256:short"], "see: p2pchatctl fingerprint"),
    (["peer", "connect", "bob"], "p2pchatctl peer set bob ADDRESS"),
])
def test_a_mistake_is_told_with_what_to_do_instead(alice, arguments, next_step):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    assert next_step in alice.ctl(*arguments, expect=64).err


def test_a_full_queue_is_told_with_the_way_to_room(daemon):
    alice = daemon("alice", config="queue-limit-messages = 1\n")
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    alice.ctl("send", "one")
    refused = alice.ctl("send", "two", expect=75)
    assert "p2pchatctl doctor" in refused.err and "p2pchatctl queue cancel" in refused.err


def test_an_option_behind_the_text_is_an_error_and_nothing_is_sent(alice):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    refused = alice.ctl("send", "hello", "--wait", expect=64)
    assert "--wait stands behind the text" in refused.err
    assert alice.history() == []
    alice.ctl("send", "--", "hello", "--wait")
    assert [message["body"] for message in alice.history()] == ["hello --wait"]


def test_output_that_can_not_be_written_is_an_error(alice):
    """Closed, or on a full disk: never success."""
    for redirection in (">&-", ">/dev/full"):
        for arguments in ("--version", "help", "status", "fingerprint"):
            done = subprocess.run(f"{P2PCHATCTL} -s {alice.socket} {arguments} {redirection}",
                                  shell=True, text=True, capture_output=True)
            assert (done.returncode, done.stdout) == (74, ""), (arguments, redirection)
            assert "can't write: " in done.stderr


def test_a_text_never_goes_to_the_control_socket(paired):
    """With standard output closed its number is the next one that is given."""
    alice, bob = paired
    call = '{"method":"peer.add","params":{"name":"mallory","address":["127.0.0.1:9"]}}'
    bob.ctl("send", "-p", "alice", "--wait", call)
    for arguments in ("follow -n 1 --no-follow -o cat", "history -n 1 -o cat"):
        done = subprocess.run(f"{P2PCHATCTL} -s {alice.socket} {arguments} >&-", shell=True,
                              text=True, capture_output=True)
        assert done.returncode == 74
    assert alice.ctl("-q", "peer", "list").out == "bob\n"


def test_lines_of_a_closed_input_are_an_error(alice):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    done = subprocess.run(f"{P2PCHATCTL} -s {alice.socket} send --lines <&-", shell=True, text=True,
                          capture_output=True)
    assert done.returncode == 74
    assert "can't read standard input" in done.stderr


def test_a_command_that_fails_ends_at_the_timeout(paired):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "one")
    ended = alice.ctl("follow", "-n", "1", "--timeout", "1", "--exec", "false", expect=75)
    assert "did not succeed in time" in ended.err


def test_a_wait_of_no_time_is_over_at_once(alice):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    sent = alice.ctl("send", "hello").out.strip()
    request = json.dumps({"id": sent, "state": "delivered", "timeout_ms": 0})
    assert "not delivered in time" in alice.ctl("rpc", "message.wait", request, expect=75).err


def test_a_command_runs_where_children_are_ignored(paired):
    """As under a parent that ignores SIGCHLD: the command's status is seen all the same."""
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "one")
    done = subprocess.run(["env", "--ignore-signal=CHLD", P2PCHATCTL, "-s", alice.socket, "follow",
                           "-n", "1", "--count", "1", "--timeout", "20", "--exec", "echo ran"],
                          text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")


def test_an_invite_that_leads_nobody_here_says_so(alice):
    made = alice.ctl("invite", "bob")
    assert "is called bob here" in made.err
    assert "it leads nobody here from another machine" in made.err
    elsewhere = alice.ctl("invite", "--address", "alice.example", "carol")
    assert "leads nobody" not in elsewhere.err
