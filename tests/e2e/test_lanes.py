"""Lanes and streams with a peer that was written from p2pchat-protocol(7) alone, in both roles."""

import os

from harness import PATIENCE_S, eventually
from lanes import stage, hosted, joined  # noqa: F401

import p2planes
from p2pformat import LANE_OFFER, LANE_WANT, REKEY_DONE, REKEY_WANT, record
from p2planes import (BASE, DATA, DONE, EXIT, EXITS, FIN, HAD_OPENED, OPEN, OPENED, RESET, WINDOW,
                      Lane, data, done, exit_, fin, id_of, open_, opened, resume, window)
from p2ppeer import Peer
from test_reference_peer import alice, alice_pem, links, python  # noqa: F401


def test_we_call_a_service_of_the_daemon(stage):
    with stage.serve("tr a-z A-Z; exit 7"):
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        assert lane.wait(OPENED, id)[4:] == b"\0\0\x40\0" + bytes([EXITS])
        lane.send(data(id, b"hello"), fin(id, 5))
        assert lane.read_data(id, 5) == b"HELLO"
        assert lane.wait(FIN, id)[4:] == (5).to_bytes(8, "big")
        assert lane.wait(EXIT, id)[4:] == b"\1\0\0\0\7"
        lane.send(done(id))
        lane.wait(DONE, id)
        eventually(lambda: stage.daemon.rpc("stream.list")["streams"] == [], "the end")


def test_the_daemon_calls_a_service_of_ours(stage):
    client = stage.call()
    if stage.listener is None:
        lane = Lane.take_up(stage.link, stage.daemon.address)  # it offers one by itself
    else:
        stage.link.wait(LANE_WANT)
        lane = stage.attach()
    lane.greet()
    call = lane.wait(OPEN)
    id = id_of(call)
    assert id == lane.other_id() and call[4:] == b"\0\0\x40\0\1\4echo"
    lane.send(opened(id, flags=EXITS))
    output, client.stdin = client.stdin, None
    output.write(b"question")
    output.close()
    assert lane.read_data(id, 8) == b"question"
    lane.wait(FIN, id)
    lane.send(window(id, 8), data(id, b"answer"), exit_(id, 1, 9), fin(id, 6), done(id))
    lane.wait(DONE, id)
    assert client.communicate(timeout=PATIENCE_S) == (b"answer", b"")
    assert client.returncode == 9


def test_many_frames_and_windows_through_the_change_of_keys_within_a_generation(stage):
    """Far more than sixteen frames each way, of all sizes, and within what was granted."""
    content = os.urandom(600000)
    with stage.serve():
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        lane.wait(OPENED, id)
        sent, limit, back = 0, BASE, b""
        while len(back) < len(content):
            piece = content[sent:min(limit, sent + 5000)]
            if piece:
                lane.send(data(id, piece))
                sent += len(piece)
            else:
                lane.receive()
            for type, body in lane.received:
                if type == WINDOW:
                    limit = int.from_bytes(body[4:12], "big") + int.from_bytes(body[12:], "big")
                elif type == DATA:
                    back += body[4:]
            if any(type == DATA for type, _ in lane.received):
                lane.send(window(id, len(back)))
            lane.received = []
        assert back == content
        assert lane.keys.sending.counter > 100 and lane.keys.receiving.counter > 30


def test_what_a_lost_lane_did_not_bring_comes_over_the_next(stage):
    with stage.serve():
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        lane.wait(OPENED, id)
        lane.send(data(id, b"abcdef"))
        assert lane.read_data(id, 6) == b"abcdef"
        lane.end()
        # We say that only "ab" came, and that we took one of them.
        next = stage.lane(resume(id, received=2, taken=1, flags=HAD_OPENED))
        [theirs] = next.greeted
        assert theirs[:12] == id.to_bytes(4, "big") + (6).to_bytes(8, "big")
        next.send(data(id, b"gh"), fin(id, 8))
        assert next.read_data(id, 6) == b"cdefgh"
        next.wait(FIN, id)


def test_another_instance_of_ours_knows_none_of_its_streams(stage):
    with stage.serve():
        lane = stage.lane()
        lane.send(open_(lane.own_id(), "echo"))
        lane.wait(OPENED, lane.own_id())
        lane.end()
        lane = stage.lane(instance=os.urandom(16))
        assert lane.greeted == []
        lane.send(open_(lane.own_id(), "echo"))  # ids begin again
        lane.wait(OPENED, lane.own_id())


def test_new_keys_of_the_session_bring_new_keys_of_the_lane(hosted):
    stage = hosted
    with stage.serve():
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        lane.wait(OPENED, id)
        for generation in (1, 2):
            stage.link.start_rekey()
            while stage.link.sending.epoch < generation:
                stage.link.receive()
            lane.say_key()
            lane.send(data(id, b"old keys"))
            assert lane.read_data(id, 8) == b"old keys"
            while lane.keys.receiving.generation < generation:
                lane.receive()
            assert lane.keys.sending.generation == generation
            lane.send(data(id, b"new keys"))
            assert lane.read_data(id, 8) == b"new keys"


def test_the_daemon_gives_new_keys_in_the_new_epoch(joined):
    """Ten seconds after the handshake, and not earlier."""
    stage = joined
    with stage.serve():
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        lane.wait(OPENED, id)
        stage.link.send(record(REKEY_WANT))
        stage.link.wait(REKEY_DONE)
        lane.take_key()
        assert stage.link.receiving.epoch == 1
        lane.send(data(id, b"in generation 1"))
        assert lane.read_data(id, 15) == b"in generation 1"
        assert lane.keys.receiving.generation == 1


def test_a_lane_answers_an_echo_and_carries_nothing_before_both_are_ready(stage):
    lane = stage.attach()
    client = stage.call()
    lane.send(p2planes.hello(lane.instance))
    lane.wait(p2planes.READY)
    eventually(lambda: stage.daemon.rpc("stream.list")["streams"], "the call")
    assert [type for type, _ in lane.received] == [p2planes.HELLO]
    lane.send(record(p2planes.READY), record(p2planes.ECHO, b"echo  it"))
    assert lane.wait(p2planes.ECHOED) == b"echo  it"
    lane.wait(OPEN)
    client.kill()
    client.communicate()


def test_a_client_that_leaves_takes_its_call_back(stage):
    lane = stage.lane()
    client = stage.call()
    id = id_of(lane.wait(OPEN))
    client.kill()
    client.communicate()
    assert lane.wait(RESET, id)[4:] == bytes([p2planes.CANCELLED])


def test_a_stop_of_ours_ends_what_the_service_writes(stage):
    with stage.serve("yes; echo status $? >&2; exit 5"):
        lane = stage.lane()
        id = lane.own_id()
        lane.send(open_(id, "echo"))
        lane.wait(DATA, id)
        lane.send(p2planes.stop(id))
        lane.wait(FIN, id)
        assert lane.wait(EXIT, id)[4:] == b"\1\0\0\0\5"


def test_without_the_feature_there_is_no_word_of_lanes(alice, python, links):
    alice.ctl("peer", "add", "python", "--fingerprint", python.text)
    link = Peer.join(python, alice.address)
    links.append(link)
    link.handshake()
    said = alice.client("stream", "python", "echo")
    said.wait(expect=76)
    link.say("the session goes on")  # and Peer complains about every record of a lane
    assert LANE_OFFER not in [type for type, _ in link.received]
