"""What leaves the store by itself or when told to, and how those who follow learn of it."""

import pytest

from harness import RpcError, eventually, faketime, pair

EVER = "2999-01-01T00:00:00Z"


def send(alice, *texts):
    alice.ctl("send", "-p", "bob", "--wait", "--lines", input="".join(t + "\n" for t in texts))


def follow(daemon, **params):
    """All events that a follow without end gives until it is live."""
    control = daemon.control()
    control.ask("follow", live=False, **params)
    events = []
    while not events or events[-1]["type"] != "follow.live":
        line = control.read()
        if "params" in line:
            events.append(line["params"])
    control.end()
    return events


def gaps(events):
    return [(e["from"], e["to"], e["reason"]) for e in events if e["type"] == "follow.gap"]


def test_retention_by_count_leaves_the_newest(daemon):
    alice, bob = daemon("alice"), daemon("bob", config="retention-count = 3\n")
    pair(alice, bob)
    send(alice, *"abcdefgh")
    eventually(lambda: bob.received() == ["f", "g", "h"], "the three newest")
    assert bob.rpc("status")["store"]["messages"] == 3
    assert alice.rpc("status")["store"]["messages"] == 8


def test_retention_does_not_touch_the_queue(daemon):
    alice, bob = daemon("alice", config="retention-count = 3\n"), daemon("bob")
    pair(alice, bob)
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input="1\n2\n3\n4\n5\n6\n")
    alice.restart()
    alice.rpc("daemon.reload")
    bob.start()
    eventually(lambda: alice.peer("bob")["queued"] == 0, "delivery")
    assert bob.received() == list("123456")
    eventually(lambda: alice.rpc("status")["store"]["messages"] == 3, "the three newest")


def test_an_hour_of_retention_in_fast_time(daemon):
    """A clock that runs so much faster that hours pass: what is sent to nobody expires and goes."""
    alice = daemon("alice", config='retention = "6h"\nexpire = "1h"\n',
                   prefix=faketime("+0 x3600"))
    alice.ctl("peer", "add", "nobody", "--fingerprint", "SHA256:" + "A" * 43)
    follower = alice.client("follow", "-o", "json", "--types", "message.state")
    eventually(lambda: alice.rpc("status")["followers"], "the follower")
    id = alice.ctl("send", "-p", "nobody", "soon gone").out.strip()
    event = follower.next_json()
    assert (event["message"]["id"], event["message"]["state"]) == (id, "expired")
    assert event["message"]["reason"]
    eventually(lambda: alice.rpc("status")["store"]["messages"] == 0, "its removal")
    with pytest.raises(RpcError) as error:
        alice.rpc("message.get", id=id)
    assert error.value.kind == "no_such_message"


def test_what_was_transmitted_and_not_confirmed_in_time_is_unknown(paired):
    alice, bob = paired
    bob.process.send_signal(19)
    try:
        id = alice.ctl("send", "-p", "bob", "--wait=sent", "--expires", 3, "perhaps").out.strip()
        assert alice.wait_for_event("message.state")["message"]["state"] == "sent"
        eventually(lambda: alice.rpc("message.get", id=id)["state"] == "unknown", "the end")
        assert alice.peer("bob")["queued"] == 0
    finally:
        bob.process.send_signal(18)
    eventually(lambda: bob.received() == ["perhaps"], "the message all the same")


def test_a_full_queue_says_so_and_takes_more_when_it_has_drained(daemon):
    alice, bob = daemon("alice", config='queue-limit-messages = 3\nqueue-limit-bytes = "10B"\n'), \
        daemon("bob")
    pair(alice, bob)
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input="a\nb\nc\n")
    result = alice.ctl("--json", "send", "-p", "bob", "d", expect=75)
    assert result.error["kind"] == "queue_full"
    assert alice.peer("bob")["queued"] == 3
    bob.start()
    eventually(lambda: alice.peer("bob")["queued"] == 0, "delivery")
    assert alice.ctl("--json", "send", "-p", "bob", "12345678901", expect=75).error["kind"] == \
        "queue_full"
    alice.ctl("send", "-p", "bob", "--wait", "1234567890")
    assert bob.received() == ["a", "b", "c", "1234567890"]


# --- purging ---


def test_a_purge_removes_for_good_and_followers_are_told(paired):
    alice, bob = paired
    send(alice, *"abc")
    first, *_, last = (message["seq"] for message in bob.history())
    assert bob.rpc("history.purge", peer="alice") == {"removed": 3, "more": False}
    assert bob.history() == []
    send(alice, "d")
    events = follow(bob, after=0)
    assert gaps(events) == [(first, last, "removed")]
    assert [e["message"]["body"] for e in events if e["type"] == "message.received"] == ["d"]
    assert gaps(follow(bob, after=last)) == []


def test_a_gap_at_the_end_is_told_too(paired):
    alice, bob = paired
    send(alice, *"abc")
    last = bob.history()[-1]["seq"]
    bob.rpc("history.purge", before=EVER)
    events = follow(bob, after=1)
    assert gaps(events) == [(2, last, "removed")]
    assert events[-1]["seq"] == last


def test_a_purge_spares_what_is_newer_and_what_is_queued(paired):
    alice, bob = paired
    send(alice, "a")
    bob.stop()
    alice.ctl("send", "-p", "bob", "b")
    assert alice.rpc("history.purge", before="2000-01-01T00:00:00Z")["removed"] == 0
    assert alice.rpc("history.purge", before=EVER)["removed"] == 1
    bob.start()
    eventually(lambda: bob.received() == ["a", "b"], "what was queued")


def test_a_purge_must_say_what(alice):
    for params in ({}, {"before": "yesterday"}):
        with pytest.raises(RpcError) as error:
            alice.rpc("history.purge", **params)
        assert error.value.kind == "usage"
    with pytest.raises(RpcError) as error:
        alice.rpc("history.purge", peer="nobody")
    assert error.value.kind == "no_such_peer"


def test_a_client_id_is_known_longer_than_its_message(paired):
    alice, bob = paired
    first = alice.ctl("send", "-p", "bob", "--client-id", "job-17", "--wait", "once").out
    alice.rpc("history.purge", peer="bob")
    assert alice.ctl("send", "-p", "bob", "--client-id", "job-17", "once").out == first
    assert bob.received() == ["once"]


def files_of_store(daemon):
    return {path: path.read_bytes() for path in daemon.state.iterdir()
            if path.name.startswith("p2pchat.db")}


def test_a_removed_message_that_is_repeated_does_not_come_back(paired):
    """The sender's store is set back to before the delivery: it sends again what bob purged."""
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "once")
    alice.stop()
    saved = files_of_store(alice)
    alice.start()
    bob.start()
    eventually(lambda: bob.received() == ["once"], "the message")
    alice.kill()
    bob.rpc("history.purge", peer="alice")
    bob.restart()
    for path in files_of_store(alice):
        path.unlink()
    for path, content in saved.items():
        path.write_bytes(content)
    alice.start()
    alice.ctl("send", "-p", "bob", "--wait", "after")
    assert bob.received() == ["after"]


# --- damage ---


def damage_long_text(daemon):
    """Changes a byte of the only sealed text of 2,000 bytes, which is the only such run of noise."""
    path = daemon.state / "p2pchat.db"
    data = bytearray(path.read_bytes())
    noise = next(offset for offset in range(len(data) - 1024, 4096, -512)
                 if data.count(0, offset, offset + 1024) < 16 and
                 len(set(data[offset:offset + 1024])) > 200)
    data[noise + 512] ^= 0x10
    path.write_bytes(data)


def test_a_damaged_text_is_shown_as_such_and_harms_nothing_else(paired):
    alice, bob = paired
    send(alice, "before", "x" * 2000, "after")
    bob.stop()
    damage_long_text(bob)
    bob.start()
    messages = bob.history()
    assert len(messages) == 3
    [damaged] = [m for m in messages if "body" not in m]
    assert damaged["damaged"] is True
    assert "damaged" in bob.ctl("history").out
    events = follow(bob, after=0)
    bodies = [e["message"].get("body", "damaged" if e["message"].get("damaged") else None)
              for e in events if e["type"] == "message.received"]
    assert bodies == ["before", "damaged", "after"]
    result = bob.ctl("follow", "--no-follow", "-n", "all", "-o", "cat")
    assert result.lines == ["before", "after"]
    assert "damaged" in result.err
    send(alice, "more")
    assert bob.history()[-1]["body"] == "more"


def test_a_damaged_text_in_the_queue_waits_and_blocks_nothing(paired):
    alice, bob = paired
    bob.stop()
    for text in ("before", "x" * 2000, "after"):
        alice.ctl("send", "-p", "bob", text)
    alice.stop()
    damage_long_text(alice)
    alice.start()
    bob.start()
    eventually(lambda: bob.received() == ["before", "after"], "the others")
    eventually(lambda: [message["state"] for message in alice.history()] ==
               ["delivered", "queued", "delivered"], "their acknowledgements")
    assert alice.peer("bob")["damaged"] == 1
