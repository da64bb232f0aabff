"""p2pchatctl send is a good neighbour in pipes and scripts."""

import base64
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from harness import P2PCHATCTL, PATIENCE_S, Lines, environment, eventually


@pytest.fixture
def lines(paired):
    """`send --lines` from alice to bob with its standard input open."""
    alice, _ = paired
    return alice.client("send", "-p", "bob", "--lines", stdin=subprocess.PIPE)


def write(client, text):
    client.process.stdin.write(text)
    client.process.stdin.flush()


def test_lines_are_sent_as_they_come(paired, lines):
    _, bob = paired
    write(lines, b"one\ntw")
    lines.take(1)
    eventually(lambda: bob.received() == ["one"], "the line")
    write(lines, b"o\nthr")
    lines.take(1)
    eventually(lambda: bob.received() == ["one", "two"], "the line")
    lines.process.stdin.close()
    lines.wait()
    eventually(lambda: bob.received() == ["one", "two", "thr"], "the rest")


def test_a_restart_of_the_daemon_in_the_middle_of_lines_loses_and_repeats_nothing(paired):
    alice, bob = paired
    texts = [f"line {number}" for number in range(3000)]
    client = alice.client("send", "-p", "bob", "--lines", "--wait", stdin=subprocess.PIPE)
    feeder = subprocess.Popen(["sed", ""], stdin=subprocess.PIPE, stdout=client.process.stdin)
    for count, end in ((300, alice.stop), (200, alice.kill)):
        feeder.stdin.write("".join(f"{text}\n" for text in texts[:1000]).encode())
        feeder.stdin.flush()
        client.take(count)
        end()
        alice.start()
        del texts[:1000]
    feeder.stdin.write("".join(f"{text}\n" for text in texts).encode())
    feeder.stdin.close()
    feeder.wait()
    client.process.stdin.close()
    client.take(3000 - 500)
    client.wait()
    assert b"lost the connection to the daemon, waiting for it" in client.err
    assert bob.received() == [f"line {number}" for number in range(3000)]


def test_a_daemon_that_stays_away_ends_the_lines(paired):
    alice, _ = paired
    client = alice.client("--json", "send", "-p", "bob", "--lines", "--wait", "--timeout", "8",
                          stdin=subprocess.PIPE)
    write(client, b"one\n")
    assert client.next_json()["state"] == "delivered"
    alice.kill()
    write(client, b"two\n")
    client.wait(expect=69)


class Between:
    """Stands between a client and its daemon, and passes on only what it is told to."""

    def __init__(self, home):
        self.path = home / "between.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.settimeout(PATIENCE_S)
        self.listener.bind(str(self.path))
        self.listener.listen()

    def accept(self):
        """The client's next connection, as a stream for reading and writing."""
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(PATIENCE_S)
            return connection.makefile("rwb", buffering=0)

    def end(self):
        self.listener.close()


@pytest.fixture
def between(home):
    made = Between(home)
    yield made
    made.end()


def test_a_message_whose_answer_was_lost_is_neither_lost_nor_sent_twice(paired, between):
    alice, bob = paired
    client = Lines(["-s", between.path, "send", "-p", "bob", "once"], alice.home)
    with between.accept() as connection:
        request = connection.readline()
        control = alice.control()
        control.write(request)
        accepted = control.read()["result"]
        alice.kill()
    alice.start()
    with between.accept() as connection:
        repeated = connection.readline()
        assert json.loads(repeated)["params"] == json.loads(request)["params"]
        control = alice.control()
        control.write(repeated)
        connection.write(json.dumps(control.read()).encode() + b"\n")
    assert client.rest() == [accepted["messages"][0]["id"]]
    client.wait()
    alice.wait_for_event("message.state", peer="bob")
    eventually(lambda: bob.received() == ["once"], "the message")
    assert [message["body"] for message in alice.history()] == ["once"]


def test_a_send_that_meets_a_restart_goes_on_with_the_next_daemon(paired):
    alice, bob = paired
    alice.process.send_signal(signal.SIGSTOP)
    client = alice.client("send", "-p", "bob", "--wait", "later")
    eventually(lambda: unread(alice.socket), "the request in the daemon's hands")
    alice.kill()
    alice.start()
    client.wait()
    assert b"lost the connection to the daemon, waiting for it" in client.err
    assert bob.received() == ["later"]
    assert [message["body"] for message in alice.history()] == ["later"]


def unread(path):
    """Whether a client has connected to a socket whose daemon takes nothing."""
    lines = pathlib.Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    return sum(line.endswith(f" {path}") for line in lines) > 1


def test_a_daemon_that_stays_away_is_told_with_the_way_to_repeat_the_message(home, between):
    client = Lines(["-s", between.path, "send", "--timeout", "0.5", "--client-id", "nightly", "x"],
                   home)
    with between.accept() as connection:
        connection.readline()
        between.end()
        between.path.unlink()
    client.wait(expect=69)
    assert b"is not back" in client.err and b"--client-id nightly" in client.err


def test_a_daemon_that_is_not_there_is_not_waited_for(home):
    client = Lines(["-s", home / "nowhere.sock", "send", "x"], home)
    client.wait(expect=69)
    assert b"No such file or directory" in client.err


def test_long_answers_to_many_lines_stop_neither_side(alice):
    """More answers than the sockets hold while more requests than the sockets hold are on the way:
    neither may wait for the other."""
    names = [f"peer-with-a-long-name-{number:02}" for number in range(16)]
    for number, name in enumerate(names):
        key = base64.b64encode(bytes([number + 1] * 32)).decode().rstrip("=")
        alice.ctl("-q", "peer", "add", name, "--fingerprint", f"SHA256:{key}")
    to_all = [word for name in names for word in ("-p", name)]
    lines = b"".join(b"%0600d\n" % number for number in range(1500))
    sent = alice.ctl("-q", "send", "--lines", *to_all, input=lines)
    assert len(sent.lines) == 16 * 1500


def test_wait_is_for_every_line(paired):
    alice, bob = paired
    sent = alice.ctl("--json", "send", "-p", "bob", "--lines", "--wait",
                     input="".join(f"{number}\n" for number in range(200))).json
    assert [message["state"] for message in sent] == ["delivered"] * 200
    assert bob.received() == [str(number) for number in range(200)]


def test_wait_for_lines_ends_at_the_timeout(paired):
    alice, bob = paired
    bob.stop()
    result = alice.ctl("send", "-p", "bob", "--lines", "--wait", "--timeout", "3",
                       input="one\ntwo\n", expect=75)
    assert len(result.lines) == alice.peer("bob")["queued"] == 2


@pytest.mark.parametrize("data, reason", [
    (b"\x7fELF\x02\x01\x01\x00", "byte 8 is NUL"),
    (b"\x89PNG\r\n", "byte 1 is not UTF-8"),
    ("é".encode("latin-1"), "byte 1 is not UTF-8"),
])
def test_data_that_is_no_text_is_refused_with_the_reason(paired, data, reason):
    alice, _ = paired
    result = alice.ctl("send", "-p", "bob", input=data, expect=65)
    assert result.err == f"p2pchatctl: not a text: {reason}; to send data as it is: --binary\n"
    result = alice.ctl("send", "-p", "bob", "--lines", input=b"fine\n" + data.split(b"\n")[0],
                       expect=65)
    assert f"line 2: not a text: {reason}" in result.err
    assert [message["body"] for message in alice.history()] == ["fine"]


def test_a_reader_that_goes_away_stops_nothing(paired):
    """`send --lines | head -1`: every line is sent, and no signal ends it."""
    alice, bob = paired
    command = f"{P2PCHATCTL} -s {alice.socket} send -p bob --lines --wait"
    done = subprocess.run(["bash", "-c", f"seq 500 | {command} | head -1; echo ${{PIPESTATUS[1]}}"],
                          capture_output=True, text=True, env=environment(alice.home),
                          timeout=2 * PATIENCE_S)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""
    assert bob.received() == [str(number) for number in range(1, 501)]


def test_signals_that_do_not_end_it_do_not_disturb_it(paired, lines):
    _, bob = paired
    for number in range(50):
        write(lines, b"x")
        lines.process.send_signal(signal.SIGSTOP)
        lines.process.send_signal(signal.SIGCONT)
        lines.process.send_signal(signal.SIGWINCH)
        write(lines, b"%d\n" % number)
    lines.process.stdin.close()
    lines.take(50)
    lines.wait()
    eventually(lambda: bob.received() == [f"x{number}" for number in range(50)], "all of them")


def test_a_full_disk_behind_standard_output_is_told(paired):
    alice, _ = paired
    with open("/dev/full", "wb") as full:
        done = subprocess.run([P2PCHATCTL, "-s", alice.socket, "send", "-p", "bob", "x"],
                              stdout=full, stderr=subprocess.PIPE, text=True,
                              env=environment(alice.home))
    assert done.returncode == 74
    assert done.stderr == f"p2pchatctl: can't write: {os.strerror(28)}\n"


def test_the_default_peer_stays_so_under_another_name(daemon):
    """Until the next start, also over a reload; the file has to be changed, and that is said."""
    alice = daemon("alice", config='default-peer = "bob"\n')
    for name in ("bob", "carol"):
        alice.ctl("peer", "add", name, "127.0.0.1:1")
    renamed = alice.ctl("peer", "rename", "bob", "robert")
    assert "default-peer in p2pchatd.conf says bob: change it to robert as well" in renamed.err
    assert "default-peer" not in alice.ctl("peer", "rename", "carol", "caroline").err
    alice.ctl("send", "hello")
    alice.rpc("daemon.reload")
    alice.ctl("send", "hello again")
    assert alice.peer("robert")["queued"] == 2
    assert alice.rpc("config.get")["default-peer"] == "robert"
    alice.restart()
    missing = alice.ctl("send", "hello", expect=67)
    assert "default-peer in p2pchatd.conf is bob, and there is no such peer" in missing.err
    alice.configure('default-peer = "robert"\n')
    alice.rpc("daemon.reload")
    alice.ctl("send", "hello")
    assert alice.peer("robert")["queued"] == 3
