"""Either side is set back to an old backup: everything converges, nothing comes twice."""

import shutil
from pathlib import Path

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


def restore_in_place(daemon, home):
    """As `cp -a` or `rsync --inplace` do it: the files stay the ones that they are."""
    daemon.kill()
    for name in ("p2pchat.db-wal", "p2pchat.db-shm"):
        (daemon.state / name).unlink(missing_ok=True)
    backup = home / f"backup-{daemon.name}"
    for saved in filter(Path.is_file, backup.rglob("*")):
        path = daemon.state / saved.relative_to(backup)
        before = path.stat().st_ino
        path.write_bytes(saved.read_bytes())
        assert path.stat().st_ino == before
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


# --- in place: nothing of the file tells that it was set back -----------------------------------


def gaps(events):
    return [(e["from"], e["to"], e["reason"]) for e in events if e["type"] == "follow.gap"]


def set_back(alice, bob, home):
    """Bob's store is set back in place, and overtakes what was seen of it. Returns the seq where
    its pasts part, and the last one that was seen."""
    send(alice, bob, 0, 3)
    save(bob, home)
    parted = bob.rpc("status")["last_seq"]
    send(alice, bob, 3, 3)
    yield parted, bob.rpc("status")["last_seq"]
    restore_in_place(bob, home)
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 6, 9)
    yield


@pytest.mark.parametrize("how", [["-o", "cat"], ["--exec", "cat; echo"]], ids=["shown", "exec"])
def test_a_cursor_file_goes_on_where_the_pasts_part(paired, home, how):
    alice, bob = paired
    options = ["follow", "--no-follow", *how, "--cursor-file", home / "cursor"]
    story = set_back(alice, bob, home)
    bob.ctl(*options)
    parted, seen = next(story)
    bob.ctl(*options)
    next(story)
    result = bob.ctl(*options)
    assert [line for line in result.lines if line] == [str(n) for n in range(6, 15)]
    assert f"events {parted + 1} to {seen} are not in it" in result.err
    assert bob.ctl(*options).lines == []


@pytest.mark.parametrize("kept", [[], ["--consumer", "log"]], ids=["follow", "consumer"])
@pytest.mark.parametrize("how", [["-o", "cat"], ["--exec", "cat; echo"]], ids=["shown", "exec"])
def test_who_follows_all_the_while_is_shown_what_is_new(paired, home, kept, how):
    alice, bob = paired
    story = set_back(alice, bob, home)
    follower = bob.client("follow", *how, *kept)
    eventually(lambda: bob.rpc("status")["followers"], "the follower")
    parted, seen = next(story)
    numbers = iter(lambda: follower.next().strip(), None)
    before = [next(n for n in numbers if n) for _ in range(6)]
    assert before == [str(n) for n in range(6)]
    next(story)
    # What a consumer had not acknowledged when the copy was made comes again before.
    new = [next(n for n in numbers if n and int(n) >= 6) for _ in range(9)]
    assert new == [str(n) for n in range(6, 15)]
    eventually(lambda: f"events {parted + 1} to {seen} are not in it" in follower.err.decode(),
               "what is missing, on the other stream")


def test_a_position_in_the_history_is_told_where_the_pasts_part(paired, home):
    alice, bob = paired
    story = set_back(alice, bob, home)
    parted, seen = next(story)
    past = bob.rpc("hello")["past"]
    assert "gap" not in bob.rpc("history.list", after=seen, past=past)
    next(story)
    told = bob.rpc("history.list", after=seen, past=past)
    assert [m["body"] for m in told["messages"]] == [str(n) for n in range(6, 15)]
    assert told["gap"] == {"from": parted + 1, "to": seen, "reason": "restored"}
    assert "gap" not in bob.rpc("history.list", after=seen, past=bob.rpc("hello")["past"])


def test_a_store_that_was_set_back_twice_is_told_apart(paired, home):
    """The one that was in between comes back: what it has and the other has not is shown."""
    alice, bob = paired
    story = set_back(alice, bob, home)
    parted, _ = next(story)
    next(story)
    seen, past = bob.rpc("status")["last_seq"], bob.rpc("hello")["past"]
    restore_in_place(bob, home)
    alice.rpc("peer.connect", name="bob")
    send(alice, bob, 15, 2)
    control = bob.control()
    control.call("follow", after=seen, past=past, live=False, types=["message.received"])
    events = []
    while not events or events[-1]["type"] != "follow.live":
        events.append(control.read()["params"])
    assert gaps(events) == [(parted + 1, seen, "restored")]
    bodies = [e["message"]["body"] for e in events if e["type"] == "message.received"]
    assert bodies == ["15", "16"]


@pytest.mark.parametrize("past", ["", "/", "/1.", "/x.0123456789abcdef", "x/1.0123456789abcdef",
                                  "/99999999999999999999.0123456789abcdef", "/1.01234567", "e" * 9000])
def test_a_past_that_proves_nothing_is_that_of_another_store(paired, past):
    alice, bob = paired
    send(alice, bob, 0, 2)
    last = bob.rpc("status")["last_seq"]
    told = bob.rpc("history.list", after=last, past=past)
    assert [m["body"] for m in told["messages"]] == ["0", "1"]
    assert told["gap"] == {"from": 1, "to": last, "reason": "restored"}
