"""Lanes of both classes, and what of the daemon's memory a peer can get hold of by them."""

from lanes import stage, hosted, joined  # noqa: F401
from p2pformat import LANE_KEY, LANE_WANT, REKEY_DONE, REKEY_WANT, record
from p2planes import (DATA, ECHO, ECHOED, NO_SERVICE, OPEN, OPENED, RESET, Lane, data, id_of, open_,
                      opened, window)
from test_reference_peer import alice, alice_pem, links, python  # noqa: F401


def test_what_people_provide_is_not_called_over_the_lane_for_files(stage):  # noqa: F811
    with stage.serve():
        services, files = stage.lane(), stage.lane(kind=1)
        id = services.own_id()
        for lane in (services, files):
            lane.send(open_(id, "echo"))
        services.wait(OPENED, id)
        assert files.wait(RESET, id)[4] == NO_SERVICE
        services.send(open_(services.own_id(1), ".file"))
        assert services.wait(RESET, services.own_id(1))[4] == NO_SERVICE
        files.end()  # one lane may be lost, and the other doesn't notice
        services.send(data(id, b"still"))
        assert services.read_data(id, 5) == b"still"
        again = stage.lane(kind=1)
        again.send(record(ECHO, b"here too"))
        assert again.wait(ECHOED) == b"here too"
    stage.check_link()


def test_each_class_has_its_own_keys(joined):  # noqa: F811
    """New keys of the session bring new ones of both lanes."""
    lanes = [joined.lane(), joined.lane(kind=1)]
    joined.link.send(record(REKEY_WANT))
    joined.link.wait(REKEY_DONE)
    keys = [joined.link.wait(LANE_KEY) for _ in lanes]
    assert sorted(body[:17] for body in keys) == sorted(lane.kind + lane.id for lane in lanes)


def test_who_allows_all_and_takes_nothing_gets_what_everybody_gets(stage):  # noqa: F811
    """What is sent is kept until it was taken: more is kept for who has taken much."""
    client = stage.call()
    if stage.listener is None:
        lane = Lane.take_up(stage.link, stage.daemon.address)
    else:
        stage.link.wait(LANE_WANT)
        lane = stage.attach()
    lane.greet()
    id = id_of(lane.wait(OPEN))
    lane.send(opened(id, window=2**32 - 1))
    client.stdin.write(bytes(64 << 10))
    client.stdin.flush()
    got = len(lane.read_data(id, 16384))
    lane.send(record(ECHO, b"and now?"))
    lane.wait(ECHOED)
    assert [type for type, _ in lane.received if type == DATA] == []
    lane.send(window(id, got, 2**32 - 1))
    lane.read_data(id, 16384)
    client.kill()
    client.communicate()
