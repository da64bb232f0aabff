"""A follower is a cursor: it sees everything from where it starts, once, in order, for ever."""

import os
import signal
import subprocess

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually


@pytest.fixture
def five(paired):
    """bob has five messages from alice."""
    alice, bob = paired
    for number in range(1, 6):
        alice.ctl("send", "-p", "bob", "--wait", f"message {number}")
    return alice, bob


def texts(*numbers):
    return [f"message {number}" for number in numbers]


def seqs(daemon):
    return [message["seq"] for message in daemon.history()]


def test_n_shows_the_last_messages(five):
    _, bob = five
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "-n", 2).lines == texts(4, 5)
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "-n", 0).lines == []
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "-n", 99).lines == texts(1, 2, 3, 4, 5)
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "-n", "all").lines == texts(1, 2, 3, 4, 5)


def test_n_counts_what_is_shown(five, daemon):
    """Of other types, and of several peers, too."""
    alice, bob = five
    carol = daemon("carol")
    carol.add(bob)
    bob.add(carol)
    for number in range(3):
        bob.ctl("send", "-p", "alice", "--wait", f"answer {number}")
        carol.ctl("send", "-p", "bob", "--wait", f"aside {number}")
    shown = ["follow", "--no-follow", "--json", "--types"]
    sent = bob.ctl(*shown, "message.sent", "-n", 2).json
    assert [event["message"]["body"] for event in sent] == ["answer 1", "answer 2"]
    states = bob.ctl(*shown, "message.state", "-n", 4).json
    assert [event["type"] for event in states] == ["message.state"] * 4
    both = bob.ctl(*shown, "message.sent,message.received", "-n", 3, "-p", "alice").json
    assert [event["message"]["body"] for event in both] == ["answer 0", "answer 1", "answer 2"]
    two = bob.ctl("follow", "--no-follow", "-o", "cat", "-n", 4, "alice", "carol").lines
    assert two == ["message 5", "aside 0", "aside 1", "aside 2"]
    assert bob.ctl(*shown, "peer.trust", "-n", 5, "alice").json == [
        event for event in bob.ctl(*shown, "peer.trust", "-n", "all", "alice").json]


def test_n_goes_on_with_what_comes(five):
    alice, bob = five
    follower = bob.client("follow", "-o", "cat", "-n", 1)
    assert follower.take(1) == texts(5)
    alice.ctl("send", "-p", "bob", "message 6")
    assert follower.take(1) == texts(6)


def test_it_starts_at_now_by_default(five):
    alice, bob = five
    follower = bob.client("follow", "-o", "cat")
    eventually(lambda: bob.rpc("status")["followers"], "the follower")
    alice.ctl("send", "-p", "bob", "message 6")
    assert follower.take(1) == texts(6)


def test_after_is_exclusive(five):
    _, bob = five
    third = seqs(bob)[2]
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "--after", third).lines == texts(4, 5)


def test_since_starts_at_a_time(five):
    _, bob = five
    third = bob.history()[2]["time"]
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "--since", third).lines == texts(3, 4, 5)
    assert bob.ctl("follow", "--no-follow", "-o", "cat", "--since",
                   "2100-01-01T00:00:00Z").lines == []


def test_count_ends_it(five):
    _, bob = five
    assert bob.ctl("follow", "-o", "cat", "-n", "all", "--count", 3).lines == texts(1, 2, 3)


def test_timeout_ends_it(five):
    _, bob = five
    options = ["follow", "-o", "cat", "-n", 1, "--timeout", "0.2"]
    for result in (bob.ctl(*options), bob.ctl(*options, "--count", 2, expect=75)):
        assert result.lines in (texts(5), [])  # what came in time


def test_peers_are_selected(paired, daemon):
    alice, bob = paired
    carol = daemon("carol")
    bob.add(carol, address=False)
    carol.add(bob)
    alice.ctl("send", "-p", "bob", "--wait", "from alice")
    carol.ctl("send", "-p", "bob", "--wait", "from carol")
    options = ["follow", "--no-follow", "-o", "cat", "-n", "all"]
    assert bob.ctl(*options, "-p", "alice").lines == ["from alice"]
    assert bob.ctl(*options, "-p", "carol").lines == ["from carol"]
    assert sorted(bob.ctl(*options, "-p", "alice", "-p", "carol").lines) == \
        ["from alice", "from carol"]
    assert bob.ctl(*options, "-p", "nobody", expect=67).lines == []


def test_o_short_has_time_peer_and_text_with_indented_continuation(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "first\nsecond")
    time = bob.history()[0]["time"][:19].replace("T", " ")
    indent = " " * len(f"{time} alice: ")
    expected = f"{time} alice: first\n{indent}second\n"
    assert bob.ctl("follow", "--no-follow", "-n", 1, "-o", "short").out == expected
    assert bob.ctl("follow", "--no-follow", "-n", 1).out == expected


def test_o_cat_has_the_exact_bytes(paired):
    alice, bob = paired
    text = "ESC \x1b[31m C1 \u009b bidi \u202e\nsecond"
    alice.ctl("send", "-p", "bob", "--wait", text)
    assert bob.ctl("follow", "--no-follow", "-n", 1, "-o", "cat").out == text + "\n"


def test_0_ends_each_text_with_nul(five):
    _, bob = five
    assert bob.ctl("follow", "--no-follow", "-n", 2, "-o", "cat", "-0").out == \
        "message 4\0message 5\0"


def test_o_json_has_one_event_per_line(five):
    alice, bob = five
    events = bob.ctl("follow", "--no-follow", "-n", "all", "-o", "json", "--types",
                     "message.received").json
    assert [event["message"]["body"] for event in events] == texts(1, 2, 3, 4, 5)
    for event in events:
        assert (event["type"], event["peer"], event["trust"], event["fingerprint"]) == \
            ("message.received", "alice", "verified", alice.fingerprint)
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    assert all(0 < seq < 2**53 for seq in seqs)


def test_a_terminal_sees_no_control_characters(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "a\x1b]52;c;eA==\x07b\u202ec\u009bd\re")
    terminal, end = os.openpty()
    subprocess.run([P2PCHATCTL, "-s", bob.socket, "follow", "--no-follow", "-n", "1"], stdout=end,
                   env=dict(environment(bob.home), TERM="xterm", NO_COLOR="1"), check=True)
    with open(terminal, "rb") as lines:
        shown = lines.readline().decode()
    os.close(end)
    assert "52;c;" in shown
    assert not set("\x1b\x07\u202e\u009b") & set(shown)
    assert "\r" not in shown.replace("\r\n", "")


def test_types_select_events(five):
    alice, bob = five
    events = alice.ctl("follow", "--no-follow", "-n", "all", "-o", "json",
                       "--types", "message.sent").json
    assert [event["message"]["body"] for event in events] == texts(1, 2, 3, 4, 5)
    assert {event["type"] for event in events} == {"message.sent"}


def test_the_backlog_ends_with_follow_live(five):
    _, bob = five
    control = bob.control()
    sub = control.call("follow", after=0)["sub"]
    types = []
    while "follow.live" not in types:
        event = control.read()["params"]
        assert event["sub"] == sub
        types.append(event["type"])
    assert types.count("message.received") == 5


def test_a_stream_can_be_stopped(five):
    alice, bob = five
    control = bob.control()
    sub = control.call("follow")["sub"]
    control.call("follow.stop", sub=sub)
    assert bob.rpc("status")["followers"] == []
    alice.ctl("send", "-p", "bob", "--wait", "unheard")
    assert control.call("hello")


def test_two_streams_on_one_connection_are_told_apart(five):
    _, bob = five
    control = bob.control()
    control.ask("follow", lines=1, live=False)
    control.ask("follow", lines=2, live=False)
    subs, bodies = set(), []
    while len(bodies) < 3:
        line = control.read()
        if "result" in line:
            subs.add(line["result"]["sub"])
        elif line["params"]["type"] == "message.received":
            bodies.append((line["params"]["sub"], line["params"]["message"]["body"]))
    assert len(subs) == 2
    assert {sub for sub, _ in bodies} == subs


def test_it_goes_on_where_it_was_after_a_restart_of_the_daemon(five):
    alice, bob = five
    follower = bob.client("follow", "-o", "cat", "-n", "all")
    assert follower.take(5) == texts(1, 2, 3, 4, 5)
    bob.restart()
    alice.ctl("send", "-p", "bob", "--wait", "message 6")
    assert follower.take(1) == texts(6)
    bob.kill()
    alice.ctl("send", "-p", "bob", "message 7")
    bob.start()
    assert follower.take(1) == texts(7)
    follower.process.send_signal(signal.SIGTERM)
    assert follower.rest() == []


def test_it_goes_on_when_its_peer_was_renamed_and_the_daemon_restarted(five):
    alice, bob = five
    follower = bob.client("follow", "-p", "alice", "-n", 1)
    assert follower.next().endswith(" alice: message 5")
    bob.ctl("peer", "rename", "alice", "alicia")
    alice.ctl("send", "-p", "bob", "message 6")
    assert follower.next().endswith(" alicia: message 6")
    bob.restart()
    alice.ctl("send", "-p", "bob", "message 7")
    assert follower.next().endswith(" alicia: message 7")


def test_it_goes_on_when_its_peer_has_another_key_and_the_daemon_restarted(five, daemon):
    alice, bob = five
    follower = bob.client("follow", "-p", "alice", "-n", 1)
    assert follower.next().endswith(" alice: message 5")
    other = daemon("other")
    bob.ctl("peer", "remove", "alice")
    bob.ctl("peer", "add", "alice", other.address, "--fingerprint", other.fingerprint)
    bob.restart()
    other.add(bob)
    other.ctl("send", "-p", "bob", "--wait", "a new key")
    assert follower.next().endswith(" alice: a new key")


def test_events_are_still_there_after_a_restart(five):
    _, bob = five
    options = ["follow", "--no-follow", "-n", "all", "-o", "json", "--types", "message.received"]
    without_sub = lambda events: [{k: v for k, v in e.items() if k != "sub"} for e in events]
    before = without_sub(bob.ctl(*options).json)
    bob.restart()
    assert without_sub(bob.ctl(*options).json) == before


def test_a_thousand_messages_are_followed_without_a_gap(paired):
    alice, bob = paired
    follower = bob.client("follow", "-o", "cat", "--after", 0)
    alice.ctl("send", "-p", "bob", "--wait", "--lines",
              input="".join(f"{n}\n" for n in range(1000)))
    assert follower.take(1000) == [str(n) for n in range(1000)]


def test_a_slow_follower_gets_everything(paired):
    alice, bob = paired
    follower = bob.client("follow", "-o", "cat", "--after", 0)
    eventually(lambda: bob.rpc("status")["followers"], "the follower")
    follower.process.send_signal(signal.SIGSTOP)
    text = "y" * 5000
    alice.ctl("send", "-p", "bob", "--wait", "--lines",
              input="".join(f"{n} {text}\n" for n in range(500)))
    follower.process.send_signal(signal.SIGCONT)
    assert [line.split()[0] for line in follower.take(500)] == [str(n) for n in range(500)]


def test_a_closed_pipe_ends_it_quietly(five):
    alice, bob = five
    process = subprocess.Popen([P2PCHATCTL, "-s", bob.socket, "follow", "-o", "cat", "-n", "all"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment(bob.home))
    with process:
        assert process.stdout.readline() == b"message 1\n"
        process.stdout.close()
        alice.ctl("send", "-p", "bob", "--wait", "message 6")
        assert process.wait(timeout=PATIENCE_S) == 0
        assert process.stderr.read() == b""


def test_presence_is_told_and_not_stored(paired):
    alice, bob = paired
    follower = alice.client("follow", "-o", "json", "--types", "peer.online,peer.offline")
    eventually(lambda: alice.rpc("status")["followers"], "the follower")
    bob.stop()
    assert follower.next_json()["type"] == "peer.offline"
    bob.start()
    assert follower.next_json()["type"] == "peer.online"
    assert alice.ctl("follow", "--no-follow", "-n", "all", "-o", "json",
                     "--types", "peer.online,peer.offline").lines == []


def test_followers_show_in_the_status_until_they_leave(paired):
    _, bob = paired
    control = bob.control()
    control.call("follow", after=0)
    [follower] = bob.rpc("status")["followers"]
    assert {"sub", "lag"} <= set(follower)
    control.end()
    eventually(lambda: not bob.rpc("status")["followers"], "the follower's end")


def test_followers_are_told_that_the_daemon_stops(alice):
    control = alice.control()
    control.call("follow")
    alice.stop()
    types = []
    while (line := control.read()) is not None:
        types.append(line["params"]["type"])
    assert types[-1] == "daemon.stopping"
