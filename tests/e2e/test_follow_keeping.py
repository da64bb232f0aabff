"""Followers that keep their position: in a file, or in the daemon as a consumer. At least once."""

import os
import re
import signal

import pytest

from harness import RpcError, eventually


def send(alice, *texts):
    for text in texts:
        alice.ctl("send", "-p", "bob", "--wait", text)


def consumer(daemon, name):
    return next(c for c in daemon.rpc("status")["consumers"] if c["name"] == name)


# --- a file ---


def test_a_cursor_file_goes_on_where_it_was(paired, home):
    alice, bob = paired
    options = ["follow", "--no-follow", "-o", "cat", "--cursor-file", home / "cursor"]
    assert bob.ctl(*options).lines == []
    send(alice, "a", "b")
    assert bob.ctl(*options).lines == ["a", "b"]
    assert bob.ctl(*options).lines == []
    send(alice, "c")
    bob.restart()
    assert bob.ctl(*options).lines == ["c"]


def test_a_killed_follower_with_a_cursor_file_misses_nothing(paired, home):
    alice, bob = paired
    options = ["follow", "-o", "cat", "--cursor-file", home / "cursor"]
    follower = bob.client(*options)
    eventually((home / "cursor").exists, "the file")
    send(alice, "a", "b", "c")
    assert follower.take(2) == ["a", "b"]
    follower.process.kill()
    send(alice, "d")
    again = bob.ctl(*options, "--no-follow").lines
    assert again == ["a", "b", "c", "d"][-len(again):]
    assert "d" in again


def test_a_cursor_of_another_store_begins_anew(paired, home):
    alice, bob = paired
    send(alice, "a")
    (home / "cursor").write_text("0123456789abcdef 999\n")
    result = bob.ctl("follow", "--no-follow", "-o", "cat", "--cursor-file", home / "cursor")
    assert result.lines == ["a"]
    assert "replaced" in result.err


def test_what_is_no_cursor_file_is_left_alone(alice, home):
    for text in ("", "hello", "x y", " 5", "x" * 600 + " 5", "epoch 99999999999999999999"):
        (home / "cursor").write_text(text)
        alice.ctl("follow", "--no-follow", "--cursor-file", home / "cursor", expect=65)
        assert (home / "cursor").read_text() == text


def test_a_cursor_file_that_can_not_be_written_is_told(alice, home):
    alice.ctl("follow", "--no-follow", "--cursor-file", home / "no" / "cursor", expect=74)


# --- a consumer ---


def test_a_consumer_goes_on_after_what_it_was_shown(paired):
    alice, bob = paired
    options = ["follow", "--no-follow", "-o", "cat", "--consumer", "log"]
    assert bob.ctl(*options).lines == []
    send(alice, "a", "b")
    assert consumer(bob, "log")["lag"] > 0
    assert bob.ctl(*options).lines == ["a", "b"]
    assert consumer(bob, "log")["lag"] == 0
    bob.kill()
    bob.start()
    assert bob.ctl(*options).lines == []
    send(alice, "c")
    assert bob.ctl(*options).lines == ["c"]


def test_what_was_not_acknowledged_comes_again(paired):
    alice, bob = paired
    control = bob.control()
    sub = control.call("follow", consumer="log", types=["message.received"])["sub"]
    assert control.read()["params"]["type"] == "follow.live"
    send(alice, "a", "b")
    first, second = (control.read()["params"] for _ in range(2))
    control.call("follow.ack", sub=sub, seq=first["seq"])
    bob.kill()
    bob.start()
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "--consumer", "log").lines == ["b"]


def test_a_consumer_survives_a_restart_of_the_daemon_without_repetition(paired):
    alice, bob = paired
    follower = bob.client("follow", "-o", "cat", "--consumer", "log")
    eventually(lambda: bob.rpc("status")["followers"], "the follower")
    send(alice, "a")
    assert follower.take(1) == ["a"]
    bob.restart()
    send(alice, "b")
    assert follower.take(1) == ["b"]
    [shown] = bob.rpc("status")["followers"]
    assert shown["consumer"] == "log"


def test_a_new_consumer_begins_where_it_is_told_and_only_then(paired):
    alice, bob = paired
    send(alice, "a", "b")
    options = ["follow", "--no-follow", "-o", "cat", "-n", "all", "--consumer", "log"]
    assert bob.ctl(*options).lines == ["a", "b"]
    assert bob.ctl(*options).lines == []


def test_a_second_follower_takes_a_consumer_over(paired):
    alice, bob = paired
    first = bob.client("follow", "-o", "cat", "--consumer", "log")
    eventually(lambda: bob.rpc("status")["followers"], "the first")
    second = bob.client("follow", "-o", "cat", "--consumer", "log")
    first.wait(expect=75)
    assert b"taken over" in first.err
    send(alice, "a")
    assert second.take(1) == ["a"]
    assert len(bob.rpc("status")["followers"]) == 1


def test_only_what_was_sent_can_be_acknowledged(paired):
    alice, bob = paired
    send(alice, "a")
    control = bob.control()
    plain = control.call("follow", live=True, after=0)["sub"]
    named = control.call("follow", consumer="log")["sub"]
    for params in ({"sub": plain, "seq": 1}, {"sub": named, "seq": 10**6}, {"sub": 99, "seq": 1}):
        with pytest.raises(RpcError) as error:
            control.call("follow.ack", **params)
        assert error.value.kind == "usage"


def test_a_consumer_can_be_forgotten(alice):
    control = alice.control()
    sub = control.call("follow", consumer="log")["sub"]
    control.call("follow.stop", sub=sub, forget=True)
    assert alice.rpc("status")["consumers"] == []


def test_a_consumers_name_is_short_and_not_empty(alice):
    for name in ("", "x" * 65):
        with pytest.raises(RpcError) as error:
            alice.rpc("follow", consumer=name)
        assert error.value.kind == "usage"
    alice.rpc("follow", consumer="x" * 64)


# --- a command ---


def test_a_command_gets_each_message(paired, home):
    alice, bob = paired
    send(alice, "first\nline", "second")
    script = f'cat >> {home}/out; echo "|$P2PCHAT_PEER|$P2PCHAT_TRUST" >> {home}/out'
    bob.ctl("follow", "--no-follow", "-n", "all", "--exec", script)
    trust = bob.peer("alice")["trust"]
    assert (home / "out").read_text() == f"first\nline|alice|{trust}\nsecond|alice|{trust}\n"


def test_a_command_is_told_all_about_the_message(paired, home):
    alice, bob = paired
    send(alice, "x")
    bob.ctl("follow", "--no-follow", "-n", "all", "--exec", f"env > {home}/env; cat > /dev/null")
    environment = dict(line.split("=", 1) for line in (home / "env").read_text().splitlines())
    [message] = bob.history()
    assert environment["P2PCHAT_ID"] == message["id"]
    assert environment["P2PCHAT_TIME"] == message["time"]
    assert environment["P2PCHAT_FINGERPRINT"] == alice.fingerprint


def test_a_command_that_fails_is_run_again(paired, home):
    alice, bob = paired
    send(alice, "a", "b")
    script = f'cat >> {home}/out; [ "$(wc -c < {home}/out)" -gt 1 ]'
    result = bob.ctl("follow", "--no-follow", "-n", "all", "--exec", script)
    assert (home / "out").read_text() == "aab"
    assert "status 1" in result.err


def test_a_command_need_not_read_its_input(paired, home):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", input="x" * 65536)
    result = bob.ctl("follow", "--no-follow", "-n", "all", "--exec", f"exec <&-; touch {home}/ran")
    assert (home / "ran").exists()
    assert result.err == ""


def test_success_acknowledges_and_failure_does_not(paired, home):
    alice, bob = paired
    options = ["follow", "--consumer", "job", "--exec"]
    bob.ctl(*options, "true", "--no-follow")
    send(alice, "a", "b")
    script = f'cat > {home}/text; cat {home}/text >> {home}/out; [ "$(cat {home}/text)" = a ]'
    failing = bob.client(*options, script)
    eventually(lambda: b"status 1" in failing.err, "the failure")
    failing.process.kill()
    failing.wait(expect=-signal.SIGKILL)
    assert re.fullmatch("ab+", (home / "out").read_text())  # it may have been tried again
    bob.ctl(*options, f"cat >> {home}/again", "--no-follow")
    assert (home / "again").read_text() == "b"


def test_a_signal_lets_the_command_finish_and_acknowledges(paired, home):
    alice, bob = paired
    os.mkfifo(home / "go")
    options = ["follow", "--consumer", "job", "--exec"]
    bob.ctl(*options, "true", "--no-follow")
    send(alice, "a")
    follower = bob.client(*options, f"touch {home}/running; read go < {home}/go; cat >> {home}/out")
    eventually((home / "running").exists, "the command")
    follower.process.send_signal(signal.SIGTERM)
    (home / "go").write_text("go\n")
    follower.wait()
    assert (home / "out").read_text() == "a"
    bob.ctl(*options, f"cat >> {home}/out", "--no-follow")
    assert (home / "out").read_text() == "a"


def test_a_signal_ends_it_at_once_between_messages(alice):
    for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        follower = alice.client("follow", "--exec", "true")
        eventually(lambda: alice.rpc("status")["followers"], "the follower")
        follower.process.send_signal(number)
        follower.wait(expect=status)
        eventually(lambda: not alice.rpc("status")["followers"], "its end")


def test_only_one_keeps_the_position(alice, home):
    alice.ctl("follow", "--consumer", "a", "--cursor-file", home / "c", expect=64)
