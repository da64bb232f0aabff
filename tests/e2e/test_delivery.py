"""Accepted is durable, delivered is durable there, once in history and in order."""

import os
import signal

import pytest

from harness import eventually

MANY = 1000


def texts(count, start=0):
    return [f"line {number}" for number in range(start, start + count)]


def lines(count, start=0):
    return "".join(text + "\n" for text in texts(count, start))


def pipe_of(text):
    """A file that holds the text."""
    file = os.memfd_create("lines")
    os.write(file, text.encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file


def states_of(daemon, id):
    """Follows the states of a message until it is delivered."""
    follower = daemon.client("follow", "-o", "json", "--after", 0, "--types", "message.state")
    states = []
    while "delivered" not in states:
        event = follower.next_json()
        if event["message"]["id"] == id:
            states.append(event["message"]["state"])
    return states


def test_a_message_for_a_peer_that_is_away_waits_in_the_queue(paired):
    alice, bob = paired
    bob.stop()
    id = alice.ctl("send", "-p", "bob", "for later").out.strip()
    assert alice.rpc("message.get", id=id)["state"] == "queued"
    assert alice.peer("bob")["queued"] == 1
    assert alice.rpc("status")["queue"]["messages"] == 1
    bob.start()
    alice.rpc("message.wait", id=id, state="delivered")
    assert bob.received() == ["for later"]
    assert alice.peer("bob")["queued"] == 0
    assert alice.rpc("status")["queue"] == {"messages": 0, "bytes": 0}


def test_a_message_can_be_sent_before_the_peer_was_ever_there(alice, bob):
    bob.stop()
    alice.add(bob)
    id = alice.ctl("send", "-p", "bob", "first of all").out.strip()
    bob.start()
    bob.add(alice, address=False)
    alice.rpc("message.wait", id=id, state="delivered")
    assert bob.received() == ["first of all"]


def test_the_queue_survives_a_restart_of_the_sender(paired):
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input=lines(10))
    alice.restart()
    assert alice.peer("bob")["queued"] == 10
    bob.start()
    alice.ctl("send", "-p", "bob", "--wait", "last")
    assert bob.received() == texts(10) + ["last"]


def test_the_history_survives_a_restart_of_the_receiver(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "--lines", input=lines(10))
    before = bob.history()
    bob.restart()
    assert bob.history() == before
    alice.ctl("send", "-p", "bob", "--wait", "last")
    assert bob.received() == texts(10) + ["last"]


def test_an_accepted_message_survives_the_kill_of_its_sender(paired):
    alice, bob = paired
    bob.stop()
    id = alice.ctl("send", "-p", "bob", "durable").out.strip()
    alice.kill()
    alice.start()
    assert alice.rpc("message.get", id=id)["state"] == "queued"
    bob.start()
    alice.rpc("message.wait", id=id, state="delivered")
    assert bob.received() == ["durable"]


def test_a_delivered_message_survives_the_kill_of_its_receiver(paired):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "durable")
    bob.kill()
    bob.start()
    assert bob.received() == ["durable"]


def test_a_thousand_lines_arrive_once_and_in_order(paired):
    alice, bob = paired
    ids = alice.ctl("send", "-p", "bob", "--wait", "--lines", input=lines(MANY)).lines
    assert len(set(ids)) == MANY
    assert bob.received() == texts(MANY)
    assert [message["id"] for message in bob.history(limit=2 * MANY)] == ids


def test_many_lines_both_ways_at_once_arrive_once_and_in_order(paired):
    alice, bob = paired
    clients = [one.client("send", "-p", other.name, "--wait", "--lines", stdin=pipe_of(lines(MANY)))
               for one, other in ((alice, bob), (bob, alice))]
    for client in clients:
        client.wait()
    assert alice.received() == bob.received() == texts(MANY)


def test_a_killed_receiver_gets_everything_once_and_in_order(paired):
    alice, bob = paired
    follower = bob.client("follow", "-o", "cat", "--types", "message.received", "--after", 0)
    sender = alice.client("send", "-p", "bob", "--wait", "--lines", stdin=pipe_of(lines(MANY)))
    for kills in range(3):
        follower.take(50)
        bob.kill()
        bob.start()
    sender.wait()
    assert bob.received() == texts(MANY)


def test_a_killed_sender_loses_nothing_that_it_accepted(paired):
    alice, bob = paired
    accepted = []
    for round in range(3):
        sender = alice.client("send", "-p", "bob", "--lines",
                              stdin=pipe_of(lines(MANY, round * MANY)))
        accepted += sender.take(50)
        alice.kill()
        alice.start()
        accepted += sender.rest()
    alice.ctl("send", "-p", "bob", "--wait", "end")
    received = [message["id"] for message in bob.history(limit=100000)]
    assert len(received) == len(set(received))
    assert [id for id in received if id in set(accepted)] == accepted
    numbers = [int(text.split()[1]) for text in bob.received()[:-1]]
    assert numbers == sorted(set(numbers))


def test_both_killed_at_once_lose_nothing_that_was_accepted(paired):
    alice, bob = paired
    sender = alice.client("send", "-p", "bob", "--lines", stdin=pipe_of(lines(MANY)))
    accepted = sender.take(100)
    alice.kill()
    bob.kill()
    bob.start()
    alice.start()
    accepted += sender.rest()
    alice.ctl("send", "-p", "bob", "--wait", "end")
    received = [message["id"] for message in bob.history(limit=100000)]
    assert [id for id in received if id in set(accepted)] == accepted
    assert len(received) == len(set(received))


def test_a_message_passes_through_its_states(paired):
    alice, bob = paired
    id = alice.ctl("send", "-p", "bob", "--wait", "hello").out.strip()
    assert states_of(alice, id) == ["sent", "delivered"]
    assert alice.rpc("message.get", id=id)["state"] == "delivered"


def test_wait_for_sent_needs_no_acknowledgement(paired):
    alice, bob = paired
    bob.process.send_signal(signal.SIGSTOP)
    try:
        id = alice.ctl("send", "-p", "bob", "--wait=sent", "hello").out.strip()
        assert alice.rpc("message.get", id=id)["state"] == "sent"
        alice.ctl("send", "-p", "bob", "--wait=delivered", "--timeout", "0.1", "too", expect=75)
    finally:
        bob.process.send_signal(signal.SIGCONT)
    alice.rpc("message.wait", id=id, state="delivered")


def test_a_wait_in_vain_leaves_the_message_in_the_queue(paired):
    alice, bob = paired
    bob.stop()
    result = alice.ctl("--json", "send", "-p", "bob", "--wait", "--timeout", "0.1", "x", expect=75)
    assert result.error["kind"] == "timeout"
    assert alice.peer("bob")["queued"] == 1
    bob.start()
    alice.wait_online(bob)
    eventually(bob.received, "the message")


def test_the_same_client_id_is_the_same_message(paired):
    alice, bob = paired
    first = alice.ctl("send", "-p", "bob", "--client-id", "job-17", "--wait", "once").out
    assert alice.ctl("send", "-p", "bob", "--client-id", "job-17", "--wait", "once").out == first
    alice.restart()
    assert alice.ctl("send", "-p", "bob", "--client-id", "job-17", "once").out == first
    assert bob.received() == ["once"]


def test_another_request_under_the_same_client_id_is_refused(paired):
    alice, bob = paired
    alice.ctl("peer", "add", "carol", "192.0.2.1:1")
    first = alice.ctl("send", "-p", "bob", "--client-id", "job-17", "--wait", "once").out
    for other in (("-p", "bob", "twice"), ("-p", "carol", "once"), ("-p", "bob", "-p", "carol", "once"),
                  ("-p", "bob", "--expires", "1h", "once")):
        refused = alice.ctl("send", "--client-id", "job-17", *other, expect=65)
        assert "client_id" in refused.err and not refused.out
    assert alice.ctl("send", "-p", "bob", "--client-id", "job-17", "once").out == first
    assert bob.received() == ["once"]
    assert alice.peer("carol")["queued"] == 0


def test_a_client_id_whose_message_came_to_nothing_says_so(paired):
    alice, bob = paired
    bob.stop()
    id = alice.ctl("send", "-p", "bob", "--client-id", "job-17", "once").out.strip()
    alice.ctl("queue", "cancel", id)
    again = alice.ctl("send", "-p", "bob", "--client-id", "job-17", "once", expect=75)
    assert "left the queue" in again.err and not again.out
    assert "once" not in alice.ctl("queue").out


def test_a_cancelled_message_is_never_sent(paired):
    alice, bob = paired
    bob.stop()
    ids = [alice.ctl("send", "-p", "bob", text).out.strip() for text in ("a", "b", "c")]
    alice.ctl("queue", "cancel", ids[1])
    assert alice.rpc("message.get", id=ids[1])["state"] == "cancelled"
    assert ids[1] not in alice.ctl("queue").out
    bob.start()
    alice.rpc("message.wait", id=ids[2], state="delivered")
    assert bob.received() == ["a", "c"]


def test_a_delivered_message_can_not_be_cancelled(paired):
    alice, bob = paired
    id = alice.ctl("send", "-p", "bob", "--wait", "gone").out.strip()
    result = alice.ctl("queue", "cancel", id, expect=None)
    assert result.status != 0
    assert alice.rpc("message.get", id=id)["state"] == "delivered"


def test_a_message_that_expires_leaves_the_queue(paired):
    alice, bob = paired
    bob.stop()
    id = alice.ctl("send", "-p", "bob", "--expires", 1, "soon stale").out.strip()
    follower = alice.client("follow", "-o", "json", "--after", 0, "--types", "message.state")
    while (event := follower.next_json()["message"])["id"] != id:
        pass
    assert event["state"] == "expired"
    bob.start()
    alice.ctl("send", "-p", "bob", "--wait", "fresh")
    assert bob.received() == ["fresh"]


def test_removing_a_peer_cancels_its_queue(paired):
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "too late")
    alice.ctl("peer", "remove", "bob")
    assert alice.rpc("status")["queue"]["messages"] == 0
    assert alice.rpc("peer.list")["peers"] == []


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_a_link_comes_back_after_a_restart(paired, first):
    alice, bob = paired
    {"alice": alice, "bob": bob}[first].restart()
    bob.ctl("send", "-p", "alice", "--wait", "again")
    assert alice.received() == ["again"]
