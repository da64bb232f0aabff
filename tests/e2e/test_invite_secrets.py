"""The secrets of invites: in no file and no log, and good no more once the store was put back."""

import base64
import shutil
import sqlite3

from harness import eventually


def invite(daemon, *arguments):
    """An invite's line, and its secret."""
    [uri] = daemon.ctl("invite", *arguments).lines
    return uri, base64.urlsafe_b64decode(uri.split("#")[1])[32:48]


def assert_nowhere(daemon, secret):
    """In none of its forms it is in a file of the daemon."""
    forms = (secret, secret.hex().encode(), base64.b64encode(secret)[:21],
             base64.urlsafe_b64encode(secret)[:21])
    files = [path for path in daemon.home.rglob("*") if path.is_file()]
    assert {"p2pchat.db", "p2pchat.db-wal", "log"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert not any(form in content for form in forms), path


def change(daemon, statement, *values):
    with sqlite3.connect(daemon.state / "p2pchat.db") as db:
        assert db.execute(statement, values).rowcount == 1
    db.close()


def move(daemon):
    """Its state is a copy from now on."""
    daemon.stop()
    shutil.copytree(daemon.state, daemon.home / "copy")
    shutil.rmtree(daemon.state)
    (daemon.home / "copy").rename(daemon.state)


def test_the_secret_of_an_invite_is_stored_by_neither_side(alice, bob):
    uri, secret = invite(alice, "bob")
    assert_nowhere(alice, secret)
    alice.stop()
    bob.ctl("join", "--timeout", "0.5", uri, "alice", expect=75)
    assert bob.peer("alice")["invited"]
    assert_nowhere(bob, secret)
    bob.restart()
    alice.start()
    bob.rpc("peer.connect", name="alice")
    bob.wait_online(alice)
    assert alice.peer("bob")["trust"] == bob.peer("alice")["trust"] == "verified"
    for daemon in (alice, bob):
        assert_nowhere(daemon, secret)


def test_what_an_older_version_stored_is_sealed_at_the_next_start(alice, bob):
    uri, secret = invite(alice, "bob")
    alice.stop()
    change(alice, "UPDATE invite SET secret = ?, sealed = NULL", secret)
    assert secret in (alice.state / "p2pchat.db").read_bytes()
    alice.start()
    assert_nowhere(alice, secret)
    bob.ctl("join", uri, "alice")


def test_an_invite_that_rots_is_refused(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    uri, _ = invite(alice, "bob")
    alice.stop()
    change(alice, "UPDATE invite SET sealed = zeroblob(48)")
    alice.start()
    bob.ctl("join", uri, "alice", expect=76)
    assert "can't be read from the store" in alice.text_of_log()


def test_a_store_that_was_put_back_knows_none_of_its_invites(daemon, bob):
    alice = daemon("alice", config="unknown-peers = reject\n")
    uri, _ = invite(alice, "bob")
    move(alice)
    alice.start()
    assert alice.rpc("invite.list")["invites"] == []
    assert "(1) are good no more" in alice.text_of_log()
    refused = bob.ctl("--json", "join", uri, "alice", expect=76)
    assert "restored from a backup" in refused.error["message"]
    eventually(lambda: "before this store was restored" in alice.text_of_log(), "the reason")
    uri, _ = invite(alice, "bob")
    bob.ctl("join", uri, "alice")


def test_another_store_key_ends_them(alice):
    invite(alice, "bob")
    alice.stop()
    (alice.state / "store.key").unlink()
    alice.start()
    assert alice.rpc("invite.list")["invites"] == []
