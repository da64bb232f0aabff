"""The control socket takes whatever comes, answers what it must, and lets nobody disturb others."""

import base64
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys

import pytest

from harness import (P2PCHATD, PATIENCE_S, Control, Daemons, RpcError, eventually, run,
                     temporary_home)
from usage import MEMORY_COUNTS, cpu_seconds, peak_kib

PARSE_ERROR, INVALID_REQUEST = -32700, -32600
METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602
LINE_LIMIT = 1024 * 1024

SOURCE = pathlib.Path(__file__).parents[2] / "src"
METHODS = re.findall(r'METHOD\("([^"]+)", \w+, (USER|ADMIN), ((?:"[^"]*"\s*)+), "',
                     (SOURCE / "rpc" / "methods.def").read_text())


@pytest.fixture(scope="module")
def server():
    """One daemon for all the tests that leave no trace in it."""
    with temporary_home() as home, Daemons(home) as daemons:
        yield daemons.start("server")


@pytest.fixture
def control(server):
    """A connection to it."""
    control = Control(server.socket)
    yield control
    control.end()


def alive(control):
    return "version" in control.call("hello")


def test_programs_say_what_they_speak(home, alice):
    hello, status = alice.rpc("hello"), alice.rpc("status")
    assert (hello["version"], hello["suites"]) == (status["version"], status["suites"])
    lines = run(P2PCHATD, "--version", home=home).out.splitlines()
    api = "{major}.{minor}".format(**hello["api"])
    suites = " ".join(map(str, hello["suites"]))
    assert lines == [
        f"p2pchatd {hello['version']}",
        f"control interface {api}, protocol {hello['protocol']}, suites {suites}, "
        f"OpenSSL {hello['openssl']}",
        " ".join("-+"[name in hello["features"]] + name for name in ("systemd", "sandbox"))]
    own = [f"p2pchatctl {hello['version']}", f"control interface {api}"]
    assert alice.ctl("--version").out.splitlines() == own
    assert alice.ctl("version").out.splitlines() == own + lines[:2]
    said = json.loads(alice.ctl("version", "--json").out)
    assert (said["version"], said["api"], said["daemon"]) == \
        (hello["version"], hello["api"], alice.rpc("hello"))


def test_hello_tells_who_answers(control):
    hello = control.call("hello", client="test")
    assert hello["daemon"] == "p2pchatd"
    assert hello["api"]["major"] >= 1
    assert hello["admin"] is True
    assert hello["epoch"]


def test_the_epoch_stays_over_a_restart(alice):
    epoch = alice.rpc("hello")["epoch"]
    alice.restart()
    assert alice.rpc("hello")["epoch"] == epoch


BAD_REQUESTS = {
    "no json": (b"nonsense", PARSE_ERROR),
    "half an object": (b"{", PARSE_ERROR),
    "more after the object": (b'{"id":1,"method":"hello"} x', PARSE_ERROR),
    "no utf-8": (b'{"id":1,"method":"hello","params":{"client":"\xff"}}', PARSE_ERROR),
    "a surrogate": (b'{"id":1,"method":"hello","params":{"client":"\xed\xa0\x80"}}', PARSE_ERROR),
    "a member twice": (b'{"id":1,"method":"hello","method":"status"}', INVALID_REQUEST),
    "deep objects": (b'{"id":1,"method":"hello","params":' + b'{"a":' * 20 + b"1" + b"}" * 21,
                     INVALID_REQUEST),
    "deep arrays": (b"[" * 100000, INVALID_REQUEST),
    "a string": (b'"text"', INVALID_REQUEST),
    "a number": (b"17", INVALID_REQUEST),
    "null": (b"null", INVALID_REQUEST),
    "nothing in it": (b"{}", INVALID_REQUEST),
    "no method": (b'{"id":1}', INVALID_REQUEST),
    "a method of another type": (b'{"id":1,"method":5}', INVALID_REQUEST),
    "no method and no id": (b'{"jsonrpc":"2.0","method":5}', INVALID_REQUEST),
    "an id of another type": (b'{"id":{},"method":"hello"}', INVALID_REQUEST),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"hello"}', INVALID_REQUEST),
    "an unknown method": (b'{"id":1,"method":"no.such"}', METHOD_NOT_FOUND),
    "positional parameters": (b'{"id":1,"method":"hello","params":[]}', INVALID_PARAMS),
    "a parameter of another type": (b'{"id":1,"method":"hello","params":{"client":5}}',
                                    INVALID_PARAMS),
    "an unknown parameter": (b'{"id":1,"method":"hello","params":{"stranger":"x"}}',
                             INVALID_PARAMS),
    "a missing parameter": (b'{"id":1,"method":"message.get"}', INVALID_PARAMS),
    "a negative number": (b'{"id":1,"method":"follow","params":{"after":-1}}', INVALID_PARAMS),
    "a fraction": (b'{"id":1,"method":"follow","params":{"after":1.5}}', INVALID_PARAMS),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_answered_and_forgiven(control, name):
    line, code = BAD_REQUESTS[name]
    control.write(line + b"\n")
    reply = control.read()
    assert reply["error"]["code"] == code
    assert reply["error"]["message"]
    assert "result" not in reply
    assert alive(control)


def test_a_batch_is_refused_as_such(control):
    control.write(b'[{"jsonrpc":"2.0","id":1,"method":"hello"}]\n')
    error = control.read()["error"]
    assert (error["code"], error["data"]["kind"]) == (INVALID_REQUEST, "batch_unsupported")
    assert alive(control)


def test_what_is_not_the_daemon_s_fault_names_the_request(control):
    control.write(b'{"id":"mine","method":"no.such"}\n')
    assert control.read()["id"] == "mine"


def test_a_line_at_the_limit_is_read(control):
    start, end = b'{"id":1,"method":"hello"', b"}"
    control.write(start + b" " * (LINE_LIMIT - len(start) - len(end)) + end + b"\n")
    assert control.read()["id"] == 1


def test_an_over_long_line_is_answered_and_ends_the_connection(server, control):
    try:
        control.write(b'{"id":1,"method":"hello"' + b" " * 2 * LINE_LIMIT)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert control.read()["error"]["code"] == INVALID_REQUEST
    try:
        assert control.read() is None
    except ConnectionResetError:
        pass
    server.rpc("hello")


def test_shell_scripts_may_leave_out_version_and_id(control):
    control.write(b'{"method":"hello"}\n')
    reply = control.read()
    assert reply["id"] is None
    assert reply["result"]["daemon"] == "p2pchatd"


@pytest.mark.parametrize("id", [0, -1, 2**53, "text", "", 1.5, None])
def test_the_id_comes_back_as_it_was(control, id):
    control.write({"jsonrpc": "2.0", "id": id, "method": "hello"})
    assert control.read()["id"] == id


def test_a_notification_is_done_and_not_answered(paired):
    alice, bob = paired
    control = alice.control()
    control.write({"jsonrpc": "2.0", "method": "message.send",
                   "params": {"peer": "bob", "body": "quietly"}})
    control.write({"jsonrpc": "2.0", "method": "message.send", "params": {"peer": "no"}})
    assert control.call("hello")["daemon"] == "p2pchatd"
    eventually(lambda: bob.received() == ["quietly"], "the message")


def test_a_line_may_come_in_pieces(control):
    for byte in b'{"id":1,"method":"hello"}\n':
        control.write(bytes([byte]))
    assert control.read()["id"] == 1


def test_carriage_returns_and_empty_lines_do_no_harm(control):
    control.write(b'{"id":1,"method":"hello"}\r\n')
    assert control.read()["id"] == 1


def test_hundreds_of_requests_in_one_write_are_answered_in_order(control):
    control.write(b"".join(b'{"id":%d,"method":"status"}\n' % id for id in range(500)))
    assert [control.read()["id"] for _ in range(500)] == list(range(500))


def test_pipelined_sends_are_accepted_in_order(paired):
    alice, bob = paired
    control = alice.control()
    for number in range(300):
        control.ask("message.send", peer="bob", body=str(number))
    sent = [control.read()["result"]["messages"][0] for _ in range(300)]
    seqs = [message["seq"] for message in sent]
    assert seqs == sorted(set(seqs))
    alice.rpc("message.wait", id=sent[-1]["id"], state="delivered")
    assert bob.received() == [str(number) for number in range(300)]


def test_who_half_closes_gets_the_replies_and_then_the_end(control):
    control.write(b"".join(b'{"id":%d,"method":"status"}\n' % id for id in range(100)))
    control.half_close()
    assert [control.read()["id"] for _ in range(100)] == list(range(100))
    assert control.read() is None


def test_who_half_closes_still_gets_the_reply_to_a_send(paired):
    alice, _ = paired
    control = alice.control()
    control.ask("message.send", peer="bob", body="and goodbye")
    control.half_close()
    assert control.read()["result"]["messages"][0]["state"] == "queued"
    assert control.read() is None


def test_who_half_closes_still_gets_the_end_of_a_wait(alice, bob):
    alice.ctl("peer", "add", "bob", bob.address)
    id = alice.ctl("send", "-p", "bob", "x").out.strip()
    control = alice.control()
    control.ask("message.wait", id=id, state="delivered", timeout_ms=100)
    control.half_close()
    assert control.read()["error"]["data"]["kind"] == "timeout"
    assert control.read() is None


def test_clients_that_died_while_they_waited_for_ever_are_forgotten(alice):
    [id] = queue_for_nobody(alice, 1)
    descriptors = pathlib.Path(f"/proc/{alice.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(50):
        control = alice.control()
        control.ask("message.wait", id=id, state="delivered")
        control.end()

    def few_are_left():
        alice.rpc("hello")
        return len(list(descriptors.iterdir())) <= before + 2
    eventually(few_are_left, "the dead to be forgotten")


def fill(connection, data):
    """Writes it again and again until there is no room. How much that was."""
    written = 0
    try:
        while True:
            written += connection.send(data)
    except BlockingIOError:
        return written


def test_who_never_reads_disturbs_nobody(alice):
    deaf = alice.control()
    deaf.socket.setblocking(False)
    written = idle = 0
    while idle < 20:  # turns in which the daemon could have read on
        more = fill(deaf.socket, b'{"id":1,"method":"status"}\n' * 1000)
        written += more
        idle = 0 if more else idle + 1
        assert written < 16 * LINE_LIMIT, "the daemon read on without a bound"
        alice.rpc("status")
    assert written > 0


def test_who_never_reads_a_follow_disturbs_nobody(paired):
    alice, bob = paired
    deaf = [alice.control() for _ in range(10)]
    for control in deaf:
        control.ask("follow", after=0)
    text = "x" * 60000
    for _ in range(40):
        bob.ctl("send", "-p", "alice", "--wait", input=text)
    assert len(alice.received()) == 40
    # and nothing was lost for them
    control = deaf[0]
    assert "result" in control.read()
    bodies = 0
    while bodies < 40:
        event = control.read()["params"]
        bodies += event["type"] == "message.received"


def test_a_connection_that_is_cut_anywhere_disturbs_nobody(paired):
    alice, _ = paired
    request = json.dumps({"id": 1, "method": "message.wait", "params": {
        "id": "01930000-0000-7000-8000-000000000000", "state": "sent"}}).encode() + b"\n"
    for end in range(0, len(request) + 1, 7):
        control = Control(alice.socket)
        control.write(request[:end])
        control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        control.end()
    assert alice.rpc("status")


def test_many_clients_at_once_are_served(alice):
    controls = [alice.control() for _ in range(100)]
    for control in controls:
        control.ask("status")
    for control in controls:
        assert "result" in control.read()


def test_errors_have_a_code_a_kind_and_say_whether_to_retry(control):
    control.ask("message.send", peer="nobody", body="x")
    error = control.read()["error"]
    assert error["code"] == -67
    assert error["data"] == {"kind": "no_such_peer", "retryable": False}


@pytest.mark.parametrize("params, kind", [
    ({"peer": "bob", "body": ""}, "empty"),
    ({"peer": "bob", "body": "x" * 65537}, "too_large"),
    ({"peer": "no", "body": "x"}, "no_such_peer"),
    ({"peers": ["bob", "no"], "body": "x"}, "no_such_peer"),
])
def test_a_send_that_can_not_be_leaves_nothing(paired, params, kind):
    alice, _ = paired
    with pytest.raises(RpcError) as raised:
        alice.rpc("message.send", **params)
    assert raised.value.kind == kind
    assert alice.history() == []


def test_a_body_may_hold_what_json_can(paired):
    alice, bob = paired
    for body in ("\u0001\u001f\u007f", "\\\"/", "\u2028\u2029", "\U0001f98a"):
        alice.rpc("message.send", peer="bob", body=body)
    id = alice.rpc("message.send", peer="bob", body="end")["messages"][0]["id"]
    alice.rpc("message.wait", id=id, state="delivered")
    assert bob.received() == ["\u0001\u001f\u007f", "\\\"/", "\u2028\u2029", "\U0001f98a", "end"]


def nulls(value, path=""):
    if value is None:
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from nulls(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from nulls(inner, path + "[]")


def test_shapes_that_scripts_rely_on(paired):
    alice, bob = paired
    id = alice.ctl("send", "-p", "bob", "--wait", "x").out.strip()
    status = alice.rpc("status")
    assert {"version", "epoch", "fingerprint", "uptime_s", "listeners", "peers", "queue", "store",
            "last_seq", "followers", "requests"} <= set(status)
    assert {"address", "port"} <= set(status["listeners"][0])
    assert status["network"] == {"watched": True, "port_mapping": False}
    assert {"messages", "bytes"} <= set(status["queue"])
    assert {"messages", "bytes", "file_bytes"} <= set(status["store"])
    [peer] = alice.rpc("peer.list")["peers"]
    assert {"name", "fingerprint", "trust", "addresses", "link", "since", "queued",
            "safety_number"} <= set(peer)
    assert (peer["link"], peer["trust"], peer["queued"]) == ("online", "verified", 0)
    message = alice.rpc("message.get", id=id)
    assert {"id", "seq", "peer", "direction", "state", "body", "time", "sent"} <= set(message)
    identity = alice.rpc("identity.get")
    assert identity["fingerprint"] == alice.fingerprint
    assert identity["public_key"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert (identity["algorithm"], identity["bits"]) == ("RSA", 2048)
    for value in (status, peer, message, identity):
        assert list(nulls(value)) == []
    for time in (message["time"], message["sent"], peer["since"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)


def test_history_can_be_narrowed(paired):
    alice, bob = paired
    for text in ("apple", "pear", "Apple pie"):
        alice.ctl("send", "-p", "bob", "--wait", text)
    bob.ctl("send", "-p", "alice", "--wait", "cherry")
    bodies = lambda **params: [m["body"] for m in alice.history(**params)]
    assert bodies() == ["apple", "pear", "Apple pie", "cherry"]
    assert bodies(limit=2) == ["Apple pie", "cherry"]
    assert bodies(peer="bob", grep="pear") == ["pear"]
    second = alice.history()[1]["seq"]
    assert bodies(after=second) == ["Apple pie", "cherry"]
    assert bodies(before=second) == ["apple"]
    assert bodies(since="2100-01-01T00:00:00Z") == []
    with pytest.raises(RpcError):
        alice.history(peer="nobody")


AS_NOBODY = r"""
import json, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
control = socket.socket(socket.AF_UNIX)
control.connect(sys.argv[1])
reader = control.makefile("rb")
for id, (method, params) in enumerate(json.loads(sys.argv[2]).items()):
    control.sendall(json.dumps({"id": id, "method": method, "params": params}).encode() + b"\n")
    while (reply := json.loads(reader.readline())).get("id") != id:
        pass
    print(method, reply.get("error", {}).get("data", {}).get("kind"))
"""

EXAMPLES = {"string": "x", "strings": ["x"], "integer": 0, "boolean": False}


def example_of(parameters):
    """Parameters that the table says are right."""
    return {name: EXAMPLES[type] for name, type in re.findall(r"([a-z_]+)\??:([a-z]+)", parameters)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_admin_methods_are_for_root_and_the_daemon_s_own_user(alice):
    alice.socket.chmod(0o666)
    calls = json.dumps({name: example_of(parameters) for name, _, parameters in METHODS})
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, alice.socket, calls],
                          capture_output=True, text=True, check=True)
    kinds = dict(line.split() for line in done.stdout.splitlines())
    assert len(kinds) == len(METHODS)
    assert {name for name, kind in kinds.items() if kind == "not_admin"} == \
        {name for name, access, _ in METHODS if access == "ADMIN"}


@pytest.mark.parametrize("name", [name for name, _, _ in METHODS])
def test_every_method_refuses_what_it_does_not_know(control, name):
    with pytest.raises(RpcError) as raised:
        control.call(name, stranger=1)
    assert raised.value.code == INVALID_PARAMS


@pytest.mark.parametrize("name, parameters",
                         [(name, text) for name, _, text in METHODS if ":" in text])
def test_every_method_checks_the_types_of_its_parameters(control, name, parameters):
    for parameter in example_of(parameters):
        with pytest.raises(RpcError) as raised:
            control.call(name, **{parameter: {"of": "another type"}})
        assert raised.value.code == INVALID_PARAMS


def test_the_log_level_can_be_changed(control):
    assert control.call("log.level")["level"] == "debug"
    assert control.call("log.level", level="warning")["level"] == "warning"
    with pytest.raises(RpcError):
        control.call("log.level", level="loud")
    assert control.call("log.level")["level"] == "warning"


def test_a_daemon_can_be_stopped(alice):
    alice.rpc("daemon.stop")
    assert alice.process.wait(timeout=PATIENCE_S) == 0
    alice.process = None


def queue_for_nobody(alice, count):
    """Messages that nobody takes, and the ids of them."""
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    control = alice.control()
    for number in range(count):
        control.ask("message.send", peer="bob", body=str(number))
    return [control.read()["result"]["messages"][0]["id"] for _ in range(count)]


def test_any_number_of_waits_may_end_at_once(alice):
    ids = queue_for_nobody(alice, 600)
    control = alice.control()
    for id in ids:
        control.ask("message.wait", id=id, state="delivered")
    control.ask("hello")
    assert control.read()["result"]["daemon"] == "p2pchatd"
    alice.ctl("peer", "remove", "bob")
    kinds = [control.read()["error"]["data"]["kind"] for _ in ids]
    assert kinds == ["cancelled"] * 600


def test_a_notification_is_not_answered_later_either(alice):
    [id] = queue_for_nobody(alice, 1)
    control = alice.control()
    for params in ({"timeout_ms": 1}, {}):
        control.write({"jsonrpc": "2.0", "method": "message.wait",
                       "params": {"id": id, "state": "delivered", **params}})
    asked = control.ask("message.wait", id=id, state="delivered", timeout_ms=200)
    alice.ctl("peer", "remove", "bob")
    reply = control.read()
    assert reply["id"] == asked
    assert control.call("hello")["daemon"] == "p2pchatd"


def test_hundreds_of_notifications_in_one_write_are_done(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    control = alice.control()
    send = b'{"jsonrpc":"2.0","method":"message.send","params":{"peer":"bob","body":"x"}}\n'
    control.write(send * 500)
    assert control.call("status")["queue"]["messages"] == 500


def test_many_long_histories_come_one_after_the_other(alice):
    queue_for_nobody(alice, 200)
    control = alice.control()
    control.write(b'{"id":1,"method":"history.list"}\n' * 100)
    control.half_close()
    assert all(len(control.read()["result"]["messages"]) == 100 for _ in range(100))
    assert control.read() is None


@pytest.mark.parametrize("method, params", [
    ("peer.get", {"name": "a" + "é" * 200}),
    ("peer.add", {"name": "b", "address": ["é" * 200]}),
    ("message.send", {"peers": ["x" + "€" * 400], "body": "x"}),
    ("message.get", {"id": "xx" + "€" * 400}),
    ("follow", {"types": ["a" + "é" * 300]}),
    ("history.list", {"since": "a" + "é" * 300}),
])
def test_long_names_of_many_byte_characters_are_complained_of(control, method, params):
    with pytest.raises(RpcError) as raised:
        control.call(method, **params)
    assert raised.value.code < 0
    assert alive(control)


@pytest.mark.parametrize("expires_s", [2**54, 18446744073709552, 2**63 - 1])
def test_an_endless_expiry_is_no_expiry(alice, expires_s):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    [sent] = alice.rpc("message.send", peer="bob", body="x", expires_s=expires_s)["messages"]
    with pytest.raises(RpcError) as raised:
        alice.rpc("message.wait", id=sent["id"], state="delivered", timeout_ms=1000)
    assert raised.value.kind == "timeout"


def test_numbers_may_be_as_large_as_they_like(alice):
    [id] = queue_for_nobody(alice, 1)
    control = alice.control()
    control.ask("message.wait", id=id, state="delivered", timeout_ms=2**63 - 1)
    for method, params in (("history.list", {"limit": 2**63 - 1, "after": 2**63 - 1}),
                           ("history.list", {"before": 2**63 - 1, "limit": 0}),
                           ("follow", {"lines": 2**63 - 1, "live": False}),
                           ("follow", {"after": 2**63 - 1, "live": False})):
        alice.rpc(method, **params)
    before = cpu_seconds(alice.process.pid)
    alice.rpc("status")
    assert cpu_seconds(alice.process.pid) - before < 1
    alice.ctl("peer", "remove", "bob")
    assert control.read()["error"]["data"]["kind"] == "cancelled"


def test_an_empty_list_of_recipients_means_nobody(paired):
    alice, bob = paired
    with pytest.raises(RpcError) as raised:
        alice.rpc("message.send", peers=[], body="to nobody")
    assert raised.value.kind == "usage"
    assert alice.history() == []


def test_the_settings_that_are_in_effect_can_be_asked_for(daemon):
    alice = daemon("alice", config='unknown-peers = reject\nexpire = "2d"\n', listen="127.0.0.1:0")
    settings = alice.rpc("config.get")
    shown = run(P2PCHATD, "-T", *map(str, alice.options), home=alice.home).out
    assert list(settings) == re.findall(r"^([a-z-]+) = ", shown, re.M)
    assert settings["unknown-peers"] == "reject"
    assert settings["expire"] == "2d"
    assert settings["listen"] == ["127.0.0.1:0"]
    assert (settings["max-links"], settings["identity-bits"]) == (4096, 2048)
    alice.rpc("log.level", level="warning")
    assert alice.rpc("config.get")["log-level"] == "warning"


def test_settings_of_the_start_stay_over_a_reload_and_it_says_so(daemon):
    alice = daemon("alice", config='listen = {"127.0.0.1:0"}\n', listen=None)
    before = alice.rpc("config.get")
    alice.configure('unknown-peers = reject\nlisten = {"127.0.0.1:1"}\nidentity = "/nowhere"\n')
    alice.rpc("daemon.reload")
    assert alice.rpc("config.get") == dict(before, **{"unknown-peers": "reject",
                                                      "log-level": "debug"})
    for setting in ("listen", "identity"):
        assert f"{setting} has changed; it takes effect at the next start" in alice.text_of_log()


# --- what one client may cost the others --------------------------------------------------------

REPLY_LIMIT = 1024 * 1024
STATUS_LIMIT = 136 * 1024


def queue_up(daemon, texts):
    """Messages to a peer that is never reached."""
    daemon.ctl("peer", "add", "nobody", "127.0.0.1:1")
    lines = "".join(text + "\n" for text in texts)
    daemon.ctl("send", "-p", "nobody", "--lines", "-q", input=lines)


def test_a_reply_is_bounded_and_says_where_to_go_on(alice):
    texts = [f"{i:02}" + "\x01" * 60000 for i in range(12)]  # six bytes each on the way
    queue_up(alice, texts)
    control, found, before = alice.control(), [], 0
    while before is not None:
        control.ask("history.list", before=before)
        line = control.reader.readline()
        assert len(line) < REPLY_LIMIT + 1024
        page = json.loads(line)["result"]
        found = page["messages"] + found
        before = page.get("before")
    assert [message["body"] for message in found] == texts


def test_who_asks_and_does_not_read_costs_little(alice):
    queue_up(alice, ["\x01" * 60000] * 40)
    before = peak_kib(alice.process.pid)
    deaf = [alice.control() for _ in range(20)]
    for control in deaf:
        for _ in range(5):
            control.ask("history.list", limit=1000)
    for _ in range(20):
        assert alice.rpc("status")
    if MEMORY_COUNTS:
        assert peak_kib(alice.process.pid) - before < 96 * 1024


def test_who_searches_keeps_nobody_waiting(alice):
    """A client that asks later is answered while the search goes on; a test that is stopped in between tries again."""
    queue_up(alice, ["needle"] + ["hay"] * 20000)
    searcher, other = alice.control(), alice.control()

    def is_overtaken():
        search = searcher.ask("history.list", grep="needle")
        for _ in range(3):
            other.call("hello")
        ready, _, _ = select.select([searcher.socket], [], [], 0)
        [message] = searcher.reply(search)["result"]["messages"]
        assert message["body"] == "needle"
        return not ready

    assert any(is_overtaken() for _ in range(10))


CONNECT = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
held, served = [], 0
for _ in range(int(sys.argv[3])):
    held.append(socket.socket(socket.AF_UNIX))
    try:
        held[-1].connect(sys.argv[1])
        held[-1].sendall(b'{"id": 1, "method": "hello"}\\n')
        served += held[-1].recv(1) != b""
    except ConnectionError:
        pass
print(served, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_no_user_takes_all_places(alice):
    for path in (alice.socket, *alice.socket.parents):
        if path != pathlib.Path("/tmp") and path.is_relative_to("/tmp"):
            path.chmod(path.stat().st_mode | 0o777)
    users, places = [], []
    for user in range(60001, 60006):
        users.append(subprocess.Popen(["/usr/bin/python3", "-c", CONNECT, alice.socket, str(user), "300"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        places.append(int(users[-1].stdout.readline()))
    assert places == [256, 256, 256, 224, 0]
    assert alice.rpc("status")
    for user in users:
        user.stdin.close()
        user.wait()


def add_peers(control, first, end):
    """They are never reached: nobody knows where they are."""
    for begin in range(first, end, 50):
        ids = [control.ask("peer.add", name=f"peer{i}",
                           fingerprint="SHA256:" + base64.b64encode(os.urandom(32)).decode().rstrip("="))
               for i in range(begin, begin + 50)]
        for id in ids:
            assert "result" in control.reply(id)


def test_many_peers_cost_no_more_each_than_few(alice):
    """By the daemon's own processor time, which does not hang on what else the machine does."""
    control = alice.control()

    def cost_of_all():
        before = cpu_seconds(alice.process.pid)
        for _ in range(20):  # the kernel counts in steps of 10 ms
            place = control.call("status").get("peers_after")
            while place is not None:
                place = control.call("peer.list", after=place).get("after")
        return cpu_seconds(alice.process.pid) - before

    add_peers(control, 0, 1000)
    few = cost_of_all()
    add_peers(control, 1000, 4000)
    assert cost_of_all() < 8 * few  # 4 times as many


def listed(control, **params):
    """A page of all peers: their names, and what is said beside them."""
    page = control.call("peer.list", **params)
    return [peer["name"] for peer in page.pop("peers")], page


def test_a_long_list_of_peers_comes_in_pages(alice):
    """None is left out or told twice, also where a page ended with a peer that has gone since."""
    control, count = alice.control(), 4000
    add_peers(control, 0, count)
    names = [f"peer{i}" for i in range(count)]
    size = len(json.dumps(alice.rpc("peer.get", name="peer0")))
    first, rest = listed(control)
    assert LINE_LIMIT // (2 * size) < len(first) < count
    second, end = listed(control, **rest)
    assert first + second == names and end == {}
    assert alice.ctl("-q", "peer", "list").out.splitlines() == names
    assert len(alice.ctl("peer", "list").out.splitlines()) == count + 1
    alice.ctl("wait-online", "--timeout", "0.1", expect=75)  # which looks at all of them
    alice.ctl("peer", "remove", first[-1])
    assert listed(control, **rest) == (second, {})
    assert listed(control, after=2 ** 62) == ([], {})


def test_a_status_with_many_peers_says_where_the_list_goes_on(alice):
    control, count = alice.control(), 500
    add_peers(control, 0, count)
    names = [f"peer{i}" for i in range(count)]
    control.ask("status")
    line = control.reader.readline()
    assert len(line) < STATUS_LIMIT
    status = json.loads(line)["result"]
    first = [peer["name"] for peer in status["peers"]]
    assert first + listed(control, after=status["peers_after"])[0] == names
    lines = alice.ctl("status").out.splitlines()
    assert [line.split()[0] for line in lines[-count:]] == names
    assert "peers_after" not in json.loads(alice.ctl("status", "--json").out)


def test_a_long_list_of_peers_leaves_room_for_others(alice):
    """What another client does meanwhile is seen at the end of the list: so it was not made at once."""
    add_peers(alice.control(), 0, 500)
    reader, other = alice.control(), alice.control()
    os.kill(alice.process.pid, signal.SIGSTOP)  # so that both calls are there when it looks
    list_id = reader.ask("peer.list")
    other.ask("message.send", peer="peer499", body="x")
    os.kill(alice.process.pid, signal.SIGCONT)
    peers = reader.reply(list_id)["result"]["peers"]
    assert [peer["queued"] for peer in peers[::499]] == [0, 1]
