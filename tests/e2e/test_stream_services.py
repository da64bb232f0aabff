"""Who may call which service, how streams end, and what is handed over to the daemon."""

import array
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually, pair
from test_streams import Serving, provided, stream


class Handing:
    """A connection to the daemon that sends descriptors along."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(daemon.socket))
        self.socket.settimeout(PATIENCE_S)
        self.lines = self.socket.makefile("r")
        self.id = 0

    def send(self, method, descriptors=(), **params):
        self.id += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        self.socket.sendmsg([line.encode() + b"\n"], rights if descriptors else [])
        return self.id

    def call(self, method, descriptors=(), **params):
        id = self.send(method, descriptors, **params)
        while True:
            reply = json.loads(self.lines.readline())
            if reply.get("id") == id:
                return reply

    def kind(self, *arguments, **params):
        return self.call(*arguments, **params)["error"]["data"]["kind"]


@pytest.fixture
def handing(paired):
    """A connection to alice's daemon; bob provides `echo`."""
    alice, bob = paired
    with Serving(bob, "echo", "-p", "alice", "--trust", "tofu", "--exec", "cat", name="echo"):
        yield Handing(alice)


def descriptors_of(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def serving(bob, command, *options, name="it"):
    return Serving(bob, name, "-p", "alice", "--trust", "tofu", "--exec", command, *options,
                   name=name)


# --- how streams end ---


def test_the_status_of_the_command_is_that_of_the_stream(paired):
    alice, bob = paired
    with serving(bob, "read status; exit $status"):
        for status in (0, 1, 64, 255):
            stream(alice, "bob", "it", input=f"{status}\n".encode(), expect=status)
    with serving(bob, "kill -TERM $$"):
        stream(alice, "bob", "it", expect=128 + signal.SIGTERM)


def test_each_half_ends_by_itself(paired):
    alice, bob = paired
    with serving(bob, "echo first; exec >&-; cat >/dev/null", name="it"):
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "it"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  env=environment(alice.home))
        assert client.stdout.readline() == b"first\n"
        client.communicate(b"then this", timeout=PATIENCE_S)
        assert client.returncode == 0


def test_a_reader_that_leaves_stops_the_writer(paired):
    alice, bob = paired
    with serving(bob, "yes"):
        client = subprocess.run(
            f"{P2PCHATCTL} -s {alice.socket} stream bob it </dev/null | head -c 100000 | wc -c",
            shell=True, capture_output=True, env=environment(alice.home), timeout=PATIENCE_S)
        assert client.stdout.strip() == b"100000"
        eventually(lambda: not bob.rpc("stream.list")["streams"], "the end of yes")


def test_what_a_program_wrote_before_it_ended_is_complete_though_it_read_nothing(paired):
    alice, bob = paired
    with serving(bob, "head -c 300000 /dev/zero"):
        done = stream(alice, "bob", "it", input=b"x" * 100000, expect=None)
        assert len(done.stdout) == 300000


def test_a_killed_provider_ends_its_streams_clearly(paired):
    alice, bob = paired
    with serving(bob, "echo ready; exec sleep 1000") as provider:
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "it"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=environment(alice.home))
        assert client.stdout.readline() == b"ready\n"
        provider.process.kill()
        client.communicate(timeout=PATIENCE_S)
        assert client.returncode == 76


def test_a_restarted_daemon_ends_streams_and_its_services_come_back(paired):
    alice, bob = paired
    with serving(bob, "echo ready; cat"):
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "it"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=environment(alice.home))
        assert client.stdout.readline() == b"ready\n"
        bob.restart()
        client.communicate(timeout=PATIENCE_S)
        assert client.returncode == 75
        eventually(lambda: provided(bob, "it"), "the service again")
        assert stream(alice, "bob", "it", input=b"again\n").stdout == b"ready\nagain\n"


def test_streams_are_listed_and_closed(paired):
    alice, bob = paired
    with serving(bob, "echo ready; cat"):
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "it"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=environment(alice.home))
        assert client.stdout.readline() == b"ready\n"
        [number] = alice.ctl("-q", "streams").lines
        assert "out open" in alice.ctl("streams").out
        assert "in open" in bob.ctl("streams").out
        alice.ctl("streams", "close", number)
        client.communicate(timeout=PATIENCE_S)
        assert client.returncode == 75


# --- who may ---


def test_unknown_and_forbidden_services_get_one_answer(paired):
    alice, bob = paired
    bob.rpc("peer.add", name="carol", fingerprint="SHA256:" + "A" * 43)
    unknown = stream(alice, "bob", "nothing", expect=76).stderr
    with Serving(bob, "hers", "-p", "carol", "--exec", "cat", name="hers"):
        forbidden = stream(alice, "bob", "hers", expect=76).stderr
    with Serving(bob, "closed", "-p", "alice", "--exec", "cat", name="closed"):
        bob.rpc("service.remove", name="closed")
        removed = stream(alice, "bob", "closed", expect=76).stderr
    assert len({text.replace(name, b"NAME") for text, name in
                [(unknown, b"nothing"), (forbidden, b"hers"), (removed, b"closed")]}) == 1


def test_serving_to_nobody_in_particular_is_a_mistake(paired):
    _, bob = paired
    assert "who may call it?" in bob.ctl("serve", "it", "--exec", "cat", expect=64).err
    bob.ctl("serve", "UP", "-p", "alice", "--exec", "cat", expect=64)
    bob.ctl("serve", ".file", "-p", "alice", "--exec", "cat", expect=64)


def test_a_peer_without_streams_is_told_of_at_once(daemon):
    from harness import pair
    alice, bob = daemon("alice"), daemon("bob", config='streams = "no"\n')
    pair(alice, bob)
    assert b"can't do streams" in stream(alice, "bob", "it", expect=76).stderr
    assert b"switched off here" in stream(bob, "alice", "it", expect=76).stderr
    assert "streams" not in alice.rpc("peer.get", name="bob")["features"]
    assert "streams" in bob.rpc("peer.get", name="alice")["features"]
    bob.stop()
    alice.stop()
    alice.start()  # it remembers
    assert b"can't do streams" in stream(alice, "bob", "it", expect=76).stderr


def test_a_service_takes_so_many_streams_and_no_more(paired):
    alice, bob = paired
    with serving(bob, "echo ready; cat", "--max", "1"):
        client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "it"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  env=environment(alice.home))
        assert client.stdout.readline() == b"ready\n"
        stream(alice, "bob", "it", expect=75)
        client.communicate(timeout=PATIENCE_S)
        assert stream(alice, "bob", "it").stdout == b"ready\n"


# --- the other forms ---


def test_forward_and_stream_take_the_peer_both_ways(paired, home):
    alice, _ = paired
    here = home / "here"
    for words in (["bob", "db"], ["-p", "bob", "db"], ["db", "--peer=bob"]):
        forward = alice.client("forward", *words, "--listen", f"unix:{here}")
        eventually(here.exists, "the socket to connect to")
        forward.end()
        here.unlink()
        assert "has no service db" in alice.ctl("stream", *words, expect=76).err
    for verb in (["forward", "--listen", f"unix:{here}"], ["stream"]):
        both = alice.ctl(*verb, "-p", "bob", "-p", "carol", "db", expect=64).err
        assert "only one peer can be named, not bob and carol" in both
        assert "too many arguments" in alice.ctl(*verb, "-p", "bob", "bob", "db", expect=64).err
        assert "this one is empty" in alice.ctl(*verb, "", "db", expect=64).err
        assert "missing" in alice.ctl(*verb, "db", expect=64).err


VERBS_OF_A_PEER = [
    (["history"], []), (["purge"], []), (["fingerprint"], []), (["wait-online"], []),
    (["follow", "--no-follow"], []), (["stream"], ["db"]),
    (["forward", "--listen", "unix:/nowhere/at/all"], ["db"]), (["peer", "show"], []),
    (["peer", "rename"], ["b"]), (["peer", "set"], ["127.0.0.1"]), (["peer", "remove"], []),
    (["peer", "block"], []), (["peer", "unblock"], []), (["peer", "verify"], ["SHA256:" + 43 * "A"]),
    (["peer", "connect"], []), (["peer", "disconnect"], []), (["peer", "ping"], []),
]


@pytest.mark.parametrize("verb, rest", VERBS_OF_A_PEER, ids=lambda words: "-".join(words[:2]))
def test_every_verb_takes_its_peer_both_ways(alice, verb, rest):
    """Both say the same: that there is no such peer."""
    said = [alice.ctl(*verb, *peer, *rest, expect=67).err for peer in (["nobody"], ["-p", "nobody"])]
    assert said[0] == said[1] and "nobody" in said[0]


def test_forward_and_connect_lead_from_socket_to_socket(paired, home):
    alice, bob = paired
    there, here = home / "there", home / "here"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(there))
    server.listen()
    with Serving(bob, "db", "-p", "alice", "--trust", "tofu", "--connect", f"unix:{there}",
                 name="db"):
        forward = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "forward", "bob", "db",
                                    "--listen", f"unix:{here}"], env=environment(alice.home),
                                   stderr=subprocess.PIPE)
        try:
            client = socket.socket(socket.AF_UNIX)
            # It is there a moment before it takes connections.
            eventually(lambda: client.connect_ex(str(here)) == 0, "somebody who listens")
            assert here.stat().st_mode & 0o777 == 0o600
            other, _ = server.accept()
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert other.makefile("rb").read() == b"question"
            other.sendall(b"answer")
            other.close()
            assert client.makefile("rb").read() == b"answer"
        finally:
            forward.kill()
            forward.wait()


def test_a_file_of_services(paired, home):
    alice, bob = paired
    services = home / "services"
    services.write_text("# what we offer\n\n"
                        "one -p alice --trust tofu --exec 'echo \"the first\"'\n"
                        "two -p alice --trust tofu --exec echo\\ second # not more\n")
    with Serving(bob, "-f", services, name="two"):
        assert stream(alice, "bob", "one").stdout == b"the first\n"
        assert stream(alice, "bob", "two").stdout == b"second\n"
    services.write_text("one -p alice --exec 'echo\n")
    assert f"{services}:1: a quote has no end" in bob.ctl("serve", "-f", services, expect=64).err


def test_one_stream_between_two_terminals(paired):
    alice, bob = paired
    with Serving(bob, "here", "-p", "alice", "--trust", "tofu", name="here",
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE) as end:
        answers = {}
        thread = threading.Thread(target=lambda: answers.update(
            bob=end.process.communicate(b"from bob", timeout=PATIENCE_S)[0]))
        thread.start()
        assert stream(alice, "bob", "here", input=b"from alice").stdout == b"from bob"
        thread.join()
        assert answers["bob"] == b"from alice"
        assert end.process.returncode == 0


def test_commands_know_who_calls(paired):
    alice, bob = paired
    with serving(bob, 'echo "$P2PCHAT_PEER $P2PCHAT_SERVICE $P2PCHAT_TRUST $P2PCHAT_FINGERPRINT"'):
        assert stream(alice, "bob", "it").stdout.decode().split() == [
            "alice", "it", "verified", alice.fingerprint]


# --- what is handed over ---


def bad_descriptors():
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    datagrams = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pipe = os.pipe()
    yield from (os.open("/dev/null", os.O_RDWR), pipe[0], pipe[1], datagrams[0].detach(),
                listening.detach(), socket.socket().detach(), os.open("/", os.O_RDONLY))


def test_only_connected_stream_sockets_are_taken_and_nothing_leaks(handing, paired):
    alice, _ = paired
    handing.call("hello")
    before = descriptors_of(alice)
    for fd in bad_descriptors():
        assert handing.kind("stream.open", [fd], peer="bob", service="echo") == "bad_descriptor"
    assert handing.kind("stream.open", peer="bob", service="echo") == "bad_descriptor"
    one, other = socket.socketpair()
    assert "result" in handing.call("status", [one.fileno(), other.fileno()])  # closed with its line
    assert handing.kind("stream.open", [one.fileno()], peer="nobody", service="echo") \
        == "no_such_peer"
    eventually(lambda: descriptors_of(alice) == before, "the descriptors closed")


def test_too_many_descriptors_cost_the_connection(handing):
    pairs = [socket.socketpair() for _ in range(9)]
    handing.send("status", [one.fileno() for one, _ in pairs])
    assert handing.lines.readline() == ""


def test_the_other_holder_of_a_socket_can_t_stop_the_daemon(handing, paired):
    """It shares the flags and options of the socket, and reads nothing."""
    alice, _ = paired
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    for make in (socket.socketpair, lambda: tcp_pair(server)):
        ours, theirs = make()
        assert "result" in handing.call("stream.open", [theirs.fileno()], peer="bob",
                                        service="echo")
        theirs.setblocking(True)
        if theirs.family == socket.AF_INET:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
        ours.settimeout(0.2)
        with pytest.raises(TimeoutError):
            while True:
                ours.send(bytes(65536))  # until all that lies between is full
        started = time.monotonic()
        alice.rpc("status")
        theirs.close()
        [shown] = alice.rpc("stream.list")["streams"]
        alice.rpc("stream.close", stream=shown["stream"])
        alice.rpc("status")
        assert time.monotonic() - started < 20


def tcp_pair(server):
    ours = socket.create_connection(server.getsockname())
    return ours, server.accept()[0]


def test_only_who_was_told_of_a_stream_may_take_it(paired):
    alice, bob = paired
    provider, other = Handing(bob), Handing(bob)
    provider.call("service.add", name="mine", peers=["alice"], trust="tofu")
    client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "mine"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment(alice.home))
    news = json.loads(provider.lines.readline())
    assert news["method"] == "stream" and news["params"]["type"] == "incoming"
    number = news["params"]["stream"]
    one, _ = socket.socketpair()
    assert other.kind("stream.accept", [one.fileno()], stream=number) == "usage"
    assert other.kind("stream.refuse", stream=number) == "usage"
    assert "result" in provider.call("stream.refuse", stream=number)
    client.communicate(timeout=PATIENCE_S)
    assert client.returncode == 76


AS_NOBODY = r"""
import array, json, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
control = socket.socket(socket.AF_UNIX)
control.settimeout(30)  # what never comes is an error
control.connect(sys.argv[1])
reader = control.makefile("rb")
"""
OPENING = AS_NOBODY + r"""
kept = []
for id, peer in enumerate(sys.argv[2:]):
    kept.append(socket.socketpair())
    line = json.dumps({"id": id, "method": "stream.open",
                       "params": {"peer": peer, "service": "echo"}}).encode() + b"\n"
    control.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                              array.array("i", [kept[-1][1].fileno()]))])
    while (reply := json.loads(reader.readline())).get("id") != id:
        pass
    print(reply.get("error", {}).get("data", {}).get("kind"), flush=True)
sys.stdin.read()
"""
PROVIDING = AS_NOBODY + r"""
control.sendall(b'{"id":1,"method":"service.add","params":{"name":"mine","peers":["bob"],"trust":"tofu"}}\n')
for _ in range(2):
    print(reader.readline().decode(), end="", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_no_user_takes_all_streams(daemon):
    """Half of what is free and not more, whoever they lead to, while root has the rest."""
    alice, bob, carol = daemon("alice", config="max-streams = 8\n"), daemon("bob"), daemon("carol")
    pair(alice, bob)
    pair(alice, carol)
    alice.socket.chmod(0o666)
    with serving(bob, "cat", name="echo"), serving(carol, "cat", name="echo"):
        user = subprocess.Popen([sys.executable, "-c", OPENING, alice.socket,
                                 "bob", "bob", "carol", "carol", "carol", "bob"], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert [user.stdout.readline() for _ in range(6)] == 4 * ["None\n"] + 2 * ["busy\n"]
        assert stream(alice, "carol", "echo", input=b"x").stdout == b"x"
        user.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_is_called_by_the_only_stream_that_there_may_be(daemon):
    alice, bob = daemon("alice", config="max-streams = 1\n"), daemon("bob")
    pair(alice, bob)
    alice.socket.chmod(0o666)
    user = subprocess.Popen([sys.executable, "-c", PROVIDING, alice.socket], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert "result" in json.loads(user.stdout.readline())
    client = subprocess.Popen([P2PCHATCTL, "-s", bob.socket, "stream", "alice", "mine"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment(bob.home))
    assert json.loads(user.stdout.readline())["params"]["type"] == "incoming"
    user.communicate()
    client.communicate(timeout=PATIENCE_S)
