"""Files and directories: from one daemon's client to the other's, by the real programs."""

import os
import stat
import subprocess
import time

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually, pair


def send_file(daemon, *arguments, expect=0):
    """Runs `send-file`; the ids that it prints."""
    return daemon.ctl("send-file", *arguments, expect=expect).out.split()


def get(daemon, *arguments, expect=0):
    return daemon.ctl("files", "get", *arguments, expect=expect)


def offered(daemon, id):
    """Waits until the transfer is offered here."""
    eventually(lambda: any(one["id"] == id and one["direction"] == "in" for one in
                           daemon.rpc("file.list")["transfers"]), f"offer {id}")


def transfer(daemon, id):
    return daemon.rpc("file.get", id=id)


def spool(daemon):
    return os.listdir(os.path.join(daemon.state, "spool"))


def make_tree(root):
    """A directory with everything that may be sent."""
    root.mkdir()
    (root / "empty").mkdir()
    (root / "sub").mkdir()
    (root / "sub" / "deep").mkdir()
    (root / "sub" / "deep" / "script").write_bytes(b"#!/bin/sh\n")
    (root / "sub" / "deep" / "script").chmod(0o755)
    (root / "sub" / "link").symlink_to("deep/script")
    (root / "sub-sorted").write_bytes(b"behind sub\n")
    (root / "big").write_bytes(bytes(range(256)) * 12000)
    (root / "none").write_bytes(b"")
    (root / "none").chmod(0o400)
    with open(root / "holes", "wb") as file:
        file.truncate(4 * 1024 * 1024)
        file.seek(2 * 1024 * 1024)
        file.write(b"in the middle")
    os.utime(root / "big", ns=(1, 1_600_000_000_123_456_789))
    os.utime(root / "sub", ns=(1, 1_500_000_000_000_000_001))
    return root


def snapshot(root):
    """Everything of a tree but who owns it."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files + ["."]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            content = None
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            found[os.path.relpath(path, root)] = (
                stat.S_IFMT(status.st_mode),
                None if stat.S_ISLNK(status.st_mode) else stat.S_IMODE(status.st_mode),
                status.st_mtime_ns, content)
    return found


def test_a_directory_arrives_as_it_was(paired, tmp_path):
    alice, bob = paired
    tree = make_tree(tmp_path / "tree")
    before = snapshot(tree)
    [id] = send_file(alice, "-p", "bob", tree)
    subprocess.run(["rm", "-rf", tree], check=True)  # what was sent may go
    offered(bob, id)
    (tmp_path / "in").mkdir()
    done = get(bob, id, tmp_path / "in")
    assert done.out == "tree\n"
    assert snapshot(tmp_path / "in" / "tree") == before
    assert os.stat(tmp_path / "in" / "tree" / "holes").st_blocks * 512 < 1024 * 1024
    assert os.listdir(tmp_path / "in") == ["tree"]
    assert transfer(bob, id)["state"] == "done"
    eventually(lambda: transfer(alice, id)["state"] == "done", "the end")
    eventually(lambda: spool(alice) == [], "an empty spool")


def test_several_files_and_a_wait(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2" * 3_000_000)
    waiting = alice.client("send-file", "-p", "bob", "--wait", tmp_path / "two", tmp_path / "one")
    id = waiting.next().strip()
    offered(bob, id)
    assert transfer(bob, id)["name"] == "one +1"
    assert "one" in bob.ctl("files", "show", id).out
    (tmp_path / "in").mkdir()
    get(bob, "--all", tmp_path / "in")
    waiting.wait()
    assert (tmp_path / "in" / "two").read_bytes() == b"2" * 3_000_000
    assert (tmp_path / "in" / "one").read_bytes() == b"1"


def test_a_name_that_is_taken(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "report.pdf").write_bytes(b"new")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "report.pdf").write_bytes(b"old")
    for conflict, content in (("rename", b"old"), ("skip", b"old"), ("overwrite", b"new")):
        [id] = send_file(alice, "-p", "bob", tmp_path / "report.pdf")
        offered(bob, id)
        get(bob, f"--conflict={conflict}", id, folder)
        assert (folder / "report.pdf").read_bytes() == content, conflict
    assert sorted(os.listdir(folder)) == ["report (2).pdf", "report.pdf"]
    assert (folder / "report (2).pdf").read_bytes() == b"new"


def test_a_hidden_name_is_made_harmless(paired, tmp_path):
    alice, bob = paired
    (tmp_path / ".profile").write_bytes(b"echo\n")
    [id] = send_file(alice, "-p", "bob", tmp_path / ".profile")
    offered(bob, id)
    (tmp_path / "in").mkdir()
    get(bob, id, tmp_path / "in")
    assert os.listdir(tmp_path / "in") == ["_.profile"]


def test_refused_and_cancelled(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a")
    waiting = alice.client("send-file", "-p", "bob", "--wait", tmp_path / "a")
    id = waiting.next().strip()
    offered(bob, id)
    bob.ctl("files", "refuse", id)
    waiting.wait(expect=76)
    [id] = send_file(alice, "-p", "bob", tmp_path / "a")
    offered(bob, id)
    alice.ctl("files", "cancel", id)
    eventually(lambda: transfer(bob, id)["state"] == "cancelled", "the end")
    get(bob, id, tmp_path, expect=75)
    eventually(lambda: spool(alice) == [], "an empty spool")


def test_an_offer_survives_restarts_of_both(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a" * 2_000_000)
    bob.stop()
    [id] = send_file(alice, "-p", "bob", tmp_path / "a")
    alice.kill()
    alice.start()
    bob.start()
    offered(bob, id)
    alice.restart()
    bob.restart()
    (tmp_path / "in").mkdir()
    get(bob, id, tmp_path / "in")
    assert (tmp_path / "in" / "a").read_bytes() == b"a" * 2_000_000


SIZE = 48 * 1024 * 1024


@pytest.fixture
def moving(paired, tmp_path):
    """A transfer of which a good part is on its way: (alice, bob, id, content, folder, start)."""
    alice, bob = paired
    content = os.urandom(1024 * 1024) * (SIZE // 1024 // 1024)
    (tmp_path / "big").write_bytes(content)
    [id] = send_file(alice, "-p", "bob", tmp_path / "big")
    offered(bob, id)
    folder = tmp_path / "in"
    folder.mkdir()
    staging = folder / f".p2pchat-{id}"

    def start():
        client = subprocess.Popen([P2PCHATCTL, "-s", bob.socket, "files", "get", id, str(folder)],
                                  env=environment(bob.home), stderr=subprocess.DEVNULL)
        before = arrived(staging)
        eventually(lambda: arrived(staging) > before or client.poll() is not None, "some data")
        return client

    return alice, bob, id, content, folder, start


def arrived(staging):
    """How many bytes the note in memory tells of."""
    try:
        return int((staging / "soft").read_text().split()[1])
    except (FileNotFoundError, IndexError):
        return 0


def test_a_killed_client_goes_on(moving):
    _, bob, id, content, folder, start = moving
    client = start()
    client.kill()
    client.wait()
    assert not (folder / "big").exists()
    have = arrived(folder / f".p2pchat-{id}")
    assert have > 0
    done = bob.ctl("--json", "files", "get", id, folder)
    assert min(one["bytes"] for one in done.json if one["type"] == "file.progress") >= have - 1024 * 1024
    assert (folder / "big").read_bytes() == content
    assert os.listdir(folder) == ["big"]


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_a_killed_daemon_is_waited_for(moving, who):
    alice, bob, _, content, folder, start = moving
    client = start()
    daemon = alice if who == "sender" else bob
    daemon.kill()
    daemon.start()
    assert client.wait(PATIENCE_S) == 0
    assert (folder / "big").read_bytes() == content
    assert os.listdir(folder) == ["big"]


def test_what_changes_while_it_is_read_is_not_sent(paired, tmp_path):
    alice, bob = paired
    fifo = tmp_path / "dir"
    fifo.mkdir()
    os.mkfifo(fifo / "pipe")
    assert "--skip-special" in alice.ctl("send-file", "-p", "bob", fifo, expect=65).err
    [id] = send_file(alice, "-p", "bob", "--skip-special", fifo)
    offered(bob, id)
    assert transfer(bob, id)["entries"] == 1
    send_file(alice, "-p", "bob", tmp_path / "missing", expect=74)


def test_another_user_of_the_staging_directory(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a")
    [id] = send_file(alice, "-p", "bob", tmp_path / "a")
    offered(bob, id)
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / f".p2pchat-{id}").symlink_to(tmp_path / "elsewhere")
    get(bob, id, folder, expect=77)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_the_same_client_id_sends_once(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a")
    [first] = send_file(alice, "-p", "bob", "--client-id", "x", tmp_path / "a")
    [again] = send_file(alice, "-p", "bob", "--client-id", "x", tmp_path / "a")
    assert first == again
    offered(bob, first)
    assert len(bob.rpc("file.list")["transfers"]) == 1
    eventually(lambda: len(spool(alice)) == 1, "one file in the spool")


def test_chat_and_follow_show_offers(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a")
    following = bob.client("follow", "--types", "file.offered")
    [id] = send_file(alice, "-p", "bob", tmp_path / "a")
    assert f"offers a (1 B): p2pchatctl files get {id}" in following.next()
    assert bob.history() == []


def test_offers_end_with_their_peer(paired, tmp_path):
    alice, bob = paired
    (tmp_path / "a").write_bytes(b"a")
    [id] = send_file(alice, "-p", "bob", tmp_path / "a")
    offered(bob, id)
    for daemon, other in ((alice, "bob"), (bob, "alice")):
        daemon.ctl("peer", "remove", other)
        eventually(lambda: transfer(daemon, id)["state"] == "cancelled", "the end")
    eventually(lambda: spool(alice) == [], "an empty spool")


def test_offers_follow_peers_that_turn_out_to_be_one(daemon, bob, tmp_path):
    alice = daemon("alice", config="unknown-peers = accept\n")
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    bob.add(alice)
    bob.wait_online(alice)
    [caller] = [p["name"] for p in alice.rpc("peer.list")["peers"]]
    ids = send_file(alice, "-p", caller, tmp_path / "a")
    offered(bob, ids[0])
    bob.stop()
    alice.add(bob, pin=False)
    ids += send_file(alice, "-p", "bob", tmp_path / "b")
    bob.start()
    alice.wait_online(bob)
    offered(bob, ids[1])
    (tmp_path / "in").mkdir()
    get(bob, "--all", tmp_path / "in")
    assert sorted(os.listdir(tmp_path / "in")) == ["a", "b"]
    for id in ids:
        eventually(lambda: transfer(alice, id)["state"] == "done", "the end")
        assert transfer(alice, id)["peer"] == "bob"


# --- one after the other ----------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    return made


def make_file(tmp_path, name, content=b"x"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_loop_takes_what_is_there_and_what_comes(paired, tmp_path, folder):
    alice, bob = paired
    [first] = send_file(alice, "-p", "bob", make_file(tmp_path, "first"))
    offered(bob, first)
    bob.client("files", "get", "--loop", "-p", "alice", folder)
    eventually(lambda: transfer(bob, first)["state"] == "done", "the first")
    bob.restart()
    [second] = send_file(alice, "-p", "bob", make_file(tmp_path, "second"))
    eventually(lambda: transfer(alice, second)["state"] == "done", "the second")
    assert sorted(os.listdir(folder)) == ["first", "second"]


def test_a_loop_leaves_what_others_offer(paired, tmp_path, folder, daemon):
    alice, bob = paired
    carol = daemon("carol")
    pair(carol, bob)
    [other] = send_file(carol, "-p", "bob", make_file(tmp_path, "other"))
    offered(bob, other)
    bob.client("files", "get", "--loop", "-p", "alice", folder)
    [id] = send_file(alice, "-p", "bob", make_file(tmp_path, "it"))
    eventually(lambda: transfer(alice, id)["state"] == "done", "the end")
    assert os.listdir(folder) == ["it"] and transfer(bob, other)["state"] == "offered"


def test_a_loop_goes_on_after_what_it_refuses(paired, tmp_path, folder):
    alice, bob = paired
    bob.client("files", "get", "--loop", "-p", "alice", "--max-size", "1K", "--max-entries", "2", folder)
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in "ab":
        make_file(tree, name)
    for path in (make_file(tmp_path, "large", bytes(1025)), tree):
        [id] = send_file(alice, "-p", "bob", path)
        eventually(lambda: transfer(alice, id)["state"] == "refused", "the refusal")
        assert transfer(alice, id)["reason"] == "size"
    [id] = send_file(alice, "-p", "bob", make_file(tmp_path, "small", bytes(1024)))
    eventually(lambda: transfer(alice, id)["state"] == "done", "the end")


def test_a_loop_needs_a_peer_and_no_ids(paired, folder):
    bob = paired[1]
    assert "-p" in get(bob, "--loop", folder, expect=64).err
    get(bob, "--loop", "-p", "alice", "00000000-0000-4000-8000-000000000001", expect=64)


def test_a_command_is_run_until_it_succeeds(paired, tmp_path, folder):
    alice, bob = paired
    log, go = tmp_path / "log", tmp_path / "go"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$P2PCHAT_PEER $P2PCHAT_NAME\" \"$@\" >>{log}\n"
                      f"test -e {go}\n")
    script.chmod(0o755)
    [id] = send_file(alice, "-p", "bob", make_file(tmp_path, "a b"), make_file(tmp_path, "-c"))
    offered(bob, id)
    for expect in (75, 0):
        done = get(bob, "--exec", f"{script} word", id, folder, expect=expect)
        about, word, *paths = log.read_text().splitlines()
        assert (about, word) == ("alice -c +1", "word")
        assert sorted(paths) == [f"{folder}/_-c", f"{folder}/a b"]
        if expect:
            assert "command ended with status 1" in done.err
            assert transfer(bob, id)["state"] == "offered"
        log.unlink()
        go.touch()
    assert transfer(bob, id)["state"] == "done"
    assert sorted(os.listdir(folder)) == ["_-c", "a b"]


def test_what_must_stay_free_stays_free(paired, tmp_path, folder):
    alice, bob = paired
    [id] = send_file(alice, "-p", "bob", make_file(tmp_path, "a"))
    offered(bob, id)
    assert "--min-free" in get(bob, "--min-free", "1000T", id, folder, expect=73).err
    assert transfer(bob, id)["state"] == "offered"
    get(bob, "--min-free", "1", id, folder)


def test_a_rate_is_kept_and_what_comes_is_whole(paired, tmp_path, folder):
    alice, bob = paired
    content = os.urandom(300_000)
    [id] = send_file(alice, "-p", "bob", make_file(tmp_path, "a", content))
    offered(bob, id)
    before = time.monotonic()
    get(bob, "--limit-rate", "200K", id, folder)
    assert time.monotonic() - before > 300_000 / 204_800 - 0.1
    assert (folder / "a").read_bytes() == content
    get(bob, "--limit-rate", "fast", id, folder, expect=64)
