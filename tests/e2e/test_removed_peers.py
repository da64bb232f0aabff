"""What was said with a peer that was removed can be read, and be removed for good."""

from harness import eventually


def texts(daemon, *arguments):
    return daemon.ctl("history", "-o", "cat", *arguments).out.splitlines()


def test_the_history_of_a_removed_peer_is_found_by_name_and_key(paired):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "private")
    alice.ctl("peer", "remove", "bob")
    assert texts(alice, "bob") == texts(alice, "-p", bob.fingerprint) == ["private"]
    assert "no peer" in alice.ctl("history", "carol", expect=67).err
    assert alice.ctl("purge", "bob").out == "1 message removed\n"
    assert texts(alice) == []


def test_remove_takes_the_messages_along_if_it_shall(paired):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "private")
    assert "1 of its messages" in alice.ctl("peer", "remove", "--purge", "bob").err
    assert texts(alice) == []


def test_purge_by_age_leaves_what_is_newer(paired):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "new")
    assert alice.ctl("--json", "purge", "--before", "-1h").json == [{"removed": 0}]
    assert texts(alice, "bob") == ["new"]
    assert alice.ctl("purge", "--before", "now", "-p", "bob").out == "1 message removed\n"


def test_purge_wants_to_know_what(alice):
    assert "say which messages" in alice.ctl("purge", expect=64).err


def test_the_log_says_who_did_it(paired):
    alice, bob = paired
    alice.ctl("peer", "rename", "bob", "rob")
    alice.ctl("peer", "remove", "rob")
    log = alice.log.read_text()
    assert "peer bob was renamed to rob by user" in log
    assert "peer rob was removed by user" in log


def test_the_queue_of_a_removed_peer_ends_in_steps_also_after_a_kill(paired):
    """More than ends in a turn: the rest goes on, and what was accepted is told of once."""
    alice, bob = paired
    bob.stop()
    ids = alice.ctl("send", "-p", "bob", "--lines",
                    input="".join(f"{number}\n" for number in range(1000))).lines
    left = alice.rpc("peer.remove", name="bob").get("queued", 0)
    assert 0 < left < 1000
    assert alice.rpc("peer.list")["peers"] == []
    alice.kill()
    alice.start()
    eventually(lambda: alice.rpc("status")["queue"]["messages"] == 0, "the end of the queue")
    states = [alice.rpc("message.get", id=id)["state"] for id in (ids[0], ids[500], ids[-1])]
    assert states == ["cancelled"] * 3
