"""What users of other messengers with a daemon complain of most does not happen here.

Each test is one of their complaints, by name.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from harness import P2PCHATCTL, P2PCHATD, PATIENCE_S, environment, eventually, pair, run
from usage import MEMORY_COUNTS, peak_kib

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can")


def test_no_message_vanishes_while_no_client_is_attached(paired):
    """ "Messages that arrive while nothing is connected to the daemon are gone." """
    alice, bob = paired
    assert bob.rpc("status")["followers"] == []
    texts = [f"unattended {number}" for number in range(20)]
    alice.ctl("send", "-p", "bob", "--lines", "--wait", input="\n".join(texts))
    bob.restart()
    assert bob.ctl("follow", "--no-follow", "-n", "all", "-o", "cat").lines == texts
    assert bob.ctl("history", "-o", "cat").lines == texts


def test_no_slow_or_dead_client_stops_the_daemon(paired):
    """ "One client that hangs, and nobody gets anything any more." """
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--lines", "--wait",
              input="".join(f"{number} {'x' * 5000}\n" for number in range(300)))
    stuck = []
    for _ in range(20):
        control = bob.control()
        control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        control.ask("follow", after=0) # and reads nothing
        control.write(b'{"method":"status"') # and stops in the middle
        stuck.append(control)
    for control in stuck[:10]:
        control.end()
    alice.ctl("send", "-p", "bob", "--wait", "past them")
    assert bob.ctl("history", "-n", "1", "-o", "cat").lines == ["past them"]


def test_no_client_that_asks_and_never_reads_fills_the_memory_or_makes_others_wait(alice):
    """ "One script that hung, and the daemon took all of the memory." """
    clients, calls, reply_kib = 20, 8, 1024
    alice.ctl("peer", "add", "away", "127.0.0.1:1")
    alice.ctl("-q", "send", "-p", "away", "--lines",
              input="".join(f"{number} {'x' * 5000}\n" for number in range(300)))
    before, deaf = peak_kib(alice.process.pid), []
    other = alice.control()
    for _ in range(clients):
        control = alice.control()
        control.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for _ in range(calls):
            control.ask("history.list", limit=10000)
        deaf.append(control)
    for _ in range(100):  # turns, in each of which others could go on
        assert other.call("message.send", peer="away", body="meanwhile")["messages"]
    if MEMORY_COUNTS:
        grown = peak_kib(alice.process.pid) - before
        assert grown < clients * 3 * reply_kib, f"{grown} KiB for {clients} clients"
    for control in deaf:
        control.end()
    assert other.call("status")["queue"]["messages"] == 400


def test_no_queue_is_lost_at_a_restart(paired):
    """ "After an upgrade everything that was still to be sent was gone." """
    alice, bob = paired
    bob.stop()
    alice.ctl("send", "-p", "bob", "--lines", input="".join(f"{n}\n" for n in range(50)))
    alice.restart()
    assert alice.peer("bob")["queued"] == 50
    alice.kill()
    alice.start()
    assert alice.peer("bob")["queued"] == 50
    bob.start()
    eventually(lambda: bob.received() == [str(n) for n in range(50)], "the queue")


@pytest.mark.parametrize("arguments, input, status", [
    (["send", "-p", "nobody", "x"], b"", 67),
    (["send", "-p", "blocked", "x"], b"", 77),
    (["send", "-p", "away"], b"\xff", 65),
    (["send", "-p", "away", "--wait", "--timeout", "0.1", "x"], b"", 75),
    (["send", "-p", "away", "--lines"], b"good\n\xff\ngood\n", 65),
    (["peer", "ping", "away"], b"", 75),
    (["wait-online", "away", "--timeout", "0.1"], b"", 75),
    (["follow", "--count", "1", "--timeout", "0.1"], b"", 75),
    (["rpc", "message.send", '{"body": "x", "peer": "nobody"}'], b"", 67),
    (["doctor", "-s", "/nowhere/control.sock"], b"", 69),
])
def test_no_failure_ends_with_exit_status_0(alice, arguments, input, status):
    """ "It printed an error and my script went on, because the status was 0." """
    alice.ctl("peer", "add", "away", "127.0.0.1:1")
    alice.ctl("peer", "add", "blocked", "127.0.0.1:1")
    alice.ctl("peer", "block", "blocked")
    alice.ctl(*arguments, input=input, expect=status)


def libraries(home, *arguments):
    """The libraries that a run of the client loads."""
    variables = dict(environment(home), LD_DEBUG="libs", LD_DEBUG_OUTPUT=str(home / "libs"))
    subprocess.run([P2PCHATCTL, *map(str, arguments)], env=variables, capture_output=True,
                   stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    text = "".join(path.read_text() for path in home.glob("libs.*"))
    return {re.sub(r"\.so.*", "", pathlib.Path(name).name)
            for name in re.findall(r"calling init: (\S+)", text)} - {"linux-vdso"}


def is_instrumented():
    symbols = subprocess.run(["ldd", P2PCHATCTL], capture_output=True, text=True).stdout
    program = P2PCHATCTL.read_bytes()
    return "libm" in symbols or b"__asan_init" in program or b"libgcov" in program


not_instrumented = pytest.mark.skipif(is_instrumented(),
                                      reason="sanitizers and counts cost what they cost")


@not_instrumented
def test_no_command_takes_long_because_it_loads_nothing_it_does_not_need(paired):
    """ "20 seconds per command": one that sends loads libjansson and libc, and that is all. """
    alice, _ = paired
    assert libraries(alice.home, "-s", alice.socket, "send", "-p", "bob", "x") == \
        {"ld-linux-x86-64" if os.uname().machine == "x86_64" else "ld-linux-aarch64",
         "libc", "libjansson"}


@not_instrumented
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_no_command_costs_more_than_a_few_times_starting_a_process(paired):
    """ "20 seconds per command", in instructions, because they repeat. """
    alice, _ = paired

    def count(*command):
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                               *map(str, command)], capture_output=True, text=True,
                              env=environment(alice.home))
        assert done.returncode == 0, done.stderr
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    assert count(P2PCHATCTL, "-s", alice.socket, "send", "-p", "bob", "x") < 5 * count("/bin/true")


def test_no_key_change_needs_a_restart_to_be_accepted(paired):
    """ "They have a new phone, and I must stop the daemon and edit files." """
    alice, bob = paired
    pid = alice.process.pid
    bob.stop()
    (bob.state / "identity.pem").unlink()
    run(P2PCHATD, "--state-dir", bob.state, "--generate-identity", home=bob.home)
    bob.start()
    alice.wait_for_event("peer.key_changed", peer="bob")
    result = alice.ctl("send", "-p", "bob", "x", expect=77)
    assert "p2pchatctl peer show" in result.err
    alice.ctl("peer", "accept", "bob", "--fingerprint", bob.fingerprint)
    alice.wait_online(bob)
    alice.ctl("send", "-p", "bob", "--wait", "--timeout", PATIENCE_S, "to the new key")
    assert bob.received() == ["to the new key"]
    assert alice.process.pid == pid


def test_no_log_is_on_standard_output(home, daemon, bob):
    """ "I pipe its output, and the log is in it." """
    out = home / "out"
    alice = daemon("alice", prefix=["sh", "-c", f'exec "$0" "$@" >{out}'])
    pair(alice, bob)
    bob.restart()
    alice.wait_online(bob)
    assert "daemon: p2pchatd" in alice.text_of_log()
    assert out.read_bytes() == b""
    [line] = alice.ctl("--json", "send", "-p", "bob", "--wait", "x").lines
    assert line.startswith("{")
    result = alice.ctl("send", "-p", "nobody", "x", expect=67)
    assert result.out == "" and result.err != ""
    follower = alice.client("follow", "-o", "json", "-n", "all", "--types", "message.sent")
    follower.take(1)
    alice.restart()
    alice.ctl("send", "-p", "bob", "after the restart")
    assert follower.next().startswith("{") # its notes about the restart are elsewhere
    eventually(lambda: b"waiting for it" in follower.err, "the note")


def test_no_history_is_replayed_to_a_bot(paired, home):
    """ "After a restart my bot answered everything again." """
    alice, bob = paired
    alice.ctl("send", "-p", "bob", "--wait", "before there was a bot")
    seen = home / "seen"
    seen.touch()
    options = ["follow", "--consumer", "bot", "--exec", f"cat >>{seen}; echo >>{seen}"]

    def texts():
        return seen.read_text().splitlines()

    def start_bot():
        started = bob.client(*options)
        eventually(lambda: bob.rpc("status")["followers"], "the bot")
        return started

    bot = start_bot()
    alice.ctl("send", "-p", "bob", "--wait", "one")
    eventually(lambda: texts() == ["one"], "the first")
    bob.restart()
    alice.ctl("send", "-p", "bob", "--wait", "two")
    eventually(lambda: texts() == ["one", "two"], "the second")
    bot.process.terminate()
    bot.process.wait(timeout=PATIENCE_S)
    eventually(lambda: not bob.rpc("status")["followers"], "its end")
    alice.ctl("send", "-p", "bob", "--wait", "three")
    bob.restart()
    start_bot()
    eventually(lambda: texts()[-1] == "three", "what came in between")
    alice.ctl("send", "-p", "bob", "--wait", "four")
    eventually(lambda: texts()[-1] == "four", "the last")
    assert texts() == ["one", "two", "three", "four"]


@as_root
def test_no_daemon_that_was_started_without_network_stays_alone(daemon):
    """ "It was started at boot before the network was there, and never came back." """
    with subprocess.Popen(["unshare", "--net", "sleep", "3600"]) as holder:
        try:
            network = f"/proc/{holder.pid}/ns/net"
            eventually(lambda: os.readlink(network) != os.readlink("/proc/self/ns/net"),
                       "a network of its own")
            inside = ["nsenter", f"--net={network}"]
            alice = daemon("alice", listen="[::]:0", prefix=inside)
            bob = daemon("bob", listen="[::]:0", prefix=inside)
            port = bob.address.rpartition(":")[2]
            alice.ctl("peer", "add", "bob", f"127.0.0.1:{port}", "--fingerprint", bob.fingerprint)
            bob.add(alice, address=False)
            error = eventually(lambda: alice.peer("bob").get("last_error"), "an error")
            assert "nreachable" in error
            id = alice.ctl("send", "-p", "bob", "as soon as there is a network").out.strip()
            subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
            alice.rpc("message.wait", id=id, state="delivered", timeout_ms=PATIENCE_S * 1000)
            assert bob.received() == ["as soon as there is a network"]
        finally:
            holder.kill()


def test_no_socket_can_be_used_by_anybody(alice):
    """ "Every user of the machine could read my messages." """
    assert alice.socket.stat().st_mode & 0o777 in (0o600, 0o660)
    assert alice.state.stat().st_mode & 0o077 == 0
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout
    ours = [line for line in listening.splitlines() if f"pid={alice.process.pid}," in line]
    assert all(alice.address.split(":")[-1] in line for line in ours), "no control over TCP"


@as_root
def test_no_other_user_gets_in(alice):
    alice.home.chmod(0o755)
    stranger = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = subprocess.run([*stranger, P2PCHATCTL, "-s", alice.socket, "status"], text=True,
                          capture_output=True, env=environment(alice.home))
    assert done.returncode == 69
    assert "Permission denied" in done.stderr and "another user" in done.stderr
