"""Messages with headers and bytes: what is sent arrives as it was, and is harmless where it is shown.
"""

import base64
import json
import os
import pathlib
import struct
import subprocess
import sys

import pytest

from harness import P2PCHATCTL, RpcError, environment, eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2pformat
import p2ppeer
from p2pcrypto import Identity
from p2ppeer import Ended, Peer, record

BYTES = bytes(range(256)) * 256  # 65536


def sent_and_received(alice, bob, *arguments, **options):
    """Sends it to bob and waits until he has it: the message as each of them shows it."""
    alice.ctl("send", "--wait", *arguments, **options)
    return alice.history(limit=1)[0], bob.history(limit=1)[0]


# --- between two daemons --------------------------------------------------------------------------------

def test_headers_arrive_as_they_were(paired):
    alice, bob = paired
    first = alice.ctl("send", "--wait", "a question").out.strip()
    out, received = sent_and_received(
        alice, bob, "--topic", "disk/root", "--type", "text/x-note; charset=utf-8", "--reply-to",
        first, "-H", "host=web-7", "-H", "note=grüß=dich", "full")
    assert received["headers"] == {
        "topic": "disk/root", "type": "text/x-note; charset=utf-8", "reply_to": first,
        "user": {"host": "web-7", "note": "grüß=dich"}}
    assert out["headers"] == received["headers"]
    assert (received["body"], received["size"]) == ("full", 4)
    event = bob.ctl("follow", "--no-follow", "-n", "1", "-o", "json").json[0]["message"]
    assert (event["headers"], event["body"]) == (received["headers"], "full")


def test_a_plain_text_has_no_headers(paired):
    alice, bob = paired
    for message in sent_and_received(alice, bob, "plain"):
        assert not {"headers", "size", "body_base64", "held"} & set(message)


@pytest.mark.parametrize("data", [b"\0", b"\xff\xfe\n", b"text\n", b"", BYTES],
                         ids=["NUL", "no-utf8", "text", "nothing", "all"])
def test_bytes_arrive_as_they_were(paired, data, tmp_path):
    alice, bob = paired
    out, received = sent_and_received(alice, bob, "--binary", input=data)
    for message in (out, received):
        assert message["size"] == len(data)
        assert message["headers"] == {"type": "application/octet-stream"}
        if "body" in message:
            assert message["body"].encode() == data
        else:
            assert base64.b64decode(message["body_base64"], validate=True) == data
    file = tmp_path / "body"
    bob.ctl("follow", "--no-follow", "-n", "1", "--exec", f"cat > {file}")
    assert file.read_bytes() == data
    cat = bob.ctl("history", "-n", "1", "-o", "cat").out
    assert cat.encode(errors="surrogateescape") == data + b"\n"


def test_bytes_come_by_json_too(paired):
    alice, bob = paired
    encoded = base64.b64encode(BYTES).decode()
    alice.rpc("message.send", body_base64=encoded, headers={"type": "image/png"})
    received = eventually(lambda: bob.history(limit=1), "the message")[0]
    assert (received["body_base64"], received["headers"]) == (encoded, {"type": "image/png"})
    with pytest.raises(RpcError) as error:
        alice.rpc("message.send", body_base64=base64.b64encode(BYTES + b"x").decode())
    assert error.value.kind == "too_large"
    with pytest.raises(RpcError) as error:
        alice.rpc("message.send", body_base64="no base64")
    assert error.value.kind == "usage"
    with pytest.raises(RpcError) as error:
        alice.rpc("message.send", body_base64="AA", body="x")
    assert error.value.kind == "usage"


@pytest.mark.parametrize("headers, name", [
    ({"topic": "a+b"}, "topic"), ({"topic": ""}, "topic"), ({"topic": 1}, "topic"),
    ({"topic": "t" * 256}, "topic"), ({"topic": "new\nline"}, "topic"), ({"type": "text"}, "type"),
    ({"type": "text/\x1b"}, "type"), ({"reply_to": "me"}, "reply_to"),
    ({"reply_to": "00000000-0000-0000-0000-000000000000"}, "reply_to"),
    ({"user": {"Host": "x"}}, "user"), ({"user": {"a": "\x7f"}}, "user"), ({"user": {"a": 1}}, "user"),
    ({"user": {f"n{i}": "" for i in range(33)}}, "user"), ({"colour": "red"}, "colour")])
def test_a_header_that_can_not_be_is_named(paired, headers, name):
    alice, _ = paired
    with pytest.raises(RpcError) as error:
        alice.rpc("message.send", body="x", headers=headers)
    assert error.value.kind == "bad_header" and f"header {name} " in str(error.value)
    assert alice.history() == []


def test_the_command_line_says_what_is_wrong(paired):
    alice, _ = paired
    assert "header topic can't" in alice.ctl("send", "--topic", "#", "x", expect=65).err
    assert "NAME=VALUE" in alice.ctl("send", "-H", "x", "x", expect=64).err
    assert "given twice" in alice.ctl("send", "-H", "a=1", "-H", "a=2", "x", expect=64).err
    assert "standard input" in alice.ctl("send", "--binary", "x", expect=64).err
    assert "not --lines" in alice.ctl("send", "--binary", "--lines", expect=64).err
    assert "--binary" in alice.ctl("send", input=b"\0", expect=65).err
    assert alice.history() == []


def test_every_line_of_a_stream_has_the_headers(paired):
    alice, bob = paired
    alice.ctl("send", "--lines", "--topic", "log", "--wait", input="one\ntwo\n")
    assert [(m["body"], m["headers"]) for m in bob.history()] == [
        ("one", {"topic": "log"}), ("two", {"topic": "log"})]


def test_a_command_gets_headers_and_none_of_others(paired, tmp_path):
    alice, bob = paired
    alice.ctl("send", "--wait", "--topic", "t", "-H", "my-name=it's", "-H", "x=", "body")
    alice.ctl("send", "--wait", "plain")
    file = tmp_path / "environment"
    bob.ctl("rpc", "hello")
    env = ["env", "P2PCHAT_KEY=inherited", "P2PCHAT_H_EVIL=inherited", "P2PCHAT_STREAM=7"]
    subprocess.run([*env, P2PCHATCTL, "-s", bob.socket, "follow", "--no-follow", "-n", "2", "--exec",
                    f"env -0 | sort -z >> {file}; printf 'END\\0' >> {file}"], check=True, timeout=60,
                   env=environment(bob.home))
    first, second = (dict(line.split("=", 1) for line in part.split("\0")
                          if line.startswith("P2PCHAT_"))
                     for part in file.read_text().split("END\0")[:2])
    assert (first["P2PCHAT_TOPIC"], first["P2PCHAT_H_MY_NAME"], first["P2PCHAT_H_X"]) == (
        "t", "it's", "")
    assert first["P2PCHAT_SOCKET"] == str(bob.socket) and first["P2PCHAT_SENT"].endswith("Z")
    always = {f"P2PCHAT_{name}" for name in
              ("PEER", "FINGERPRINT", "TRUST", "TIME", "ID", "SENT", "SOCKET")}
    assert set(second) == always
    assert set(first) == always | {"P2PCHAT_TOPIC", "P2PCHAT_H_MY_NAME", "P2PCHAT_H_X"}


def test_the_same_client_id_with_other_headers_is_a_conflict(paired):
    alice, _ = paired
    first = alice.rpc("message.send", body="x", client_id="one", headers={"topic": "a"})
    again = alice.rpc("message.send", body="x", client_id="one", headers={"topic": "a"})
    assert again["messages"][0]["id"] == first["messages"][0]["id"]
    for other in ({"headers": {"topic": "b"}}, {}):
        with pytest.raises(RpcError) as error:
            alice.rpc("message.send", body="x", client_id="one", **other)
        assert error.value.kind == "conflict"


def test_a_restart_keeps_headers(paired):
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "--topic", "kept", "x")
    alice.restart()
    bob.start()
    assert eventually(bob.history, "the message")[0]["headers"] == {"topic": "kept"}
    bob.restart()
    assert bob.history()[0]["headers"] == {"topic": "kept"}


# --- with the peer in Python ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def python():
    return Identity()


@pytest.fixture
def join(alice, python):
    """join(features): a session of alice with a peer that has these."""
    alice.ctl("peer", "add", "python", "--fingerprint", python.text)
    made = []

    def connect(features=p2pformat.HEADERS):
        made.append(Peer.join(python, alice.address, features=features))
        return made[-1].handshake()

    yield connect
    for link in made:
        link.end()


def test_another_implementation_understands(join, alice):
    link = join()
    assert link.common & p2pformat.HEADERS
    sent = alice.client("send", "--wait", "--topic", "disk/root", "-H", "b=2", "-H", "a=1", "x")
    message = link.hear()
    assert message.headers == [(p2pformat.TOPIC, b"disk/root"), p2pformat.user("a", "1"),
                               p2pformat.user("b", "2")]
    assert message.text == b"x"
    sent.wait()
    link.say(b"\0\xff", headers=[(p2pformat.TYPE, b"image/x"), (p2pformat.KEY_HEADER, b"k"),
                                 (p2pformat.PRIORITY, b"\2"), (p2pformat.FORGET, b"\0\0\0\7"),
                                 (0x20, b"later"), (0x7E, b"")])
    received = alice.history(limit=1)[0]
    assert received["headers"] == {"type": "image/x", "key": "k", "priority": "high", "forget_s": 7,
                                   "unknown": [0x20, 0x7E]}
    assert base64.b64decode(received["body_base64"]) == b"\0\xff"


HOSTILE = [
    ("no headers", b"\0\0x"), ("cut", b"\0\4\2\0\1"), ("beyond", b"\0\5\2\0\1tx"),
    ("order", b"\0\x08\2\0\1t\1\0\1/"), ("ESC", b"\0\4\2\0\1\x1b"), ("C1", b"\0\5\2\0\2\xc2\x9b"),
    ("no UTF-8", b"\0\4\2\0\1\xff"), ("wildcard", b"\0\4\2\0\1#"), ("default", b"\0\4\5\0\1\1"),
    ("above all", b"\0\3\x80\0\0"), ("ask", b"\0\x08\x10\0\5\0\0\0\1s")]


@pytest.mark.parametrize("content", [content for _, content in HOSTILE],
                         ids=[name for name, _ in HOSTILE])
def test_a_bad_content_ends_the_session_and_leaves_nothing(join, alice, content):
    link = join()
    item = os.urandom(16) + bytes(16) + struct.pack(">QB", 0, 1) + content
    link.send(record(p2ppeer.MESSAGE, item))
    with pytest.raises(Ended) as end:
        while True:
            link.receive()
    assert end.value.code == p2pformat.BAD_ITEM
    assert alice.history() == []


def test_a_bidi_override_is_shown_harmless(join, alice):
    link = join()
    link.say("x", headers=[(p2pformat.TOPIC, "a\u202eb".encode()), p2pformat.user("n", "\u2066")])
    for output in ("short", "verbose"):
        out = alice.ctl("history", "-o", output).out
        assert "\u202e" not in out and "\u2066" not in out and "<U+202E>" in out


# --- peers that are too old ---------------------------------------------------------------------------------

def held(alice):
    return [message["id"] for message in alice.history(queued=True) if message.get("held")]


def test_one_that_is_known_to_be_old_is_refused(join, alice):
    link = join(features=0)
    link.say("hello")
    refused = alice.ctl("send", "-p", "python", "--topic", "t", "x", expect=76)
    assert "too old" in refused.err
    assert [m["direction"] for m in alice.history()] == ["in"]
    sent = alice.client("send", "--wait", "plain")
    assert link.hear().text == "plain"
    sent.wait()


def test_one_that_was_never_met_gets_it_when_it_can(join, alice, python):
    first = alice.ctl("send", "--topic", "t", "for later").out.strip()
    alice.ctl("send", "a text")
    second = alice.ctl("send", "-H", "a=1", "waits").out.strip()
    control = alice.control()
    wait = control.ask("message.wait", id=second, state="delivered")
    assert held(alice) == []
    old = join(features=0)
    assert old.hear().text == "a text"  # the others pass
    assert control.reply(wait)["error"]["data"]["kind"] == "not_supported"
    eventually(lambda: len(held(alice)) == 2, "two that are held")
    assert "held" in alice.ctl("queue").out
    assert alice.ctl("rpc", "message.wait", json.dumps({"id": first, "state": "sent"}),
                     expect=76).err
    assert alice.text_of_log().count("2 messages wait until its p2pchat is a newer one") == 1
    old.end()
    new = join()
    assert [new.hear().text, new.hear().text] == [b"for later", b"waits"]
    eventually(lambda: alice.history(queued=True) == [], "an empty queue")
    assert [m["state"] for m in alice.history()] == ["delivered"] * 3


def test_one_that_was_set_back_gets_it_later(join, alice):
    new = join()
    new.acknowledgement = lambda ordinal: b""
    alice.ctl("send", "--topic", "t", "under way")
    alice.ctl("send", "text")
    assert new.hear().text == b"under way"
    assert new.hear().text == "text"
    new.end()
    old = join(features=0)
    assert old.hear().text == "text"
    eventually(lambda: len(alice.history(queued=True)) == 1, "the text is delivered")
    old.end()
    new = join()
    assert new.hear().text == b"under way"
    eventually(lambda: alice.history(queued=True) == [], "an empty queue")


def test_the_reason_says_so_when_its_time_is_over(join, alice):
    alice.ctl("send", "--expires", "2s", "--topic", "t", "x")
    join(features=0)
    event = alice.wait_for_event("message.state")
    assert (event["message"]["state"], event["message"]["reason"]) == (
        "expired", "the peer's p2pchat is too old for it")
