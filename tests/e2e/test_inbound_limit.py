"""A peer that sends more than its share of the disk: it keeps its messages, others go on, and people
are told what to do."""

from harness import eventually, pair

TEXT = "x" * 60000


def full(daemon, name):
    """Waits until a peer is beyond its share; what is known of it then."""
    return eventually(lambda: (peer := daemon.peer(name))["inbound_full"] and peer, "the limit")


def send(daemon, to, count):
    return [daemon.ctl("send", "-p", to, input=f"{number} {TEXT}").out.strip()
            for number in range(count)]


def reader_is_there(daemon):
    eventually(lambda: daemon.rpc("status")["followers"], "the reader")


def numbers(texts):
    return [int(text.split()[0]) for text in texts]


def finding(daemon, check):
    """What doctor finds there."""
    lines = daemon.ctl("--json", "doctor", expect=None).json
    return next(line for line in lines if line["check"] == check)


def test_a_peer_beyond_its_share_keeps_its_messages_and_others_go_on(daemon, alice, bob):
    alice.configure("inbound-limit = 1MiB\n")
    alice.restart()
    carol = daemon("carol")
    pair(alice, bob)
    pair(alice, carol)
    reader = alice.client("follow", "-p", "bob", "-o", "cat")
    reader_is_there(alice)
    ids = send(bob, "alice", 30)
    peer = full(alice, "bob")
    assert 2**20 <= peer["inbound_bytes"] < 2**20 + 70000
    taken = len(alice.received())
    assert 10 < taken < 20
    carol.ctl("send", "-p", "alice", "--wait", "from carol")
    alice.ctl("send", "-p", "carol", "--wait", "to carol")
    assert not alice.peer("carol")["inbound_full"]
    assert not alice.rpc("status")["store"]["inbound_full"]
    assert bob.peer("alice")["queued"] == 30 - taken

    assert "it is not read from" in alice.ctl("status").out
    assert "p2pchatctl purge -p bob" in alice.ctl("peer", "show", "bob").out
    assert finding(alice, "peer bob")["level"] == "wrong"
    assert "inbound-limit" in finding(alice, "peer bob")["remedy"]
    assert alice.text_of_log().count("as much as inbound-limit allows") == 1

    # Each time there is room for about as many.
    seen = numbers(reader.take(taken))
    while len(seen) < 30:
        alice.ctl("purge", "-p", "bob", "--before", "now")
        seen += numbers(reader.take(min(taken, 30 - len(seen))))
    assert seen == list(range(30))
    bob.rpc("message.wait", id=ids[-1], state="delivered")


def test_a_higher_limit_counts_from_the_reload_on(alice, bob):
    alice.configure("inbound-limit = 1MiB\n")
    alice.restart()
    pair(alice, bob)
    ids = send(bob, "alice", 20)
    full(alice, "bob")
    alice.configure("inbound-limit = 8MiB\n")
    alice.rpc("daemon.reload")
    bob.rpc("message.wait", id=ids[-1], state="delivered")
    assert numbers(alice.received()) == list(range(20))
    assert not alice.peer("bob")["inbound_full"]


def test_all_peers_share_one_limit(daemon, alice, bob):
    alice.configure("inbound-limit-total = 1MiB\n")
    alice.restart()
    carol = daemon("carol")
    pair(alice, bob)
    pair(alice, carol)
    send(bob, "alice", 30)
    full(alice, "bob")
    carol.ctl("send", "-p", "alice", "one more")
    full(alice, "carol")
    assert alice.rpc("status")["store"]["inbound_full"]
    assert "inbound      full" in alice.ctl("status").out
    assert finding(alice, "inbound")["level"] == "wrong"
    assert "inbound-limit-total" in finding(alice, "inbound")["remedy"]
    # What goes out still does.
    id = alice.ctl("send", "-p", "carol", "to carol").out.strip()
    eventually(lambda: carol.received() == ["to carol"], "the message")
    alice.ctl("purge", "--before", "now")
    eventually(lambda: "one more" in alice.received(), "room for carol")
    alice.rpc("message.wait", id=id, state="delivered")
