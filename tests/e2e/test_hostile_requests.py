"""Requests between a daemon and the peer in Python: it asks and answers as it should, and then as it should
not.
"""

import os
import pathlib
import struct
import sys

import pytest

from harness import RpcError, eventually

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

import p2pformat
from p2pcrypto import Identity
from p2pformat import ASK, CALLS, CANCEL, FORGET, HEADERS, KEY_HEADER, REPLY_TO, REPORT, RESULT, TOPIC
from p2ppeer import Ended, Peer

EXITED, _, REFUSED, _, INTERRUPTED, _, CANCELLED, _, BUSY, _ = range(10)


@pytest.fixture(scope="module")
def python():
    return Identity()


@pytest.fixture(scope="module")
def mallory():
    """Another peer, who is let in as well."""
    return Identity()


@pytest.fixture
def join(alice, python, mallory):
    """join(…): a session of one of the two with alice."""
    alice.ctl("peer", "add", "python", "--fingerprint", python.text)
    alice.ctl("peer", "add", "mallory", "--fingerprint", mallory.text)
    made = []

    def connect(identity=python, features=HEADERS | CALLS):
        made.append(Peer.join(identity, alice.address, features=features))
        return made[-1].handshake()

    yield connect
    for link in made:
        link.end()


@pytest.fixture
def provider(alice):
    """Provides `it` to python, and answers when it is told to."""
    control = alice.control()
    control.call("service.add", name="it", peers=["python"], ask=True, max=8)
    yield control
    control.end()


def asking(service="it", seconds=600):
    return [(ASK, struct.pack(">I", seconds) + service.encode())]


def result_to(id, outcome=EXITED, status=0):
    return [(REPLY_TO, id), (RESULT, bytes([outcome, status]))]


def ask(link, body=b"x", headers=None):
    """Asks; the id."""
    id = os.urandom(16)
    link.say(body, id=id, headers=headers or asking())
    return id


def text_of(id):
    text = id.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def answer_of(link, id):
    """The outcome, status and body of the next message, which is the result of this request."""
    message = link.hear()
    headers = dict(message.headers)
    assert headers[REPLY_TO] == id and set(headers) == {REPLY_TO, RESULT}
    return (*headers[RESULT], message.text)


def given(provider):
    """The next request that the provider is given."""
    notice = provider.read()
    assert notice["method"] == "request"
    return notice["params"]


def answer(provider, id, **members):
    provider.call("service.answer", id=text_of(id), outcome="exited", status=0, **members)


# --- honest ---------------------------------------------------------------------------------------------

def test_it_asks_and_is_answered(join, provider):
    link = join()
    id = ask(link, b"\0how\xff", [(TOPIC, b"a/b"), *asking()])
    params = given(provider)
    assert (params["type"], params["id"], params["peer"]) == ("incoming", text_of(id), "python")
    assert params["message"]["body_base64"] == "AGhvd/8=" and params["message"]["headers"]["topic"] == "a/b"
    provider.call("service.answer", id=text_of(id), outcome="signalled", status=9, body="so")
    assert answer_of(link, id) == (1, 9, b"so")


def test_it_is_asked_and_answers(join, alice):
    link = join()
    asked = alice.client("ask", "--timeout", "77s", "python", "backup", "please")
    request = link.hear()
    assert request.headers == asking("backup", 77) and request.text == b"please"
    link.say(b"done\n", headers=result_to(request.id, EXITED, 7))
    assert asked.next() == "done"
    asked.wait(7)


def test_it_is_told_that_a_request_is_taken_back(join, alice):
    link = join()
    id = alice.rpc("message.ask", peer="python", service="it")["id"]
    request = link.hear()
    alice.rpc("message.cancel", id=id)
    assert link.hear().headers == [(REPLY_TO, request.id), (CANCEL, b"")]
    link.say(b"", headers=result_to(request.id, CANCELLED))
    result = alice.rpc("message.wait", id=id, state="processed")["result"]
    assert result["outcome"] == "cancelled"


def test_an_outcome_of_the_future_is_a_failure(join, alice):
    link = join()
    asked = alice.client("ask", "python", "it")
    link.say(b"", headers=result_to(link.hear().id, 200))
    asked.wait(70)


def test_a_peer_that_is_too_old_is_not_asked(join, alice):
    join(features=HEADERS)
    done = alice.ctl("ask", "python", "it", expect=76)
    assert "too old for requests" in done.err
    assert alice.history(queued=True) == []


def test_a_request_waits_until_its_peer_is_no_longer_too_old(join, alice):
    id = alice.rpc("message.ask", peer="python", service="it", timeout_s=600)["id"]
    old = join(features=HEADERS)
    eventually(lambda: alice.history(queued=True)[0].get("held"), "that it is held")
    old.end()
    link = join()
    link.say(b"", headers=result_to(link.hear().id, EXITED, 5))
    assert alice.rpc("message.wait", id=id, state="processed")["result"]["status"] == 5


# --- asking ---------------------------------------------------------------------------------------------

def test_what_comes_again_is_not_asked_again(join, provider):
    link = join()
    id = ask(link, b"once")
    given(provider)
    link.end()
    link = join()
    link.say(b"once", id=id, headers=asking())
    link.say(b"another", id=id, headers=asking())
    answer(provider, id)
    assert answer_of(link, id) == (EXITED, 0, b"")
    link.say(b"once", id=id, headers=asking())
    other = ask(link)
    assert given(provider)["id"] == text_of(other)


def test_what_is_not_for_it_is_refused_like_what_is_not_there(join, provider, alice, mallory):
    link = join(mallory)
    said = [answer_of(link, ask(link, headers=asking(name))) for name in ("it", "nothing")]
    assert said[0] == said[1] == (REFUSED, 0, b"")


def test_so_many_wait_and_no_more(join, provider, alice):
    provider.end()
    eventually(lambda: not alice.rpc("service.list")["services"][0]["provided"], "the end of the provider")
    link = join()
    ids = [ask(link) for _ in range(65)]
    assert answer_of(link, ids[64]) == (BUSY, 0, b"")
    assert alice.rpc("service.list")["services"][0]["requests"]["waiting"] == 64


def test_the_body_may_be_as_long_as_a_message(join, provider):
    link = join()
    body = bytes(65536)
    id = ask(link, body)
    assert given(provider)["message"]["size"] == 65536
    answer(provider, id, body="y" * 65536)
    assert answer_of(link, id) == (EXITED, 0, b"y" * 65536)


@pytest.mark.parametrize("body, headers, features", [
    (b"", [(ASK, struct.pack(">I", 0) + b"it")], CALLS),
    (b"", asking(seconds=2592001), CALLS),
    (b"", asking(service=""), CALLS),
    (b"", asking(service="It"), CALLS),
    (b"", asking(service="../it"), CALLS),
    (b"", asking(service="i" * 65), CALLS),
    (b"", [(KEY_HEADER, b"k"), *asking()], CALLS),
    (b"", [(FORGET, b"\0\0\0\1"), *asking()], CALLS),
    (b"", [*asking(), (REPORT, b"")], CALLS),
    (b"", [*asking(), *asking()], CALLS),
    (b"", [(RESULT, b"\0\0")], CALLS),
    (b"", [(REPLY_TO, bytes(16)), (RESULT, b"\0\0")], CALLS),
    (b"", [(REPLY_TO, b"r" * 16), (RESULT, b"\0")], CALLS),
    (b"", [(CANCEL, b"")], CALLS),
    (b"x", [(REPLY_TO, b"r" * 16), (CANCEL, b"")], CALLS),
    (b"", [(TOPIC, b"t"), (REPLY_TO, b"r" * 16), (CANCEL, b"")], CALLS),
    (bytes(65537), asking(), CALLS),
    (b"", asking(), 0)],
    ids=["no time", "31 days", "no name", "upper case", "path", "long name", "key", "forget", "report", "twice",
         "result of nothing", "zero", "no status", "cancel of nothing", "cancel with a body", "cancel with a topic",
         "long", "without the feature"])
def test_what_breaks_the_rules_ends_the_session_and_leaves_nothing(join, provider, alice, body, headers, features):
    link = join(features=HEADERS | features)
    link.send(link.message(body, headers=headers))
    with pytest.raises(Ended) as end:
        while True:
            link.receive()
    assert end.value.code == p2pformat.BAD_ITEM
    assert alice.history() == []
    link = join()
    id = ask(link)  # and it is no grudge
    assert given(provider)["id"] == text_of(id)


# --- taking back ----------------------------------------------------------------------------------------

def test_what_is_another_s_is_not_taken_back(join, provider, mallory):
    link, thief = join(), join(mallory)
    id = ask(link)
    given(provider)
    for taken in (id, b"n" * 16):
        thief.say(b"", headers=[(REPLY_TO, taken), (CANCEL, b"")])
    link.say(b"", headers=[(REPLY_TO, b"n" * 16), (CANCEL, b"")])
    other = ask(link)
    assert given(provider)["id"] == text_of(other)  # and nothing before it
    link.say(b"", headers=[(REPLY_TO, id), (CANCEL, b"")])
    notice = given(provider)
    assert (notice["type"], notice["id"]) == ("cancel", text_of(id))
    answer(provider, id)
    assert answer_of(link, id) == (EXITED, 0, b"")
    link.say(b"", headers=[(REPLY_TO, id), (CANCEL, b"")])  # it is over


# --- results --------------------------------------------------------------------------------------------

def strays(alice):
    return alice.text_of_log().count("a result that nothing here waits for")


def results(alice):
    return [message["size"] for message in alice.history() if message["type"] == "message.result"]


def test_only_the_first_result_of_the_peer_that_was_asked_counts(join, provider, alice, mallory):
    link, other = join(), join(mallory)
    text = alice.rpc("message.send", peer="python", body="text")["messages"][0]["id"]
    assert link.hear().text == "text"
    id = alice.rpc("message.ask", peer="python", service="it")["id"]
    request = link.hear()
    mine = ask(link)
    for number, (peer, reply_to) in enumerate([
            (other, request.id),                            # another's request
            (link, b"n" * 16),                              # what never was
            (link, bytes.fromhex(text.replace("-", ""))),   # a text
            (link, mine)], 1):                              # a request of its own
        peer.say(b"false", headers=result_to(reply_to))
        assert strays(alice) == number
    assert alice.rpc("message.get", id=id)["state"] == "delivered"
    link.say(b"first", headers=result_to(request.id, EXITED, 3))
    link.say(b"second", headers=result_to(request.id, EXITED, 4))
    assert strays(alice) == 5
    answered = alice.rpc("message.wait", id=id, state="processed")
    assert (answered["result"]["status"], answered["message"]["body"]) == (3, "first")
    assert alice.rpc("message.get", id=text)["state"] == "delivered"
    alice.restart()
    assert alice.rpc("message.wait", id=id, state="processed")["message"]["body"] == "first"


def test_a_result_of_a_result_is_nothing(join, alice):
    link = join()
    id = alice.rpc("message.ask", peer="python", service="it")["id"]
    request, own = link.hear(), os.urandom(16)
    link.say(b"", id=own, headers=result_to(request.id))
    link.say(b"false", headers=result_to(own))
    assert strays(alice) == 1
    assert alice.rpc("message.get", id=id)["state"] == "processed"


# --- who is there no more -------------------------------------------------------------------------------

def test_who_is_removed_is_not_answered_and_what_runs_is_ended(join, provider, alice):
    link = join()
    id = ask(link)
    given(provider)
    alice.ctl("peer", "remove", "python", "--purge")
    assert given(provider)["type"] == "cancel"
    with pytest.raises(RpcError) as error:
        answer(provider, id)
    assert error.value.kind == "late"
    assert alice.history() == []


def test_who_is_blocked_meanwhile_is_not_served(join, provider, alice):
    provider.end()
    eventually(lambda: not alice.rpc("service.list")["services"][0]["provided"], "the end of the provider")
    link = join()
    ask(link)
    alice.ctl("peer", "block", "python")
    control = alice.control()
    control.call("service.add", name="it", peers=["python"], ask=True, trust="tofu")
    eventually(lambda: alice.rpc("service.list")["services"][0]["requests"]["waiting"] == 0, "the refusal")
    assert alice.rpc("service.list")["services"][0]["requests"]["last"]["outcome"] == "refused"
    alice.ctl("peer", "unblock", "python")
    link = join()
    second = ask(link)
    assert given(control)["id"] == text_of(second)
