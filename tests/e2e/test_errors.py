"""An error names the thing, the reason and the next step."""

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
    assert result.err == "p2pchatctl: there is no peer yet; pair with one: p2pchatctl invite\n"


def test_a_peer_that_is_named_twice_gets_the_message_once(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    sent = alice.ctl("--json", "send", "-p", "bob", "-p", "bob", "once").json
    assert len(sent) == len(alice.history()) == 1
