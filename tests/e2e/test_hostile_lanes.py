"""A peer that breaks the rules of lanes, one at a time: its streams are lost or go on, never wrong, and
the link stays as it is.
"""

import os
import socket
import struct

import pytest

from harness import PATIENCE_S, eventually
from lanes import Stage, stage, hosted, joined  # noqa: F401

import p2planes
from p2pcrypto import Identity
from p2pformat import (HELLO_J, LANE_FAILED, LANE_KEY, LANE_OFFER, LANE_WANT, PROTOCOL_ERROR,
                       REKEY_WANT, STREAMS, record)
from p2planes import (BASE, BUSY, DATA, HAD_OPENED, LOST, NO_SERVICE, OPEN, OPENED, READY, RESET,
                      Lane, Lost, attach_frame, connect, data, fin, hello, open_, opened, resume,
                      switch, window)
from p2ppeer import Ended, Peer
from test_reference_peer import alice, alice_pem, host, links, python  # noqa: F401


def refused(lane):
    """The code of the BYE with which the daemon gives the lane up, or None without one."""
    with pytest.raises(Lost) as end:
        while True:
            lane.receive()
    return end.value.code


def closed(connection):
    """Whether the daemon closes without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


# --- ATTACH -----------------------------------------------------------------------------------------

@pytest.fixture
def offer(joined):  # noqa: F811
    """The id and secret that the daemon has just handed out."""
    joined.link.send(record(LANE_WANT, b"\0"))
    body = joined.link.wait(LANE_OFFER)
    return body[1:17], body[17:]


def flip(frame, at):
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1:]


def resized(frame, length):
    return struct.pack(">I", length) + frame[4:].ljust(length + 1, b"\0")[:length + 1]


@pytest.mark.parametrize("spoil", [
    lambda frame: resized(frame, 87), lambda frame: resized(frame, 89),
    lambda frame: flip(frame, 5), lambda frame: flip(frame, 13), lambda frame: flip(frame, 28),
    lambda frame: flip(frame, 29), lambda frame: flip(frame, 60), lambda frame: flip(frame, 61),
    lambda frame: flip(frame, 92)],
    ids=["short", "long", "magic", "id", "id-end", "random", "random-end", "mac", "mac-end"])
def test_a_wrong_attach_closes_the_connection_and_harms_no_offer(joined, offer, spoil):  # noqa: F811
    right = attach_frame(joined.link.sid, *offer)
    wrong = connect(joined.daemon.address)
    wrong.settimeout(PATIENCE_S)
    wrong.sendall(spoil(right))
    assert closed(wrong)
    made = connect(joined.daemon.address)
    made.sendall(right)
    Lane(joined.link, made, *offer, right).greet()
    joined.check_link()


def test_an_attach_is_good_for_once(joined, offer):  # noqa: F811
    right = attach_frame(joined.link.sid, *offer)
    first, again, other = (connect(joined.daemon.address) for _ in range(3))
    first.sendall(right)
    lane = Lane(joined.link, first, *offer, right)
    lane.greet()
    for late, frame in ((again, right), (other, attach_frame(joined.link.sid, *offer))):
        late.sendall(frame)
        late.settimeout(PATIENCE_S)
        assert closed(late)
    lane.send(record(p2planes.ECHO, b"still on"))
    assert lane.wait(p2planes.ECHOED) == b"still on"


def test_an_attach_of_another_session_or_behind_a_hello_is_no_good(joined, offer):  # noqa: F811
    stranger = connect(joined.daemon.address)
    stranger.settimeout(PATIENCE_S)
    stranger.sendall(attach_frame(os.urandom(32), *offer))
    assert closed(stranger)
    peer = Peer.join(Identity(), joined.daemon.address)
    with peer.connection as late:
        peer.write(HELLO_J, peer.hello_j())
        peer.read()
        late.sendall(attach_frame(joined.link.sid, *offer))
        while not closed(late):
            pass
    right = attach_frame(joined.link.sid, *offer)
    made = connect(joined.daemon.address)
    made.sendall(right)
    Lane(joined.link, made, *offer, right).greet()


def test_an_offer_ends_after_twenty_seconds_and_the_next_is_made(joined):  # noqa: F811
    client = joined.call()
    old = joined.link.wait(LANE_OFFER)
    new = joined.link.wait(LANE_OFFER)
    assert old[1:] != new[1:]
    late = connect(joined.daemon.address)
    late.settimeout(PATIENCE_S)
    late.sendall(attach_frame(joined.link.sid, old[1:17], old[17:]))
    assert closed(late)
    right = attach_frame(joined.link.sid, new[1:17], new[17:])
    made = connect(joined.daemon.address)
    made.sendall(right)
    lane = Lane(joined.link, made, new[1:17], new[17:], right)
    lane.greet()
    lane.wait(OPEN)
    client.kill()
    client.communicate()


def test_the_keys_of_an_offer_are_of_one_epoch(joined):  # noqa: F811
    """Whoever knew the session's old keys knows what was offered with them."""
    link = joined.link
    client = joined.call()
    old = link.wait(LANE_OFFER)
    link.send(record(REKEY_WANT))  # ten seconds after the handshake, and not earlier
    new = link.wait(LANE_OFFER)
    assert link.receiving.epoch == 1 and old[1:] != new[1:]
    late = connect(joined.daemon.address)
    late.settimeout(PATIENCE_S)
    late.sendall(attach_frame(link.sid, old[1:17], old[17:]))
    assert closed(late)
    client.kill()
    client.communicate()


# --- frames -----------------------------------------------------------------------------------------

def open_echo(stage, lane):  # noqa: F811
    id = lane.own_id()
    lane.send(open_(id, "echo"))
    lane.wait(OPENED, id)
    return id


TAMPERINGS = {
    "first byte": lambda lane, frame: flip(frame, 5),
    "last byte": lambda lane, frame: flip(frame, len(frame) - 1),
    "length": lambda lane, frame: frame[:2] + b"\x02" + frame[3:] + bytes(256),
    "swapped": lambda lane, frame: lane.seal(record(p2planes.ECHO, bytes(8))) + frame,
    "again": lambda lane, frame: frame + frame,
    "reflected": lambda lane, frame: lane.heard,
    "cut": lambda lane, frame: frame[:100],
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_spoilt_frame_loses_the_lane_and_no_byte(stage, how):  # noqa: F811
    with stage.serve():
        lane = stage.lane()
        id = open_echo(stage, lane)
        lane.send(data(id, b"abc"))
        header = p2planes.read_exactly(lane.connection, 5)
        lane.heard = header + p2planes.read_exactly(lane.connection,
                                                    struct.unpack(">I", header[:4])[0])
        assert (DATA, id.to_bytes(4, "big") + b"abc") in lane.keys.open(lane.heard)
        lane.write(TAMPERINGS[how](lane, lane.seal(data(id, b"xyz"))))
        lane.connection.shutdown(socket.SHUT_WR)
        assert refused(lane) is None
        took = 6 if how == "again" else 3
        next = stage.lane(resume(id, received=3, taken=3, flags=HAD_OPENED))
        [theirs] = next.greeted
        assert int.from_bytes(theirs[4:12], "big") == took
        next.send(*[data(id, b"xyz")] * (took == 3), fin(id, 6))
        assert next.read_data(id, 3) == b"xyz"
        next.wait(p2planes.FIN, id)
        stage.check_link()


# --- faults -----------------------------------------------------------------------------------------

def sized(records, size, **options):
    return lambda lane, id: lane.seal(records, size=size, **options)


def said(*make):
    """Records that are made of an open stream's id."""
    return lambda lane, id: lane.seal(*(one(lane, id) for one in make))


ECHO = record(p2planes.ECHO, bytes(8))
FAULTS = {
    "content of 255": sized(ECHO, 255),
    "content of 128": sized(ECHO, 128),
    "content of 65536": sized(ECHO, 65536),
    "content of 3072": sized(ECHO, 3072),
    "no records": sized(ECHO, 256, rec_len=0),
    "records of 4 bytes": sized(ECHO, 256, rec_len=4),
    "records beyond the content": sized(ECHO, 256, rec_len=253),
    "padding": sized(ECHO, 256, padding=b"\1"),
    "half a record": sized(ECHO, 256, rec_len=12),
    "an unknown record": said(lambda lane, id: record(0x7E)),
    "a short WINDOW": said(lambda lane, id: record(p2planes.WINDOW, bytes(15))),
    "DATA of nothing": said(lambda lane, id: data(id, b"")),
    "DATA beyond the credit": said(lambda lane, id: data(id, bytes(BASE + 1))),
    "DATA after FIN": said(lambda lane, id: fin(id, 0), lambda lane, id: data(id, b"x")),
    "a FIN of another size": said(lambda lane, id: data(id, b"x"), lambda lane, id: fin(id, 2)),
    "a second FIN": said(lambda lane, id: fin(id, 0), lambda lane, id: fin(id, 0)),
    "a WINDOW that falls": said(lambda lane, id: window(id, 0, BASE - 1)),
    "a WINDOW of what was not sent": said(lambda lane, id: window(id, 1)),
    "an OPENED of the opener": said(lambda lane, id: opened(id)),
    "an EXIT of the opener": said(lambda lane, id: p2planes.exit_(id, 1, 0)),
    "an EXIT of 256": said(lambda lane, id: p2planes.exit_(id, 1, 256)),
    "a DONE too early": said(lambda lane, id: p2planes.done(id)),
    "an OPEN of a living stream": said(lambda lane, id: open_(id, "echo")),
    "an OPEN of the other's kind": said(lambda lane, id: open_(id + 1, "echo")),
    "an OPEN of stream 0": said(lambda lane, id: open_(0, "echo")),
    "an OPEN with an argument": said(lambda lane, id: open_(id + 2, "echo", argument=b"x")),
    "an OPEN of no name": said(lambda lane, id: open_(id + 2, "")),
    "an OPEN of a bad name": said(lambda lane, id: open_(id + 2, "Echo")),
    "a record of a stream never seen": said(lambda lane, id: data(id + 4, b"x")),
    "a RESUME in the middle": said(lambda lane, id: resume(id)),
    "a second HELLO": said(lambda lane, id: hello(lane.instance)),
    "a second READY": said(lambda lane, id: record(READY)),
    "a SWITCH that nobody asked for": said(lambda lane, id: switch(1)),
    "a SWITCH that is not the last": said(lambda lane, id: switch(1), lambda lane, id: ECHO),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_ends_the_streams_of_the_lane_and_not_the_link(joined, what):  # noqa: F811
    with joined.serve():
        lane = joined.lane()
        lane.write(FAULTS[what](lane, open_echo(joined, lane)))
        assert refused(lane) == PROTOCOL_ERROR
        eventually(lambda: joined.daemon.rpc("stream.list")["streams"] == [], "the end")
        joined.link.send(record(LANE_WANT, b"\0"))  # there is no lane for a minute
        joined.check_link()
        assert LANE_OFFER not in [type for type, _ in joined.link.received]


def test_a_fault_is_one_in_the_other_role_too(hosted):  # noqa: F811
    with hosted.serve():
        lane = hosted.lane()
        lane.write(FAULTS["DATA beyond the credit"](lane, open_echo(hosted, lane)))
        assert refused(lane) == PROTOCOL_ERROR
        hosted.check_link()


# --- RESUME -----------------------------------------------------------------------------------------

RESUMES = {
    "received what was never sent": dict(received=4),
    "taken what was never received": dict(received=2, taken=3),
    "received less than was taken": dict(received=0),
    "taken less than before": dict(received=3, taken=0, window=BASE),
    "a smaller limit": dict(received=3, taken=1, window=BASE - 1),
}


@pytest.mark.parametrize("what", RESUMES)
def test_a_resume_of_what_can_t_be_is_a_fault(joined, what):  # noqa: F811
    with joined.serve():
        lane = joined.lane()
        id = open_echo(joined, lane)
        lane.send(data(id, b"abc"))
        assert lane.read_data(id, 3) == b"abc"
        lane.send(window(id, 1))
        lane.send(ECHO)
        lane.wait(p2planes.ECHOED)
        lane.end()
        lane = joined.attach()
        lane.send(hello(lane.instance), resume(id, flags=HAD_OPENED, **RESUMES[what]),
                  record(READY))
        assert refused(lane) == PROTOCOL_ERROR


def test_a_resume_of_what_is_no_stream_is_answered_by_its_end(stage):  # noqa: F811
    """Ids of the daemon's own, which it never opened, and one of ours that had been opened."""
    lane = stage.lane(*[resume(stream_id, flags=HAD_OPENED) for stream_id in (1, 2, 7, 8)])
    for id in (1, 2, 7, 8):
        assert lane.wait(RESET, id)[4:] == bytes([LOST])
    lane.send(ECHO)
    lane.wait(p2planes.ECHOED)


def test_resumes_without_end_are_a_fault(joined):  # noqa: F811
    lane = joined.attach()
    lane.send(hello(lane.instance))
    with pytest.raises((Lost, BrokenPipeError, ConnectionResetError)) as end:
        for start in range(1, 100000, 1000):
            lane.send(*[resume(2 * id + 1, flags=HAD_OPENED) for id in range(start, start + 1000)])
        while True:
            lane.receive()
    assert getattr(end.value, "code", PROTOCOL_ERROR) == PROTOCOL_ERROR
    joined.check_link()


def test_nothing_runs_twice(stage, home):  # noqa: F811
    """An OPEN for an id that has ended is answered, and runs nothing."""
    with stage.serve(f"echo ran >>{home}/runs"):
        lane = stage.lane()
        id = open_echo(stage, lane)
        lane.send(fin(id, 0), p2planes.stop(id))
        lane.wait(p2planes.EXIT, id)
        lane.send(p2planes.done(id))
        lane.wait(p2planes.DONE, id)
        lane.send(open_(id, "echo"))
        assert lane.wait(RESET, id)[4:] == bytes([LOST])
        lane.end()
        lane = stage.lane()
        lane.send(open_(id, "echo"))
        assert lane.wait(RESET, id)[4:] == bytes([LOST])
    assert (home / "runs").read_text() == "ran\n"


# --- OPEN -------------------------------------------------------------------------------------------

def test_what_may_not_be_called_is_not_there(stage, python):  # noqa: F811
    """One answer for what is unknown, for others, of ours and reserved."""
    stage.daemon.ctl("peer", "add", "carol", "--fingerprint", Identity().text)
    with stage.serve(name="echo"), stage.serve(name="private", peers=("carol",)):
        lane = stage.lane()
        names = ("unknown", "private", ".file", ".relay")
        for number, name in enumerate(names):
            lane.send(open_(lane.own_id(number), name))
            assert lane.wait(RESET, lane.own_id(number))[4:] == bytes([NO_SERVICE])
        lane.send(open_(lane.own_id(9), "echo"))
        lane.wait(OPENED, lane.own_id(9))


def test_a_key_that_nobody_verified_does_only_where_that_was_said(alice, python, links):  # noqa: F811
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    alice.ctl("peer", "add", "python", address)
    link = Peer.accept(python, listener, features=STREAMS)
    links.append(link)
    stage = Stage(alice, link.handshake(), listener)  # noqa: F811
    eventually(lambda: alice.peer("python")["trust"] == "tofu", "the end of its handshake there")
    with stage.serve(name="strict"), stage.serve(name="lenient",
                                                         options=("--trust", "tofu")):
        lane = stage.lane()
        lane.send(open_(lane.own_id(0), "strict"), open_(lane.own_id(1), "lenient"))
        assert lane.wait(RESET, lane.own_id(0))[4:] == bytes([NO_SERVICE])
        lane.wait(OPENED, lane.own_id(1))
    listener.close()


def test_a_blocked_peer_loses_its_streams(stage):  # noqa: F811
    with stage.serve():
        lane = stage.lane()
        open_echo(stage, lane)
        stage.daemon.ctl("peer", "block", "python")
        refused(lane)
        eventually(lambda: stage.daemon.rpc("stream.list")["streams"] == [], "the end")


def test_too_many_opens_a_second_are_told_so(stage):  # noqa: F811
    """The answers keep pace with who asks: none is lost, and none has to be kept for ever."""
    lane = stage.lane()
    answers = []
    for start in range(0, 600, 50):
        lane.send(*[open_(lane.own_id(start + number), "unknown") for number in range(50)])
        answers += [lane.wait(RESET)[4] for _ in range(50)]
    assert set(answers) == {NO_SERVICE, BUSY} and answers[:400] == [NO_SERVICE] * 400


def test_answers_that_nobody_takes_have_a_bound(joined):  # noqa: F811
    """More OPENs than may be unanswered, by one that does not read."""
    lane = joined.lane()
    lane.connection.settimeout(PATIENCE_S)
    with pytest.raises((Lost, BrokenPipeError, ConnectionResetError)) as end:
        for start in range(0, 10**6, 1500):
            lane.send(*[open_(lane.own_id(start + number), "unknown") for number in range(1500)])
        while True:
            lane.receive()
    assert getattr(end.value, "code", PROTOCOL_ERROR) == PROTOCOL_ERROR
    joined.check_link()


# --- the session's records --------------------------------------------------------------------------

def test_a_flood_of_offers_is_one_dial_at_a_time(hosted):  # noqa: F811
    """Only the newest is kept, and the daemon dials at most once a second."""
    client = hosted.call()
    hosted.link.wait(LANE_WANT)
    for _ in range(2000):
        hosted.link.send(record(LANE_OFFER, b"\0" + os.urandom(48)))
    id, secret = os.urandom(16), os.urandom(32)
    hosted.link.send(record(LANE_OFFER, b"\0" + id + secret))
    dials = 0
    while True:
        connection = hosted.listener.accept()[0]
        connection.settimeout(PATIENCE_S)
        attach = p2planes.read_exactly(connection, 93)
        dials += 1
        if attach[13:29] == id:
            break
    assert dials <= 20
    lane = Lane(hosted.link, connection, id, secret, attach)
    lane.greet()
    lane.wait(OPEN)
    client.kill()
    client.communicate()


def test_keys_for_a_lane_that_is_none_are_nothing(hosted):  # noqa: F811
    with hosted.serve():
        lane = hosted.lane()
        id = open_echo(hosted, lane)
        hosted.link.send(record(LANE_KEY, b"\0" + os.urandom(16) + struct.pack(">I", 1) +
                                os.urandom(32)))
        hosted.check_link()
        lane.send(data(id, b"still"))
        assert lane.read_data(id, 5) == b"still"


def test_a_switch_with_another_number_is_a_fault(hosted):  # noqa: F811
    with hosted.serve():
        lane = hosted.lane()
        open_echo(hosted, lane)
        hosted.link.start_rekey()
        while hosted.link.sending.epoch < 1:
            hosted.link.receive()
        lane.say_key()
        lane._take_switch = lambda body: (lane.keys.switch_receiving(), lane.send(switch(2)))
        assert refused(lane) == PROTOCOL_ERROR


@pytest.mark.parametrize("type, body", [
    (LANE_OFFER, b"\2" + bytes(48)), (LANE_OFFER, b"\0" + bytes(47)), (LANE_WANT, b"\0"),
    (LANE_FAILED, b"\0" + bytes(17)), (LANE_KEY, b"\0" + bytes(53))],
    ids=["class", "length", "other side", "also", "long key"])
def test_malformed_records_of_lanes_end_the_link(hosted, type, body):  # noqa: F811
    hosted.link.send(record(type, body))
    with pytest.raises(Ended) as end:
        while True:
            hosted.link.receive()
    assert end.value.code == PROTOCOL_ERROR
