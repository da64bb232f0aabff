"""Requests: who may ask what, what comes back, and that each runs at most once whoever is killed."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from harness import P2PCHATCTL, PATIENCE_S, RpcError, environment, eventually, pair
from test_streams import Serving

BYTES = bytes(range(256)) * 256  # 65536


def ask(daemon, *arguments, input=b"", expect=0):
    """Runs `ask` to its end."""
    done = subprocess.run([P2PCHATCTL, "-s", daemon.socket, "ask", *map(str, arguments)], input=input,
                          capture_output=True, env=environment(daemon.home), timeout=2 * PATIENCE_S)
    assert expect is None or done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done


def serving(bob, command, *options, name="it"):
    return Serving(bob, name, "-p", "alice", "--trust", "tofu", "--exec", command, *options, name=name)


def requests(daemon, name="it"):
    """How it is with the requests of a service."""
    [service] = [service for service in daemon.rpc("service.list")["services"]
                 if service["name"] == name]
    return service["requests"]


def result_of(daemon, id, timeout_ms=1000 * PATIENCE_S):
    return daemon.rpc("message.wait", id=id, state="processed", timeout_ms=timeout_ms)


def asked(daemon, *arguments):
    """Asks without waiting; the id."""
    return ask(daemon, "--detach", *arguments).stdout.decode().strip()


# --- what goes there and comes back ---------------------------------------------------------------------

def test_a_command_answers(paired):
    alice, bob = paired
    with serving(bob, "tr a-z A-Z; exit 7"):
        assert ask(alice, "bob", "it", "hello", "you", expect=7).stdout == b"HELLO YOU"
        assert ask(alice, "bob", "it", input=b"from a pipe\n", expect=7).stdout == b"FROM A PIPE\n"
        assert ask(alice, "bob", "it", "-", input=b"-", expect=7).stdout == b"-"
        assert ask(alice, "bob", "it", "--", "--detach", expect=7).stdout == b"--DETACH"
        assert ask(alice, "bob", "it", "late", "--timeout", "30s", expect=7).stdout == b"LATE"


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff\xfe", BYTES], ids=["none", "NUL", "no-utf8", "all"])
def test_bytes_come_back_as_they_were(paired, data):
    alice, bob = paired
    with serving(bob, "cat"):
        assert ask(alice, "bob", "it", input=data).stdout == data


def test_an_answer_says_how_the_command_ended(paired):
    alice, bob = paired
    with serving(bob, "read how; eval $how"):
        for status in (0, 1, 64, 75, 255):
            ask(alice, "bob", "it", f"exit {status}", input=b"\n", expect=status)
        ask(alice, "bob", "it", "kill -TERM $$", expect=128 + signal.SIGTERM)
        done = ask(alice, "bob", "it", "head -c 65537 /dev/zero", expect=65)
        assert done.stdout == b"" and b"65536" in done.stderr
        assert len(ask(alice, "bob", "it", "head -c 65536 /dev/zero").stdout) == 65536
        # A remote 75 is not ours.
        remote = json.loads(ask(alice, "bob", "it", "echo x; exit 75", "--json", expect=75).stdout)
        assert remote["result"]["outcome"] == "exited" and remote["result"]["status"] == 75
        assert remote["message"]["body"] == "x\n" and remote["state"] == "processed"


def test_nothing_of_a_request_is_in_arguments_and_what_is_said_of_it_in_the_environment(paired, tmp_path):
    alice, bob = paired
    file = tmp_path / "environment"
    bob.ctl("rpc", "hello")
    with Serving(bob, "it", "-p", "alice", "--trust", "tofu", "--exec",
                 f"env -0 > {file}; cat /proc/$$/cmdline /proc/$PPID/cmdline", name="it"):
        done = ask(alice, "-H", "evil=$(touch x)", "--topic", "a/b", "bob", "it", "$(secret-body)")
    assert b"secret" not in done.stdout and b"touch" not in done.stdout
    variables = dict(line.split("=", 1) for line in file.read_text().split("\0") if line)
    assert "secret" not in file.read_text()
    assert variables["P2PCHAT_H_EVIL"] == "$(touch x)" and variables["P2PCHAT_TOPIC"] == "a/b"
    assert variables["P2PCHAT_PEER"] == "alice" and variables["P2PCHAT_SERVICE"] == "it"
    assert variables["P2PCHAT_FINGERPRINT"] == alice.fingerprint
    assert variables["P2PCHAT_TIME"].endswith("Z") and len(variables["P2PCHAT_ID"]) == 36
    assert "P2PCHAT_STREAM" not in variables


def test_a_request_waits_for_the_peer_and_for_its_provider(paired):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    bob.restart()  # and the service is known still
    bob.stop()
    id = asked(alice, "bob", "it", "later")
    bob.start()
    eventually(lambda: requests(bob)["waiting"] == 1, "the request")
    with serving(bob, "cat"):
        answer = result_of(alice, id)
        assert answer["message"]["body"] == "later" and answer["result"]["outcome"] == "exited"
        assert ask(alice, "--result", id).stdout == b"later"
    assert requests(bob) == {"waiting": 0, "running": 0, "last": {"outcome": "exited", "status": 0}}


def test_requests_are_answered_one_at_a_time_unless_told_otherwise(paired, tmp_path):
    alice, bob = paired
    barrier = tmp_path / "barrier"
    command = f"until [ -e {barrier} ]; do sleep 0.01; done"
    with serving(bob, command):
        ids = [asked(alice, "bob", "it") for _ in range(3)]
        eventually(lambda: requests(bob)["waiting"] == 2 and requests(bob)["running"] == 1, "one")
        barrier.touch()
        for id in ids:
            assert result_of(alice, id)["result"]["status"] == 0
    barrier.unlink()
    with serving(bob, command, "--max", "3"):
        ids = [asked(alice, "bob", "it") for _ in range(4)]
        eventually(lambda: requests(bob)["waiting"] == 1 and requests(bob)["running"] == 3, "three")
        barrier.touch()
        for id in ids:
            assert result_of(alice, id)["result"]["status"] == 0


# --- who may --------------------------------------------------------------------------------------------

def test_unknown_and_forbidden_are_refused_alike(paired):
    alice, bob = paired
    bob.rpc("peer.add", name="carol", address=["127.0.0.1:9"])
    said = set()
    with Serving(bob, "others", "-p", "carol", "--exec", "cat", name="others"), \
            Serving(bob, "verified", "-p", "alice", "--exec", "cat", name="verified"), \
            Serving(bob, "streams", "-p", "alice", "--trust", "tofu", "--exec", "cat", "--only", "stream",
                    name="streams"):
        for name in ("nothing", "others", "verified", "streams"):
            if name == "verified" and bob.peer("alice")["trust"] == "verified":
                continue
            done = ask(alice, "--json", "bob", name, expect=76)
            answer = json.loads(done.stdout)
            assert answer["result"]["outcome"] == "refused"
            said.add((answer["message"].get("body"), answer["message"]["size"]))
    assert len(said) == 1


def test_a_service_can_be_for_requests_only(paired):
    alice, bob = paired
    with serving(bob, "cat", "--only", "ask"):
        assert ask(alice, "bob", "it", "x").stdout == b"x"
        alice.ctl("stream", "bob", "it", expect=76)


def test_a_request_that_waited_is_judged_again(paired):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    id = asked(alice, "bob", "it", "x")
    eventually(lambda: requests(bob)["waiting"] == 1, "the request")
    bob.rpc("peer.add", name="carol", address=["127.0.0.1:9"])
    with Serving(bob, "it", "-p", "carol", "--exec", "cat", name="it"):
        assert result_of(alice, id)["result"]["outcome"] == "refused"


def test_a_service_that_is_removed_refuses_what_waits(paired):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    assert bob.ctl("service", "-q").lines == ["it"]
    assert bob.ctl("service").lines[1].split()[:2] == ["it", "nobody"]
    id = asked(alice, "bob", "it", "x")
    eventually(lambda: requests(bob)["waiting"] == 1, "the request")
    bob.ctl("service", "remove", "it")
    assert result_of(alice, id)["result"]["outcome"] == "refused"
    assert bob.ctl("service", "-q").lines == []
    bob.restart()
    assert bob.ctl("service", "-q").lines == []
    bob.ctl("service", "remove", "it", expect=76)


def test_what_waits_has_a_bound(paired):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    control = alice.control()
    ids = [control.call("message.ask", peer="bob", service="it")["id"] for _ in range(65)]
    assert result_of(alice, ids[64])["result"]["outcome"] == "busy"
    assert requests(bob)["waiting"] == 64
    with serving(bob, "cat", "--max", "8"):
        for id in ids[:64]:
            assert result_of(alice, id)["result"]["outcome"] == "exited"


# --- time, and taking back ------------------------------------------------------------------------------

def test_what_hangs_is_ended_when_its_time_is_over(paired, tmp_path):
    alice, bob = paired
    file = tmp_path / "ended"
    with serving(bob, f"trap 'echo TERM > {file}; exit 3' TERM; sleep 1000 & wait"):
        done = ask(alice, "--timeout", "1s", "bob", "it", expect=75)
        assert b"--result" in done.stderr
        eventually(file.exists, "SIGTERM")
        [id] = [event["message"]["id"] for event in alice.ctl(
            "follow", "--no-follow", "-n", "all", "--types", "message.request", "-o", "json").json]
        assert ask(alice, "--result", id, "--timeout", PATIENCE_S, expect=3).stdout == b""


def test_what_is_never_begun_in_time_is_late(paired):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    id = asked(alice, "--timeout", "1s", "bob", "it")
    assert result_of(alice, id)["result"]["outcome"] == "late"
    ask(alice, "--result", id, expect=75)


def test_a_request_that_never_left_expires(paired):
    alice, bob = paired
    bob.stop()
    eventually(lambda: alice.peer("bob")["link"] != "online", "the end of the link")
    ask(alice, "--timeout", "1s", "bob", "it", expect=75)
    eventually(lambda: not alice.rpc("history.list", queued=True)["messages"], "the end of its time")
    with bob.start() and serving(bob, "cat"):
        assert ask(alice, "bob", "it", "x").stdout == b"x"
    assert [e["message"]["body"] for e in bob.ctl(
        "follow", "--no-follow", "-n", "all", "--types", "message.request", "-o", "json").json] == ["x"]


def test_interrupting_takes_a_request_back(paired, tmp_path):
    alice, bob = paired
    file = tmp_path / "begun"
    with serving(bob, f"trap 'exit 4' TERM; touch {file}; sleep 1000 & wait"):
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "ask", "bob", "it"],
                                  stdin=subprocess.DEVNULL, env=environment(alice.home))
        eventually(file.exists, "the command")
        client.send_signal(signal.SIGINT)
        assert client.wait(timeout=PATIENCE_S) == 130
        [id] = [event["message"]["id"] for event in alice.ctl(
            "follow", "--no-follow", "-n", "all", "--types", "message.request", "-o", "json").json]
        assert result_of(alice, id)["result"] | {"id": 0} == {"outcome": "exited", "status": 4, "id": 0}


def test_a_request_that_waits_is_cancelled_without_being_run(paired, tmp_path):
    alice, bob = paired
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    id = asked(alice, "bob", "it")
    eventually(lambda: requests(bob)["waiting"] == 1, "the request")
    alice.ctl("queue", "cancel", id)
    assert result_of(alice, id)["result"]["outcome"] == "cancelled"
    with serving(bob, f"touch {tmp_path}/ran"):
        ask(alice, "bob", "it")
    assert len(os.listdir(tmp_path)) == 1
    bob.stop()
    id = asked(alice, "bob", "it")  # this one never leaves
    alice.ctl("queue", "cancel", id)
    with pytest.raises(RpcError) as error:
        result_of(alice, id)
    assert error.value.kind == "cancelled"


# --- at most once ---------------------------------------------------------------------------------------

RUN = "echo $P2PCHAT_ID >> {file}; until [ -e {barrier} ]; do sleep 0.01; done; echo done"


def runs(file):
    return file.read_text().split() if file.exists() else []


def test_a_killed_provider_interrupts(paired, tmp_path):
    alice, bob = paired
    file, barrier = tmp_path / "runs", tmp_path / "barrier"
    with serving(bob, RUN.format(file=file, barrier=barrier)) as provider:
        id = asked(alice, "bob", "it")
        eventually(lambda: runs(file), "the run")
        provider.process.kill()
        assert result_of(alice, id)["result"]["outcome"] == "interrupted"
    barrier.touch()
    with serving(bob, RUN.format(file=file, barrier=barrier)):
        assert ask(alice, "bob", "it").stdout == b"done\n"
    assert runs(file).count(id) == 1


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_command_outlives_both_daemons(paired, tmp_path, end):
    alice, bob = paired
    file, barrier = tmp_path / "runs", tmp_path / "barrier"
    with serving(bob, RUN.format(file=file, barrier=barrier)):
        id = asked(alice, "bob", "it", "--timeout", "600s")
        eventually(lambda: runs(file), "the run")
        for daemon in (bob, alice):
            getattr(daemon, end)()
            daemon.start()
        eventually(lambda: bob.rpc("service.list")["services"][0]["provided"], "the provider")
        barrier.touch()
        answer = result_of(alice, id)
        assert answer["result"]["outcome"] == "exited" and answer["message"]["body"] == "done\n"
    assert runs(file) == [id]


def test_a_provider_that_dies_with_its_daemon_interrupts(paired, tmp_path):
    alice, bob = paired
    file, barrier = tmp_path / "runs", tmp_path / "barrier"
    with serving(bob, RUN.format(file=file, barrier=barrier)) as provider:
        id = asked(alice, "bob", "it", "--timeout", "600s")
        eventually(lambda: runs(file), "the run")
        bob.kill()
        provider.process.kill()
        provider.process.wait()
    bob.start()
    barrier.touch()
    with serving(bob, RUN.format(file=file, barrier=barrier)):  # another instance inherits nothing
        assert result_of(alice, id)["result"]["outcome"] == "interrupted"
    assert runs(file) == [id]


def test_a_copied_store_runs_nothing_again(paired, tmp_path):
    alice, bob = paired
    file, barrier = tmp_path / "runs", tmp_path / "barrier"
    serving(bob, "cat").__exit__()
    eventually(lambda: not bob.rpc("service.list")["services"][0]["provided"], "the end of serve")
    waits = asked(alice, "bob", "it", "--timeout", "600s")
    eventually(lambda: requests(bob)["waiting"] == 1, "the request")
    bob.stop()
    shutil.copytree(bob.state, tmp_path / "copy")
    later = asked(alice, "bob", "it", "--timeout", "600s")
    bob.start()
    barrier.touch()
    with serving(bob, RUN.format(file=file, barrier=barrier)):
        for id in (waits, later):
            assert result_of(alice, id)["result"]["outcome"] == "exited"
    bob.stop()
    shutil.rmtree(bob.state)
    (tmp_path / "copy").rename(bob.state)
    bob.start()
    with serving(bob, RUN.format(file=file, barrier=barrier)):
        assert ask(alice, "bob", "it").stdout == b"done\n"
    assert sorted(runs(file)[:2]) == sorted([waits, later]) and len(set(runs(file))) == len(runs(file)) == 3
    # The first answer stays.
    assert result_of(alice, waits)["result"]["outcome"] == "exited"


def test_an_answer_after_the_decision_is_late(paired):
    alice, bob = paired
    first, second = bob.control(), bob.control()
    service = {"name": "it", "peers": ["alice"], "trust": "tofu", "ask": True}
    first.call("service.add", **service, instance="00" * 16)
    id = asked(alice, "bob", "it")
    given = first.read()
    assert given["method"] == "request" and given["params"]["id"] == id
    assert given["params"]["peer"] == "alice" and given["params"]["message"]["headers"] == {}
    for client in (second, bob.control()):
        with pytest.raises(RpcError) as error:
            client.call("service.answer", id=id, outcome="exited", status=0)
        assert error.value.kind == "late"
    first.end()
    assert result_of(alice, id)["result"]["outcome"] == "interrupted"
    second.call("service.add", **service, instance="00" * 16, running=[id])
    with pytest.raises(RpcError) as error:
        second.call("service.answer", id=id, outcome="exited", status=0)
    assert error.value.kind == "late"


def test_an_answer_may_be_said_again(paired):
    alice, bob = paired
    provider = bob.control()
    provider.call("service.add", name="it", peers=["alice"], trust="tofu", ask=True)
    id = asked(alice, "bob", "it")
    assert provider.read()["params"]["id"] == id
    for _ in range(2):
        assert provider.call("service.answer", id=id, outcome="exited", status=3, body="x") == {}
    with pytest.raises(RpcError) as error:
        provider.call("service.answer", id=id, outcome="exited", status=4)
    assert error.value.kind == "late"
    assert result_of(alice, id)["result"]["status"] == 3


def test_the_same_client_id_asks_once(paired):
    alice, bob = paired
    with serving(bob, "cat"):
        first = alice.rpc("message.ask", peer="bob", service="it", body="x", client_id="c")
        again = alice.rpc("message.ask", peer="bob", service="it", body="x", client_id="c")
        assert first["id"] == again["id"]
        with pytest.raises(RpcError) as error:
            alice.rpc("message.ask", peer="bob", service="it", body="y", client_id="c")
        assert error.value.kind == "conflict"
        assert result_of(alice, first["id"])["message"]["body"] == "x"


# --- what others see ------------------------------------------------------------------------------------

def test_requests_are_no_messages_to_who_reads_those(paired):
    alice, bob = paired
    alice.ctl("send", "--wait", "text")
    with serving(bob, "cat"):
        ask(alice, "bob", "it", "request")
    assert [m["body"] for m in alice.history()] == ["text"]
    assert [m["body"] for m in bob.history()] == ["text"]
    assert bob.ctl("follow", "--no-follow", "-n", "all", "-o", "cat").lines == ["text"]
    assert bob.ctl("follow", "--no-follow", "-n", "1", "-o", "cat").lines == ["text"]
    types = [event["type"] for event in alice.ctl(
        "follow", "--no-follow", "-n", "all", "--types", "message.sent,message.request,message.result",
        "-o", "json").json]
    assert types == ["message.sent", "message.request", "message.result"]


def test_the_queue_says_what_waits(paired):
    alice, bob = paired
    bob.stop()
    eventually(lambda: alice.peer("bob")["link"] != "online", "the end of the link")
    asked(alice, "bob", "it", "text")
    assert "<request to it>" in alice.ctl("queue").out


def test_the_command_line_says_what_is_wrong(paired):
    alice, bob = paired
    assert b"which service" in ask(alice, "bob", expect=64).stderr
    assert b"called like ssh" in ask(alice, "bob", "UPPER", "x", expect=64).stderr
    assert b"at least 1s" in ask(alice, "--timeout", "0", "bob", "it", "x", expect=64).stderr
    assert b"65536" in ask(alice, "bob", "it", input=b"x" * 65537, expect=65).stderr
    assert b"no peer" in ask(alice, "nobody", "it", expect=67).stderr
    assert b"no message" in ask(alice, "--result", "me", expect=67).stderr
    assert "only a request" in alice.ctl("ask", "--result", alice.ctl("send", "x").out.strip(),
                                         expect=64).err
    assert "--exec" in bob.ctl("serve", "it", "-p", "alice", "--only", "ask", expect=64).err
    assert "not \"all\"" in bob.ctl("serve", "it", "-p", "alice", "--exec", "cat", "--only", "all",
                                    expect=64).err
