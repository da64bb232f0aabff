"""p2pchatctl send is a good neighbour in pipes and scripts."""

import os
import signal
import subprocess

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually


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
    assert result.err == f"p2pchatctl: not a text: {reason}; data can be sent as text with base64(1)\n"
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
