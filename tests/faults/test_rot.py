"""The disk changes what is stored of messages that wait: they stay, others pass, and people are told."""

import sqlite3

import pytest

from harness import eventually


def rot(daemon, text_size):
    """Changes one byte of what is stored of the messages with texts of this size."""
    def change(body):
        return body[:-1] + bytes([body[-1] ^ 1])

    with sqlite3.connect(daemon.state / "p2pchat.db") as db:
        db.create_function("change", 1, change)
        cursor = db.execute("UPDATE log SET body = change(body) WHERE type = 1 AND text_size = ?",
                            [text_size])
        assert cursor.rowcount == 1
    db.close()


def told(daemon):
    return daemon.text_of_log().count("can't be read from the store")


def wait_for_damage(daemon):
    """What is left in its queue once one message there was found to be damaged."""
    eventually(lambda: daemon.peer("bob").get("damaged") == 1, "the discovery")
    return eventually(lambda: [m for m in daemon.history(queued=True) if m.get("held")], "the list")


@pytest.fixture
def waiting(paired):
    """Alice has three messages for bob, who is away; the second one rots."""
    alice, bob = paired
    bob.stop()
    for text in ("one", "the second", "number three"):
        alice.ctl("send", "-p", "bob", text)
    alice.stop()
    rot(alice, len("the second"))
    alice.start()
    bob.start()
    alice.rpc("peer.connect", name="bob")
    return alice, bob


def test_a_rotten_message_waits_and_the_others_arrive(waiting):
    alice, bob = waiting
    eventually(lambda: bob.received() == ["one", "number three"], "the others")
    [message] = wait_for_damage(alice)
    assert message["state"] == "queued" and message["held"] and message["damaged"]
    table = alice.ctl("queue").out
    assert "held" in table and "(damaged)" in table
    assert alice.peer("bob")["damaged"] == 1
    [finding] = [line for line in alice.ctl("--json", "doctor", expect=69).json
                 if line["check"] == "queue bob"]
    assert finding["level"] == "wrong" and "queue cancel" in finding["remedy"]


def test_it_is_told_once_in_a_start(waiting):
    alice, bob = waiting
    eventually(lambda: told(alice) == 1, "the entry")
    bob.restart()
    alice.ctl("send", "-p", "bob", "--wait", "number four")
    assert told(alice) == 1
    alice.restart()
    alice.ctl("send", "-p", "bob", "--wait", "number five")
    assert told(alice) == 2


def test_what_is_read_again_arrives(waiting):
    alice, bob = waiting
    wait_for_damage(alice)
    alice.stop()
    rot(alice, len("the second"))
    alice.start()
    eventually(lambda: bob.received() == ["one", "number three", "the second"], "all three")
    assert "damaged" not in alice.peer("bob")


def test_who_waits_for_it_is_told_and_can_take_it_back(waiting):
    alice, bob = waiting
    [message] = wait_for_damage(alice)
    control = alice.control()
    reply = control.reply(control.ask("message.wait", id=message["id"], state="delivered"))
    assert reply["error"]["data"]["kind"] == "damaged"
    assert "queue cancel" in reply["error"]["message"]
    alice.ctl("queue", "cancel", message["id"])
    assert alice.rpc("message.get", id=message["id"])["state"] == "cancelled"
    assert "damaged" not in alice.peer("bob")


def test_one_that_was_sent_is_given_up_as_unknown(paired):
    alice, bob = paired
    # It is transmitted, and not acknowledged: bob can't store any more.
    bob.process.send_signal(19)
    alice.ctl("send", "-p", "bob", "the second")
    [message] = eventually(lambda: [m for m in alice.history() if m["state"] == "sent"], "it is sent")
    alice.kill()
    bob.process.send_signal(18)
    eventually(lambda: bob.peer("alice")["link"] != "online", "the end of the link")
    rot(alice, len("the second"))
    alice.start()
    alice.ctl("send", "-p", "bob", "--wait", "number three")
    assert alice.rpc("message.get", id=message["id"])["held"]
    alice.ctl("queue", "cancel", message["id"])
    assert alice.rpc("message.get", id=message["id"])["state"] == "unknown"
