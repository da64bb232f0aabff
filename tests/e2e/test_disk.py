"""A disk that is full or fails: a clear refusal, nothing stored is lost, nothing false is promised."""

import os
import resource
import subprocess

import pytest

from harness import PATIENCE_S, eventually, pair

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@pytest.fixture
def cramped(daemon, home):
    """A daemon whose state lies on a small file system, and a way to fill that."""
    made = daemon("cramped", started=False)
    made.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", made.state],
                   check=True)
    filler = made.state / "filler"

    def fill(but=0):
        """Takes all room but so many bytes."""
        with open(filler, "ab", buffering=0) as file:
            try:
                while (status := os.statvfs(made.state)).f_bavail * status.f_frsize > but:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    made.fill = fill
    made.relieve = filler.unlink
    try:
        yield made.start()
    finally:
        made.end()
        subprocess.run(["umount", made.state], check=True)


@needs_root
def test_73_is_for_a_full_disk_and_passes_with_it(cramped, bob):
    pair(cramped, bob)
    cramped.ctl("send", "-p", "bob", "--wait", "before")
    cramped.fill()
    text = "x" * 60000
    result = cramped.ctl("--json", "send", "-p", "bob", input=text, expect=73)
    assert result.error["kind"] == "disk_full"
    assert [message["body"] for message in cramped.history()] == ["before"]
    cramped.relieve()
    cramped.ctl("send", "-p", "bob", "--wait", "after")
    assert bob.received() == ["before", "after"]


LOW = 3 * 2**19  # less than an eighth of the disk, and more than what is kept in reserve


@needs_root
def test_a_disk_that_is_nearly_full_drains_the_queue_and_takes_no_more(cramped, bob):
    pair(cramped, bob)
    bob.stop()
    cramped.ctl("send", "-p", "bob", "--lines", input="".join(f"{n}\n" for n in range(100)))
    cramped.fill(but=LOW)
    assert cramped.ctl("--json", "send", "-p", "bob", "no", expect=73).error["kind"] == "disk_full"
    bob.start()
    eventually(lambda: cramped.peer("bob")["queued"] == 0, "an empty queue")
    assert bob.received() == [str(n) for n in range(100)]
    cramped.relieve()
    cramped.ctl("send", "-p", "bob", "--wait", "yes")


@needs_root
def test_how_much_is_left_free_is_a_share_of_the_disk(cramped, bob):
    pair(cramped, bob)
    cramped.fill(but=6 * 2**20)
    cramped.ctl("send", "-p", "bob", "--wait", "by default it is not low")
    cramped.configure("low-water = 50%\n")
    cramped.restart()
    assert cramped.ctl("--json", "send", "-p", "bob", "no", expect=73).error["kind"] == "disk_full"
    cramped.relieve()
    cramped.ctl("send", "-p", "bob", "--wait", "yes")
    assert bob.received() == ["by default it is not low", "yes"]


@needs_root
def test_the_reserve_is_given_up_on_a_full_disk_and_made_again(cramped, bob):
    pair(cramped, bob)
    bob.stop()
    cramped.ctl("send", "-p", "bob", "--lines", input="".join(f"{n}\n" for n in range(100)))
    assert (cramped.state / "ballast").stat().st_size == 2**20
    cramped.fill()
    cramped.ctl("send", "-p", "bob", "no", expect=73)
    assert not (cramped.state / "ballast").exists()
    bob.start()
    eventually(lambda: cramped.peer("bob")["queued"] == 0, "an empty queue")
    cramped.relieve()
    cramped.ctl("send", "-p", "bob", "--wait", "yes")
    eventually((cramped.state / "ballast").exists, "the reserve")


@needs_root
def test_what_is_purged_makes_room_at_once(cramped, bob):
    """The store's file keeps its size, and is filled again from within."""
    pair(cramped, bob)
    text, sent = "x" * 60000, 0
    while cramped.ctl("send", "-p", "bob", input=text, expect=None).status == 0:
        sent += 1
        assert sent < 1000
    cramped.ctl("send", "-p", "bob", "no room", expect=73)
    eventually(lambda: len(bob.received()) == sent, "the queue to be empty")
    eventually(lambda: cramped.peer("bob")["queued"] == 0, "the queue to be empty")
    size = (cramped.state / "p2pchat.db").stat().st_size
    while cramped.rpc("history.purge", before="2099-01-01T00:00:00Z")["more"]:
        pass
    cramped.ctl("send", "-p", "bob", "--wait", "there is room again")
    for number in range(20):
        cramped.ctl("send", "-p", "bob", "--wait", input=text)
    grown = (cramped.state / "p2pchat.db").stat().st_size - size
    assert grown < 10 * len(text)


@needs_root
def test_a_peer_of_a_full_disk_keeps_its_messages_and_its_link(cramped, bob):
    pair(bob, cramped)
    cramped.fill(but=LOW)
    since = cramped.peer("bob")["since"]
    ids = bob.ctl("send", "-p", "cramped", "--lines",
                  input="".join(f"{n}\n" for n in range(50))).lines
    bob.rpc("message.wait", id=ids[-1], state="sent")
    bob.rpc("peer.ping", name="cramped")
    assert cramped.received() == []
    assert cramped.peer("bob")["since"] == since
    cramped.relieve()
    bob.rpc("message.wait", id=ids[-1], state="delivered")
    assert cramped.received() == [str(n) for n in range(50)]


@needs_root
def test_what_a_full_disk_can_not_take_stays_with_its_sender(cramped, bob):
    pair(bob, cramped)
    cramped.fill()
    text = "x" * 60000
    id = bob.ctl("send", "-p", "cramped", input=text).out.strip()
    bob.ctl("send", "-p", "cramped", "--wait", "--timeout", "0.5", "y", expect=75)
    assert cramped.received() == []
    cramped.relieve()
    bob.rpc("message.wait", id=id, state="delivered")
    bob.ctl("send", "-p", "cramped", "--wait", "end")
    assert cramped.received() == [text, "y", "end"]


def test_74_is_for_a_disk_that_fails_and_nothing_is_accepted_any_more(daemon, bob):
    alice = daemon("alice", prefix=["env", "--ignore-signal=XFSZ"])
    pair(alice, bob)
    bob.stop()
    kept = [alice.ctl("send", "-p", "bob", f"kept {number}").out.strip() for number in range(3)]
    # Every write fails from now on, the same to the store as an I/O error.
    resource.prlimit(alice.process.pid, resource.RLIMIT_FSIZE, (1, 1))
    result = alice.ctl("--json", "send", "-p", "bob", "lost", expect=74)
    assert result.error["kind"] == "store_error"
    assert alice.process.wait(timeout=PATIENCE_S) == 74
    alice.process = None
    alice.start()
    bob.start()
    alice.rpc("message.wait", id=kept[-1], state="delivered")
    assert bob.received() == ["kept 0", "kept 1", "kept 2"]


@needs_root
def test_a_peer_whose_removal_was_undone_is_dialled_again(cramped, bob):
    pair(cramped, bob)
    cramped.fill()
    removal = cramped.ctl("--json", "peer", "remove", "bob", expect=None)
    cramped.relieve()
    if removal.status == 0:
        pytest.skip("there was room for it after all")
    assert removal.error["kind"] == "disk_full"
    cramped.wait_online(bob)
    cramped.ctl("send", "-p", "bob", "--wait", "here again")


@needs_root
def test_two_that_are_one_wait_for_room_to_become_so(cramped, bob):
    cramped.configure("unknown-peers = accept\n")
    cramped.restart()
    bob.add(cramped)
    bob.wait_online(cramped)
    bob.stop()
    cramped.add(bob, pin=False)
    sent = [f"{number} " + "x" * 60000 for number in range(40)]
    for text in sent:
        cramped.ctl("send", "-p", "bob", input=text)
    cramped.restart()  # its log begins again
    cramped.fill()
    bob.start()
    cramped.ctl("peer", "connect", "bob", expect=None)
    eventually(lambda: cramped.peer("bob").get("last_error", "").endswith("busy"), "the refusal")
    assert cramped.text_of_log().count("they are one peer now") <= 1
    cramped.relieve()
    cramped.ctl("peer", "connect", "bob")
    eventually(lambda: bob.received() == sent, "the queue")
    assert [peer["name"] for peer in cramped.rpc("peer.list")["peers"]] == ["bob"]
