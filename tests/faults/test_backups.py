"""Either side is set back to an old backup: everything converges, nothing comes twice."""

import shutil

import pytest

from harness import eventually


def save(daemon, home):
    """Stops the daemon and copies its state."""
    daemon.stop()
    shutil.copytree(daemon.state, home / f"backup-{daemon.name}")
    daemon.start()


def restore(daemon, home):
    daemon.kill()
    shutil.rmtree(daemon.state)
    shutil.copytree(home / f"backup-{daemon.name}", daemon.state)
    daemon.start()


def lines(first, count):
    return "".join(f"{number}\n" for number in range(first, first + count))


def send(sender, receiver, first, count):
    sender.ctl("send", "-p", receiver.name, "--wait", "--lines", input=lines(first, count))


def test_a_sender_that_was_restored_sends_nothing_twice(paired, home):
    alice, bob = paired
    send(alice, bob, 0, 10)
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input=lines(10, 10))
    save(alice, home)
    bob.start()
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 20, 10)
    assert bob.received() == [str(n) for n in range(30)]
    restore(alice, home)
    send(alice, bob, 30, 10)
    assert bob.received() == [str(n) for n in range(40)]
    eventually(lambda: alice.peer("bob")["queued"] == 0, "delivery")


def test_a_receiver_that_was_restored_goes_on(paired, home):
    alice, bob = paired
    send(alice, bob, 0, 10)
    save(bob, home)
    send(alice, bob, 10, 10)
    restore(bob, home)
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 20, 10)
    assert bob.received() == [str(n) for n in [*range(10), *range(20, 30)]]
    assert "messages may be missing" in bob.text_of_log()


def test_both_restored_converge(paired, home):
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input=lines(0, 5))
    save(alice, home)
    bob.start()
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 5, 5)
    save(bob, home)
    send(alice, bob, 10, 5)
    restore(alice, home)
    restore(bob, home)
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 15, 5)
    received = bob.received()
    assert received == [str(n) for n in [*range(10), *range(15, 20)]]


@pytest.mark.parametrize("kept", ["--cursor-file", "--consumer"])
def test_a_follower_of_a_restored_store_misses_nothing_new(paired, home, kept):
    alice, bob = paired
    options = ["follow", "--no-follow", "-o", "cat", kept, str(home / "cursor")[-60:]]
    bob.ctl(*options)
    send(alice, bob, 0, 3)
    save(bob, home)
    send(alice, bob, 3, 3)
    assert bob.ctl(*options).lines[-3:] == ["3", "4", "5"]
    restore(bob, home)
    alice.rpc("peer.connect", name="bob")
    seen = bob.ctl(*options).lines
    send(alice, bob, 6, 9)
    seen += bob.ctl(*options).lines
    assert seen[-9:] == [str(n) for n in range(6, 15)]


def test_a_restored_store_that_has_overtaken_a_cursor_is_noticed(paired, home):
    """Its seqs mean something else now: better to see some twice than to miss one."""
    alice, bob = paired
    options = ["follow", "--no-follow", "-o", "cat", "--cursor-file", home / "cursor"]
    bob.ctl(*options)
    send(alice, bob, 0, 3)
    save(bob, home)
    send(alice, bob, 3, 3)
    bob.ctl(*options)
    restore(bob, home)
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 6, 9)
    seen = bob.ctl(*options).lines
    assert [line for line in seen if int(line) >= 6] == [str(n) for n in range(6, 15)]
