"""The N-th allocation fails, or all from there on: a clear error or a clean end, and nothing is lost."""

import os
import signal
import subprocess

import pytest

from harness import (BUILD, P2PCHATD, PATIENCE_S, Control, environment, eventually, pair)

SHIM = BUILD / "tests" / "faults" / "failing_malloc.so"

pytestmark = pytest.mark.skipif("sanitized" in BUILD.parts, reason="sanitizers have their own malloc")

# What a daemon may end with that got no memory; never by a signal, but for the library that reads
# the configuration, which ends the program by itself.
STATUSES = (0, 70, 71, 74, 78)
BY_CONFUSE = (-signal.SIGABRT, 2)


def shim(first, count, on_signal=False):
    extra = ["FAIL_ON_SIGNAL=1"] if on_signal else []
    return ["env", f"LD_PRELOAD={SHIM}", f"FAIL_FROM={first}", f"FAIL_COUNT={count}", *extra]


def spread(deep, most):
    """Which allocations fail: the first ones all, then ever fewer."""
    numbers, number = [], 1
    while number <= most:
        numbers.append(number)
        number += 1 + number // (60 if deep else 12)
    return numbers


def check_end(one, *others):
    """It has ended, or does now, as one may that got no memory."""
    status = one.process.wait(timeout=PATIENCE_S)
    one.process = None
    assert status in STATUSES + others, f"ended with {status}\n{one.text_of_log()[-3000:]}"
    return status


def leave(one, *others):
    """Ends it. If it is about to end by itself, the signal may come first."""
    one.process.terminate()
    return check_end(one, -signal.SIGTERM, *others)


def test_a_start_without_memory_ends_with_a_status(daemon, deep, result):
    one = daemon("one")
    one.stop()
    tried, ended = 0, 0
    for count in (1, 0):
        for first in spread(deep, 3000):
            with open(one.log, "ab") as log:
                process = subprocess.Popen([*shim(first, count), P2PCHATD, *map(str, one.options)],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=environment(one.home))
            tried += 1

            def settled():
                if process.poll() is not None:
                    return True
                try:
                    Control(one.socket).end()
                    return True
                except OSError:
                    return False

            eventually(settled, "an answer or the end")
            one.process = process
            ended += process.poll() is not None
            leave(one, *BY_CONFUSE)
    one.start()
    assert ended > 0
    result(f"a start in which the N-th allocation fails: {tried} times, {ended} ended with a status, "
           "none by a signal")


CALLS = [
    ("hello", {}), ("status", {}), ("identity.get", {}), ("peer.list", {}),
    ("peer.get", {"name": "bob"}), ("peer.add", {"name": "carol", "address": ["127.0.0.1:9"]}),
    ("peer.rename", {"name": "carol", "to": "dora"}),
    ("peer.set", {"name": "bob", "address": []}), ("peer.requests", {}),
    ("peer.ping", {"name": "bob"}), ("message.send", {"peer": "bob", "body": "x", "client_id": "c"}),
    ("message.wait", {"id": "ID", "state": "delivered", "timeout_ms": 5000}),
    ("message.get", {"id": "ID"}), ("history.list", {"limit": 5}),
    ("history.purge", {"before": "2000-01-01T00:00:00Z"}),
    ("follow", {"after": 0, "consumer": "test"}), ("log.level", {"level": "info"}),
    ("daemon.reload", {}),
]


def exercise(one, method, params):
    """Calls a method while memory fails. It is answered, or the connection ends."""
    try:
        control = Control(one.socket)
        control.socket.settimeout(10)
        os.kill(one.process.pid, signal.SIGUSR2)
        control.ask(method, **params)
        reply = control.read()
        if reply is not None:
            assert "result" in reply or reply["error"]["code"] < 0
        control.end()
    except OSError:
        pass


@pytest.mark.parametrize("method", [method for method, _ in CALLS])
def test_a_call_without_memory_is_answered_or_ends_well(daemon, bob, deep, method):
    alice = daemon("alice")
    pair(alice, bob)
    id = alice.ctl("send", "-p", "bob", "--wait", "stored").out.strip()
    params = {key: id if value == "ID" else value for key, value in dict(CALLS)[method].items()}
    alice.stop()
    for first in spread(False, 400) if deep else (1, 3, 8, 21, 55):
        for count in (1, 40) if deep else (1 + 39 * (first % 2),):
            alice.prefix = shim(first, count, on_signal=True)
            alice.start()
            exercise(alice, method, params)
            leave(alice, *(BY_CONFUSE if method == "daemon.reload" else ()))
    alice.prefix = ()
    alice.start()
    assert "stored" in [message["body"] for message in alice.history()]


CHANGING = {"uptime_s", "free_bytes", "file_bytes", "since", "link", "rtt_ms", "last_error",
            "last_error_time", "failed_dials", "next_dial", "refused", "attempts"}


def lasting(shown):
    """What is shown without what may be another in the next moment, or not be there at all."""
    if isinstance(shown, list):
        return [lasting(element) for element in shown]
    if isinstance(shown, dict):
        return {name: lasting(value) for name, value in shown.items() if name not in CHANGING}
    return shown


# Which allocations may be those of a reply.
SHOWING = {"message.get": (25, 85), "history.list": (25, 85), "peer.get": (20, 110),
           "peer.list": (20, 90), "status": (30, 180), "config.get": (15, 60)}


@pytest.mark.parametrize("method", SHOWING)
def test_a_thing_is_shown_whole_or_not_at_all_without_memory(daemon, bob, deep, method):
    alice = daemon("alice")
    pair(alice, bob)
    id = alice.ctl("send", "-p", "bob", "--wait", "stored").out.strip()
    alice.rpc("peer.set", name="bob", address=[])  # or a dial would take the memory that is to fail
    alice.restart()  # from now on it listens on the same port
    params = {"message.get": {"id": id}, "history.list": {"limit": 1}}.get(method, {})
    whole, refused = lasting(alice.rpc(method, **params)), set()
    alice.stop()
    first, last = SHOWING[method]
    for number in range(first, last, 1 if deep else (last - first) // 12):
        alice.prefix = shim(number, 1, on_signal=True)
        alice.start()
        control = Control(alice.socket)
        control.call(method, **params)  # what is kept for the next call is not asked for again
        os.kill(alice.process.pid, signal.SIGUSR2)
        try:
            control.ask(method, **params)
            reply = control.read() or {}
        except OSError:
            reply = {}
        if "error" in reply:
            refused.add(reply["error"].get("data", {}).get("kind"))
        if "result" in reply:
            assert lasting(reply["result"]) == whole, f"allocation {number}"
        control.end()
        leave(alice)
    assert "internal" in refused


def is_accepted(one, text):
    """Sends to bob; whether it was answered that the text is stored."""
    try:
        control = Control(one.socket)
        control.ask("message.send", peer="bob", body=text)
        reply = control.read() or {}
        control.end()
    except OSError:
        return False
    return "result" in reply


@pytest.mark.parametrize("side", ["sender", "receiver", "handshake"])
def test_messages_survive_a_lack_of_memory(daemon, bob, deep, side, result):
    alice = daemon("alice")
    pair(alice, bob)
    bob.rpc("peer.set", name="alice", address=[alice.address])
    victim, other = (alice, bob) if side == "sender" else (bob, alice)
    ends = 0
    numbers = spread(deep, 4000)[::1 if deep else 3]
    sent = []
    for number in numbers:
        leave(victim)
        victim.prefix = shim(number, 1 if number % 2 else 30, on_signal=True)
        victim.start()
        if side != "handshake":
            victim.rpc("peer.connect", name=other.name)
            victim.wait_online(other)
        os.kill(victim.process.pid, signal.SIGUSR2)
        if is_accepted(alice, f"text {number}"):
            sent.append(f"text {number}")
        if side == "handshake":
            try:
                victim.rpc("peer.connect", name=other.name)
            except Exception:  # pylint: disable=broad-except
                pass
        if victim.process.poll() is not None:
            ends += 1
            check_end(victim)
            victim.prefix = ()
            victim.start()
    leave(victim)
    victim.prefix = ()
    victim.start()
    victim.rpc("peer.connect", name=other.name)
    eventually(lambda: alice.peer("bob")["queued"] == 0, "delivery")
    received = bob.received()
    assert [text for text in received if text in sent] == sent
    assert len(received) == len(set(received))
    result(f"memory that fails in the {side} ({len(numbers)} times): {ends} ends with a status, "
           f"all {len(sent)} accepted messages arrived once and in order")
