"""A conversation under memcheck: no byte is read that was not written, none is leaked."""

import shutil
import signal

import pytest

import harness
from harness import Control, eventually

ERRORS = 99  # the exit status of a daemon that memcheck complained of

VALGRIND = ["valgrind", "-q", f"--error-exitcode={ERRORS}", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]


pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None,
                                reason="valgrind is not installed")


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """What is checked runs twenty times slower."""
    monkeypatch.setattr(harness, "PATIENCE_S", 5 * harness.PATIENCE_S)


@pytest.fixture
def checked(daemon):
    """checked(NAME): starts a daemon under memcheck, which has its key already."""

    def start(name):
        made = daemon(name, config="unknown-peers = ask\n")
        made.stop()
        made.prefix = VALGRIND
        return made.start()

    return start


def test_a_conversation_leaves_no_error_and_no_leak(checked):
    alice, bob = checked("alice"), checked("bob")

    alice.add(bob)
    bob.wait_for_request(alice)
    bob.ctl("peer", "accept", alice.fingerprint, "alice")
    alice.wait_online(bob)

    live, backlog = Control(alice.socket), Control(alice.socket)
    live.call("follow", after=0)
    for number in range(5):
        alice.ctl("send", "-p", "bob", "--wait", str(number))
        bob.ctl("send", "-p", "alice", "--wait", "x" * 20000)
    assert bob.received() == [str(number) for number in range(5)]
    backlog.call("follow", after=0, live=False)
    alice.rpc("peer.ping", name="bob")
    for method in ("status", "peer.list", "identity.get", "config.get", "history.list"):
        alice.rpc(method)

    bob.process.send_signal(signal.SIGHUP)
    bob.configure("unknown-peers = nonsense\n")
    bob.process.send_signal(signal.SIGHUP)
    eventually(lambda: "the old settings stay" in bob.text_of_log(), "the complaint")

    bob.ctl("peer", "disconnect", "alice")
    alice.rpc("peer.disconnect", name="bob")
    id = alice.ctl("send", "-p", "bob", "never").out.strip()
    waiting = Control(alice.socket)
    waiting.ask("message.wait", id=id, state="delivered")
    gone = Control(alice.socket)
    gone.ask("message.wait", id=id, state="delivered")
    alice.rpc("peer.set", name="bob", address=[])
    alice.rpc("peer.rename", name="bob", to="robert")
    gone.end()
    alice.rpc("peer.remove", name="robert")
    assert waiting.read()["error"]["data"]["kind"] == "cancelled"
    bob.ctl("peer", "block", "alice")

    asking = Control(bob.socket)
    asking.write(b'{"id":1,"method":')
    bob.stop()
    alice.rpc("daemon.stop")
    assert alice.process.wait(timeout=harness.PATIENCE_S) == 0, alice.text_of_log()
    alice.process = None
    for control in (live, backlog, waiting, asking):
        control.end()
