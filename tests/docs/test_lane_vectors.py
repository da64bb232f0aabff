"""The recorded lane is what p2pchat-protocol(7) says: a peer written from the page makes it and reads it.

The C programs are held against the same file in tests/unit/test_lane.c.
"""

import json
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "peer"))

import p2planes
from p2pcrypto import sha256
from p2planes import HOST, JOINER, SWITCH, Keys
from p2pformat import records_of


@pytest.fixture
def recorded():
    return json.loads((TESTS / "vectors" / "lane.json").read_text())


def ends(recorded):
    """Both ends of the recorded lane, by what the frames call them."""
    inputs = {name: bytes.fromhex(value) for name, value in recorded["inputs"].items()}
    attach = p2planes.attach_frame(inputs["sid"], inputs["lane_id"], inputs["secret"],
                                   inputs["random_J"])
    assert attach.hex() == recorded["attach"]["ATTACH_frame"]
    return {role.decode(): Keys(role, inputs["sid"], inputs["secret"], attach)
            for role in (JOINER, HOST)}


def test_the_keys_are_the_recorded_ones(recorded):
    both = ends(recorded)
    attach = recorded["attach"]
    assert both["J"].root.hex() == both["H"].root.hex() == attach["lane_root_0"]
    assert both["J"].sending.chain.hex() == both["H"].receiving.chain.hex() == attach["chain_joiner_0"]
    assert both["H"].sending.chain.hex() == both["J"].receiving.chain.hex() == attach["chain_host_0"]


def exchange(recorded):
    """Makes and reads all frames; both ends as they are then."""
    both = ends(recorded)
    for entry in recorded["frames"]:
        sender, receiver = both[entry["from"]], both["H" if entry["from"] == "J" else "J"]
        records = bytes.fromhex(entry["records"])
        if records[4] == SWITCH and sender.generation == 0:
            for end in both.values():
                end.rekey(bytes.fromhex(recorded["rekey"]["LANE_KEY_record"]))
            assert sender.root.hex() == recorded["rekey"]["lane_root_1"]
        frame = sender.seal(records)
        assert frame.hex() == entry["frame"], entry["what"]
        assert receiver.open(frame) == list(records_of(records)), entry["what"]
        if records[4] == SWITCH:
            sender.switch_sending()
            receiver.switch_receiving()
    return both


def test_the_frames_are_the_recorded_ones_made_and_read(recorded):
    both = exchange(recorded)
    assert both["J"].sending.generation == both["H"].sending.generation == 1


def test_a_full_frame_and_the_change_of_keys_are_the_recorded_ones(recorded):
    joiner = exchange(recorded)["J"]
    bulk = recorded["bulk"]
    frame = joiner.seal(p2planes.data(9, bytes(7 * i % 256 for i in range(32768 - 4 - 9))))
    assert len(frame) == bulk["frame_size"] and sha256(frame).hex() == bulk["frame_sha256"]
    for entry in recorded["ratchet"]["frames"]:
        frame = joiner.seal(p2planes.window(9, 4096 * entry["counter"]))
        assert frame[-16:].hex() == entry["tag"], entry["counter"]
        assert joiner.sending.key.hex() == entry["key"]
