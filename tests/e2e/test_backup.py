"""Backups: made of a running daemon or of none, restored into an empty directory, never half."""

import contextlib
import os
import pty
import shutil
import sqlite3

import pytest

from harness import P2PCHATD, RpcError, environment, eventually, run


@pytest.fixture
def secret(home):
    """The file with the passphrase of all backups."""
    path = home / "passphrase"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


def backup(daemon, path, secret, expect=0, **options):
    return run(P2PCHATD, "--state-dir", daemon.state, "--control", daemon.socket, "--backup", path,
               "--passphrase-file", secret, home=daemon.home, expect=expect, **options)


def restore(path, state, secret, home, expect=0, **options):
    return run(P2PCHATD, "--state-dir", state, "--restore", path, "--passphrase-file", secret,
               home=home, expect=expect, **options)


def move(daemon):
    """The machine is lost: its state is gone."""
    if daemon.process is not None:
        daemon.stop()
    shutil.rmtree(daemon.state)


def test_a_machine_that_is_lost_comes_back_with_keys_peers_history_and_queue(paired, home, secret):
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "before")
    bob.stop()
    alice.ctl("send", "-p", "bob", "in the queue")
    known = alice.fingerprint
    backup(alice, home / "b", secret)
    assert (home / "b").stat().st_mode & 0o777 == 0o600
    eventually(lambda: not (alice.state / "snapshot.db").exists(), "the end of the copy")
    move(alice)
    assert alice.fingerprint == known
    result = restore(home / "b", alice.state, secret, home)
    assert "must not run again" in result.out
    assert sorted(os.listdir(alice.state)) == ["identity.pem", "p2pchat.db", "store.key"]
    alice.start()
    assert alice.fingerprint == known
    assert [message["body"] for message in alice.history()] == ["before", "in the queue"]
    bob.start()
    eventually(lambda: bob.received() == ["before", "in the queue"], "what was queued")


def test_a_backup_without_a_daemon_is_the_same(alice, bob, home, secret):
    alice.add(bob, address=False)
    alice.ctl("send", "-p", "bob", "waiting")
    alice.stop()
    before = os.listdir(alice.state)
    backup(alice, home / "b", secret)
    assert os.listdir(alice.state) == before
    move(alice)
    restore(home / "b", alice.state, secret, home)
    alice.start()
    assert alice.peer("bob")["queued"] == 1


def test_a_backup_while_messages_come_and_go_is_one_moment(paired, home, secret):
    alice, bob = paired
    sender = alice.client("send", "-p", "bob", "--lines", stdin=-1)
    feed = "".join(f"line {number}\n" for number in range(3000)).encode()
    sender.process.stdin.write(feed[:len(feed) // 2])
    backup(alice, home / "b", secret)
    sender.process.stdin.write(feed[len(feed) // 2:])
    sender.process.stdin.close()
    sender.process.stdin = None
    eventually(lambda: len(bob.received()) == 3000, "all of them")
    sender.wait()
    move(alice)
    restore(home / "b", alice.state, secret, home)
    with contextlib.closing(sqlite3.connect(alice.state / "p2pchat.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    alice.start()
    alice.wait_online(bob)
    eventually(lambda: alice.peer("bob")["queued"] == 0, "an empty queue")
    assert len(bob.received()) == 3000  # what was sent again was not taken twice


def test_followers_are_told_that_the_store_is_another(paired, home, secret):
    alice, _ = paired
    epoch = alice.rpc("hello")["epoch"]
    backup(alice, home / "b", secret)
    move(alice)
    restore(home / "b", alice.state, secret, home)
    alice.start()
    assert alice.rpc("hello")["epoch"] != epoch


def test_nothing_is_replaced(alice, home, secret):
    backup(alice, home / "b", secret)
    before = (home / "b").read_bytes()
    assert "File exists" in backup(alice, home / "b", secret, expect=71).err
    assert (home / "b").read_bytes() == before
    result = restore(home / "b", alice.state, secret, home, expect=71)
    assert "is not empty" in result.err and f"mv '{alice.state}'" in result.err
    assert alice.rpc("status")["fingerprint"] == alice.fingerprint


@pytest.mark.parametrize("harm", ["cut", "flipped", "longer", "another", "passphrase", "empty"])
def test_a_bad_backup_leaves_nothing_behind(alice, home, secret, harm):
    backup(alice, home / "b", secret)
    content = bytearray((home / "b").read_bytes())
    if harm == "flipped":
        content[len(content) // 2] ^= 1
    (home / "bad").write_bytes({"cut": content[:-100], "longer": content + b"x", "empty": b"",
                                "another": b"SQLite format 3\0" + content[16:]}.get(harm, content))
    if harm == "passphrase":
        secret.write_text("wrong\n")
    result = restore(home / "bad", home / "new", secret, home, expect=74)
    expected = "no backup" if harm in ("another", "empty") else "passphrase is wrong, or the file"
    assert expected in result.err, result.err
    assert os.listdir(home / "new") == []


def test_a_key_that_is_elsewhere_is_asked_for(alice, home, secret):
    alice.stop()
    (alice.state / "store.key").rename(home / "store.key")
    result = backup(alice, home / "b", secret, expect=74)
    assert "--store-key FILE" in result.err and not (home / "b").exists()
    run(P2PCHATD, "--state-dir", alice.state, "--control", alice.socket, "--backup", home / "b",
        "--passphrase-file", secret, "--store-key", home / "store.key", home=home)
    key = (home / "store.key").read_bytes()
    restore(home / "b", home / "new", secret, home)
    assert (home / "new/store.key").read_bytes() == key


def test_a_daemon_that_answers_elsewhere_is_told(alice, home, secret):
    result = run(P2PCHATD, "--state-dir", alice.state, "--control", home / "nowhere", "--backup",
                 home / "b", "--passphrase-file", secret, home=home, expect=74)
    assert "--control PATH" in result.err and not (home / "b").exists()


def test_without_a_store_there_is_nothing_to_back_up(home, secret):
    result = run(P2PCHATD, "--state-dir", home / "none", "--control", home / "nowhere", "--backup",
                 home / "b", "--passphrase-file", secret, home=home, expect=74)
    assert "there is no store" in result.err and not (home / "b").exists()
    assert not (home / "none").exists()


def test_the_passphrase_is_asked_for_twice_and_not_shown(alice, home):
    def at_terminal(*answers):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(P2PCHATD, [P2PCHATD, "--state-dir", alice.state, "--control", alice.socket,
                                 "--backup", home / "b"], environment(home))
        seen = b""
        for answer in answers:
            while not seen.endswith(b": "):
                seen += os.read(terminal, 1024)
            os.write(terminal, answer + b"\n")
            seen += os.read(terminal, 1024)
        try:
            while data := os.read(terminal, 1024):
                seen += data
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen

    status, seen = at_terminal(b"hush now", b"hush mow")
    assert status == 64 and b"differ" in seen and not (home / "b").exists()
    status, seen = at_terminal(b"hush now", b"hush now")
    assert status == 0 and b"hush" not in seen, seen
    secret = home / "secret"
    secret.write_text("hush now")
    secret.chmod(0o600)
    restore(home / "b", home / "new", secret, home)


def test_a_copy_that_a_crash_left_behind_goes_at_the_next_start(alice):
    alice.kill()
    (alice.state / "snapshot.db").write_text("half")
    alice.start()
    assert not (alice.state / "snapshot.db").exists()


def test_only_one_copy_is_made_at_a_time_and_goes_with_its_client(alice):
    first, second = alice.control(), alice.control()
    said = first.call("store.snapshot")
    while said["left"] > 0:
        said = first.call("store.snapshot")
    assert os.path.exists(said["file"]) and said["fingerprint"] == alice.fingerprint
    with pytest.raises(RpcError, match="another backup"):
        second.call("store.snapshot")
    first.end()
    alice.clients.remove(first)
    eventually(lambda: not os.path.exists(said["file"]), "the end of the copy")
    assert "left" in second.call("store.snapshot")
