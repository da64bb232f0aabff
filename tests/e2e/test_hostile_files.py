"""Files between a daemon and the peer in Python: it offers and gets as it should, and then as it should not.
Whatever it does, nothing is put where it should not be, and messages go on.
"""

import os
import struct

import pytest

from harness import eventually
from lanes import Stage

import p2pfiles
from p2pcrypto import Identity
from p2pfiles import DIRECTORY, SERVICE, SYMLINK, Transfer, end, entry, request
from p2pformat import BAD_ITEM, FILE_OFFER, FILE_STATE, FILES, STREAMS
from p2planes import (BUSY, DATA, FIN, OPEN, OPENED, RESET, data, fin, id_of, open_, opened, reset, window)
from p2ppeer import Ended, Peer
from test_reference_peer import alice, alice_pem, links, python  # noqa: F401

WINDOW = 4 * 1024 * 1024


class FileStage(Stage):
    """A session of a daemon with one of ours that can do files."""

    def __init__(self, daemon, identity):
        super().__init__(daemon, Peer.join(identity, daemon.address, features=STREAMS | FILES).handshake())

    def attach(self, **options):
        """A lane of the class that is for files."""
        return super().attach(kind=1, **options)

    # --- offering ---

    def offer(self, transfer):
        self.link.say_item(FILE_OFFER, transfer.offer, id=transfer.id)
        return transfer

    def ended(self):
        """What we are told of how a transfer ended."""
        content = self.link.hear_item(FILE_STATE).content
        return content[:16], *content[16:]

    def be_pulled(self, lane, number=0):
        """Waits for a request: the stream, and what is asked for."""
        id = lane.other_id(number)
        body = lane.wait(OPEN, id)
        assert body[10:10 + body[9]] == SERVICE.encode() and body[8] & 1
        lane.send(opened(id, WINDOW))
        version, offer, offset = struct.unpack(">B16sQ", lane.read_data(id, p2pfiles.REQUEST_SIZE))
        assert version == 1
        return id, offer, offset

    # --- getting ---

    def ask(self, lane, content, number=0):
        """Opens a stream and asks."""
        id = lane.own_id(number)
        lane.send(open_(id, SERVICE, WINDOW))
        lane.wait(OPENED, id)
        lane.send(data(id, content))
        return id

    def check_messages(self):
        """The session goes on as if nothing had been."""
        self.link.say("still on")
        assert self.daemon.history()[-1]["body"] == "still on"


@pytest.fixture
def known(alice, python, links):  # noqa: F811
    """known(identity): one more session with alice, who knows us."""
    def connect(identity, name):
        alice.ctl("peer", "add", name, "--fingerprint", identity.text)
        stage = FileStage(alice, identity)
        links.append(stage.link)
        return stage

    return connect


@pytest.fixture
def stage(known, python):  # noqa: F811
    return known(python, "python")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "in"
    made.mkdir()
    return made


def text_of(id):
    text = id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def get(stage, transfer, folder):
    """Alice begins to get it."""
    return stage.daemon.client("files", "get", text_of(transfer.id), folder)


def small():
    return Transfer(entry(b"a", size=5), b"hello")


# --- we offer ---------------------------------------------------------------------------------------

def give(lane, id, content):
    for at in range(0, len(content), 8192):
        lane.send(data(id, content[at:at + 8192]))
    lane.send(fin(id, len(content)))


def test_what_we_offer_is_got(stage, folder):
    manifest = (entry(b"d", DIRECTORY, 0o755) + entry(b"d/f", mode=0o640, size=3) +
                entry(b"d/l", SYMLINK, target=b"f"))
    transfer = stage.offer(Transfer(manifest, b"abc", 3))
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    id, offer, offset = stage.be_pulled(lane)
    assert (offer, offset) == (transfer.id, 0)
    give(lane, id, transfer.answer())
    getting.wait()
    assert stage.ended() == (transfer.id, p2pfiles.DONE, 0)
    assert os.listdir(folder) == ["d"] and (folder / "d" / "l").read_text() == "abc"
    assert (folder / "d" / "f").stat().st_mode & 0o777 == 0o640
    assert (folder / "d" / "f").stat().st_mtime_ns == 1_600_000_000_000_000_000


MANIFESTS = {
    "up": [entry(b"../x")],
    "absolute": [entry(b"/etc/x")],
    "up inside": [entry(b"a", DIRECTORY), entry(b"a/../../b")],
    "dot": [entry(b".")],
    "dots": [entry(b"..", DIRECTORY)],
    "empty": [entry(b"")],
    "empty component": [entry(b"a", DIRECTORY), entry(b"a//b")],
    "slash at the end": [entry(b"a/", DIRECTORY)],
    "NUL": [entry(b"a\0b")],
    "256 bytes": [entry(b"a" * 256)],
    "65 deep": [entry(b"/".join([b"d"] * n), DIRECTORY) for n in range(1, 66)],
    "twice": [entry(b"a"), entry(b"a")],
    "out of order": [entry(b"b"), entry(b"a")],
    "child before parent": [entry(b"a/b"), entry(b"a", DIRECTORY)],
    "no parent": [entry(b"a/b")],
    "file as parent": [entry(b"a"), entry(b"a/b")],
    "symlink as parent": [entry(b"a", DIRECTORY), entry(b"a/l", SYMLINK, target=b"."), entry(b"a/l/x")],
    "sizes that overflow": [entry(b"a", size=2 ** 63), entry(b"b", size=2 ** 63)],
    "sizes that do not add up": [entry(b"a", size=1)],
    "a directory with a size": [entry(b"a", DIRECTORY, size=1)],
    "set-user-id": [entry(b"a", mode=0o4777)],
    "an unknown type": [entry(b"a", 3)],
    "a symlink without a target": [entry(b"a", DIRECTORY), entry(b"a/l", SYMLINK, target=b"")],
    "half an entry": [entry(b"a")[:-1]],
}


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_manifest_that_is_not_legal_makes_no_name(stage, folder, manifest):
    transfer = stage.offer(Transfer(b"".join(manifest), b"", len(manifest)))
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], transfer.answer())
    getting.wait(65)
    assert stage.ended() == (transfer.id, p2pfiles.FAILED, p2pfiles.DAMAGED)
    assert [name for _, names, files in os.walk(folder) for name in names + files
            if name not in (f".p2pchat-{text_of(transfer.id)}", "tree", "soft")] == []
    stage.check_messages()


def test_the_number_of_entries_is_the_one_of_the_offer(stage, folder):
    transfer = stage.offer(Transfer(entry(b"a") + entry(b"b"), b"", 1))
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], transfer.answer())
    getting.wait(65)
    assert stage.ended()[1:] == (p2pfiles.FAILED, p2pfiles.DAMAGED)


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../x", b"..", b"x/../f", b"up/.."])
def test_a_symlink_that_leads_out_is_left_out(stage, folder, target):
    transfer = stage.offer(Transfer(entry(b"d", DIRECTORY) + entry(b"d/l", SYMLINK, target=target), b"", 2))
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], transfer.answer())
    getting.wait(65)
    assert stage.ended()[1:] == (p2pfiles.DONE, 0)
    assert os.listdir(folder / "d") == []


@pytest.mark.parametrize("name, placed", [(b".bash_profile", "_.bash_profile"), (b"-rf", "_-rf")])
def test_a_name_that_would_do_harm_is_changed(stage, folder, name, placed):
    transfer = stage.offer(Transfer(entry(name)))
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], transfer.answer())
    getting.wait()
    assert os.listdir(folder) == [placed]


def changed(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]


@pytest.mark.parametrize("at", [1, 33, 65, -1], ids=["hash", "hash of the manifest", "manifest", "data"])
def test_what_was_not_offered_is_not_taken(stage, folder, at):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    for number in range(2):
        give(lane, stage.be_pulled(lane, number)[0], changed(transfer.answer(), at))
    getting.wait(74)
    assert stage.ended() == (transfer.id, p2pfiles.FAILED, p2pfiles.DAMAGED)
    assert not (folder / "a").exists()
    stage.check_messages()


@pytest.mark.parametrize("answer, status", [(p2pfiles.UNKNOWN, 75), (p2pfiles.BUSY, 75)])
def test_it_is_told_why_it_gets_nothing(stage, folder, answer, status):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], bytes([answer]))
    getting.wait(status)
    assert not (folder / "a").exists()
    stage.check_messages()


@pytest.mark.parametrize("how", ["cut", "reset", "an answer of the future"])
def test_what_breaks_off_is_asked_for_again(stage, folder, how):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    id = stage.be_pulled(lane)[0]
    if how == "reset":
        lane.send(reset(id, p2pfiles.BUSY))
    else:
        give(lane, id, transfer.answer()[:50] if how == "cut" else b"\xc8")
    give(lane, stage.be_pulled(lane, 1)[0], transfer.answer())
    getting.wait()
    assert (folder / "a").read_bytes() == b"hello"


def test_what_was_damaged_once_may_come_right(stage, folder):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    give(lane, stage.be_pulled(lane)[0], changed(transfer.answer(), -1))
    give(lane, stage.be_pulled(lane, 1)[0], transfer.answer())
    getting.wait()
    assert (folder / "a").read_bytes() == b"hello"


def test_more_than_was_offered_is_not_read(stage, folder):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    id = stage.be_pulled(lane)[0]
    lane.send(data(id, transfer.answer() + b"and more"))
    getting.wait()
    assert (folder / "a").read_bytes() == b"hello"
    stage.check_messages()


@pytest.mark.parametrize("offer", [
    lambda it: it.offer[:2] + b"\xff" * 8 + it.offer[10:],
    lambda it: it.offer[:10] + b"\xff" * 8 + it.offer[18:],
    lambda it: it.offer[:10] + bytes(8) + it.offer[18:],
    lambda it: it.offer[:18] + bytes(4) + it.offer[22:],
    lambda it: it.offer[:18] + b"\xff" * 4 + it.offer[22:],
    lambda it: b"\2" + it.offer[1:],
    lambda it: b"\1\x18" + it.offer[2:],
    lambda it: it.offer.replace(b"it", b".."),
    lambda it: it.offer.replace(b"it", b"a/"),
    lambda it: it.offer.replace(b"it", b"a\0"),
    lambda it: it.offer[:-1],
], ids=["all the data there is", "a large manifest", "no manifest", "no entries", "entries", "version",
        "large chunks", "dots", "path", "NUL", "half"])
def test_an_offer_that_is_not_legal_ends_the_session(stage, offer):
    with pytest.raises(Ended) as ended:
        stage.link.say_item(FILE_OFFER, offer(small()))
    assert ended.value.code == BAD_ITEM
    assert stage.daemon.rpc("file.list")["transfers"] == []


def test_one_offer_too_many_is_refused(stage):
    for _ in range(1000):
        stage.offer(small())
    last = stage.offer(small())
    assert stage.ended() == (last.id, p2pfiles.REFUSED, p2pfiles.TOO_MANY)
    assert len(stage.daemon.rpc("file.list")["transfers"]) == 1000
    stage.check_messages()


def test_an_offer_that_comes_twice_is_one(stage):
    transfer = stage.offer(small())
    stage.offer(transfer)
    assert len(stage.daemon.rpc("file.list", ended=True)["transfers"]) == 1


@pytest.mark.parametrize("state", [0, 6, 77])
def test_an_end_that_there_is_not_ends_the_session(stage, state):
    transfer = stage.offer(small())
    with pytest.raises(Ended) as ended:
        stage.link.say_item(FILE_STATE, end(transfer.id, state))
    assert ended.value.code == BAD_ITEM
    assert stage.daemon.rpc("file.get", id=text_of(transfer.id))["state"] == "offered"


@pytest.mark.parametrize("state", [p2pfiles.DONE, p2pfiles.REFUSED, p2pfiles.FAILED])
def test_a_sender_can_not_say_how_the_receiver_ends(stage, state):
    transfer = stage.offer(small())
    stage.link.say_item(FILE_STATE, end(transfer.id, state))
    assert stage.daemon.rpc("file.get", id=text_of(transfer.id))["state"] == "offered"


@pytest.mark.parametrize("state, word", [(p2pfiles.CANCELLED, "cancelled"), (p2pfiles.EXPIRED, "expired")])
def test_a_sender_takes_its_offer_back(stage, folder, state, word):
    transfer = stage.offer(small())
    getting = get(stage, transfer, folder)
    lane = stage.lane()
    id = stage.be_pulled(lane)[0]
    stage.link.say_item(FILE_STATE, end(transfer.id, state))
    assert id_of(lane.wait(RESET, id)) == id
    getting.wait(75)
    assert stage.daemon.rpc("file.get", id=text_of(transfer.id))["state"] == word
    stage.link.say_item(FILE_STATE, end(transfer.id, p2pfiles.CANCELLED))  # the first end stays
    assert stage.daemon.rpc("file.get", id=text_of(transfer.id))["state"] == word


# --- we are offered ---------------------------------------------------------------------------------

@pytest.fixture
def offered(stage, tmp_path):
    """What alice offers us: (stage, id, content)."""
    content = os.urandom(1024 * 1024) + b"and more"
    (tmp_path / "a").write_bytes(content)
    stage.daemon.ctl("send-file", "-p", "python", tmp_path / "a")
    return stage, stage.link.hear_item(FILE_OFFER).id, content


def state_of(stage, id):
    return stage.daemon.rpc("file.get", id=text_of(id))["state"]


def read_transfer(lane, id, size):
    """Manifest and data, with what stands before them; each piece is told to be taken."""
    taken = b""
    while len(taken) < size:
        taken += lane.wait(DATA, id)[4:]
        lane.send(window(id, len(taken), WINDOW))
    return taken


def test_we_get_what_is_offered(offered):
    stage, offer, content = offered
    lane = stage.lane()
    id = stage.ask(lane, request(offer))
    manifest = entry(b"a", mode=0o644, size=len(content))
    size = 1 + 3 * 32 + len(manifest) + len(content)
    taken = read_transfer(lane, id, size)
    assert len(taken) == size and taken[0] == p2pfiles.COMING and taken.endswith(content)
    assert taken[1:33] == p2pfiles.sha256(content[:1024 * 1024])
    stage.link.say_item(FILE_STATE, end(offer, p2pfiles.DONE))
    assert state_of(stage, offer) == "done"
    eventually(lambda: os.listdir(stage.daemon.state / "spool") == [], "an empty spool")
    again = stage.ask(lane, request(offer), 1)
    assert lane.read_data(again, 1) == bytes([p2pfiles.UNKNOWN])


def test_we_go_on_where_we_were(offered):
    stage, offer, content = offered
    lane = stage.lane()
    for number, offset in enumerate((1024 * 1024, len(content))):
        id = stage.ask(lane, request(offer, offset), number)
        size = 1 + 3 * 32 + len(entry(b"a")) + len(content) - offset
        assert read_transfer(lane, id, size).endswith(content[offset:])


@pytest.mark.parametrize("asked", [
    lambda offer: request(bytes(16)), lambda offer: request(offer, 1), lambda offer: request(offer, 2 ** 63),
    lambda offer: request(offer, 2 * 1024 * 1024), lambda offer: request(offer, version=2)],
    ids=["unknown", "no multiple", "far behind", "behind", "version"])
def test_a_wrong_request_is_answered_by_one_word(offered, asked):
    stage, offer, _ = offered
    lane = stage.lane()
    id = stage.ask(lane, asked(offer))
    assert lane.read_data(id, 1) == bytes([p2pfiles.UNKNOWN])
    stage.check_messages()


def test_what_is_offered_to_another_is_unknown(offered, known):
    _, offer, _ = offered
    mallory = known(Identity(), "mallory")
    lane = mallory.lane()
    assert lane.read_data(mallory.ask(lane, request(offer)), 1) == bytes([p2pfiles.UNKNOWN])
    for state in (p2pfiles.DONE, p2pfiles.REFUSED, p2pfiles.CANCELLED):
        mallory.link.say_item(FILE_STATE, end(offer, state))
    assert state_of(mallory, offer) == "offered"


def test_a_receiver_can_not_say_that_it_has_expired(offered):
    stage, offer, _ = offered
    stage.link.say_item(FILE_STATE, end(offer, p2pfiles.EXPIRED))
    assert state_of(stage, offer) == "offered"


def test_more_pulls_than_four_wait_for_their_turn(offered):
    stage, offer, _ = offered
    lane = stage.lane()
    for number in range(4):
        stage.ask(lane, request(offer), number)
    id = lane.own_id(4)
    lane.send(open_(id, SERVICE, WINDOW))
    assert lane.wait(RESET, id)[4] == BUSY
    stage.check_messages()


def test_half_a_request_is_no_request(offered):
    stage, offer, _ = offered
    lane = stage.lane()
    id = stage.ask(lane, request(offer)[:20])
    lane.send(fin(id, 20))
    lane.wait(FIN, id)
    stage.check_messages()
