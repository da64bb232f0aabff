"""What the client prints, compared whole with the files in golden/.

The daemon is a script, so that names, ids and times are always the same; some are hostile. To accept
what is printed now: P2PCHAT_GOLDEN=write pytest test_output.py, and read the difference.
"""

import fcntl
import os
import pathlib
import pty
import struct
import subprocess
import termios

import pytest

from harness import P2PCHATCTL, PATIENCE_S, environment
from script import Script

GOLDEN = pathlib.Path(__file__).parent / "golden"

FINGERPRINT = "SHA256:i4+uUFteGFwm5s7MgKyACBzFUK/+nc0ZWdMV2JcqnMM"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp\u009b31m\x7f"


@pytest.mark.parametrize("verb", [["peer", "show"], ["peer", "connect"], ["fingerprint"], ["history"],
                                  ["follow", "--no-follow", "-n", "1"]])
def test_a_peer_may_be_an_option_or_an_argument(paired, verb):
    alice, bob = paired
    bob.ctl("send", "-p", "alice", "--wait", "hello")
    assert alice.ctl(*verb, "-p", "bob").out == alice.ctl(*verb, "bob").out != ""
    assert "no peer carol" in alice.ctl(*verb, "-p", "carol", expect=67).err


def test_a_command_has_one_peer(paired):
    alice, _ = paired
    alice.ctl("peer", "show", "-p", "bob", "bob", expect=64)
    alice.ctl("peer", "list", "-p", "bob", expect=64)


def message(seq, body, peer="alice", direction="in", state="received", **more):
    return dict({"id": f"01930000-0000-7000-8000-{seq:012}", "seq": seq, "peer": peer,
                 "direction": direction, "state": state, "body": body,
                 "time": f"2026-11-22T19:51:{seq % 60:02}.214Z",
                 "sent": f"2026-11-22T19:50:{seq % 60:02}.101Z", "trust": "verified"}, **more)


MESSAGES = [
    message(1, "hello"),
    message(2, "two\n  lines\n\n"),
    message(3, "on its way", direction="out", state="queued"),
    message(4, "there", direction="out", state="delivered", client_id="nightly"),
    message(5, "你好, 🦊", peer="王"),
    message(6, "an escape: " + HOSTILE, peer="mallory" + HOSTILE),
]

EVENTS = [
    {"sub": 1, "seq": 7, "type": "message.received", "time": "2026-11-22T19:52:00.000Z",
     "peer": "alice", "fingerprint": FINGERPRINT, "trust": "verified",
     "message": {"id": "01930000-0000-7000-8000-000000000007", "body": "an event\nwith two lines",
                 "sent": "2026-11-22T19:51:59.000Z"}},
    {"sub": 1, "seq": 8, "type": "message.state", "time": "2026-11-22T19:52:01.000Z",
     "peer": "bob", "trust": "tofu",
     "message": {"id": "01930000-0000-7000-8000-000000000003", "state": "failed",
                 "reason": "refused" + HOSTILE}},
    {"sub": 1, "type": "peer.offline", "time": "2026-11-22T19:52:02.000Z", "peer": "bob",
     "trust": "tofu"},
    {"sub": 1, "seq": 8, "type": "follow.live", "time": "2026-11-22T19:52:03.000Z"},
]

PEERS = [
    {"name": "alice", "fingerprint": FINGERPRINT, "trust": "verified", "addresses": ["a:8766"],
     "link": "online", "since": "2026-11-22T19:00:00.000Z", "rtt_ms": 12, "queued": 0,
     "safety_number": " ".join(["12345"] * 12)},
    {"name": "bob", "trust": "unpinned", "addresses": ["192.0.2.7:8766", "[2001:db8::7]:8766"],
     "link": "backoff", "since": "2026-11-22T19:00:00.000Z", "queued": 12345,
     "last_error": "192.0.2.7:8766: no answer for 20 s " + HOSTILE,
     "last_error_time": "2026-11-22T19:00:00.000Z", "failed_dials": 2, "disconnected": False},
    {"name": "王小明", "trust": "changed", "addresses": [], "link": "offline", "queued": 1},
]

STATUS = {
    "version": "0.1.0", "epoch": "e", "fingerprint": FINGERPRINT, "uptime_s": 93784,
    "listeners": [{"address": "::", "port": 8766}, {"address": "127.0.0.1", "port": 4711}],
    "peers": PEERS, "queue": {"messages": 1, "bytes": 12}, "last_seq": 8, "consumers": [],
    "store": {"messages": 1234, "bytes": 2345678, "free_bytes": 20 << 30, "file_bytes": 1,
              "directory": "/nowhere"},
    "followers": [{"sub": 1, "lag": 0}], "requests": 2,
}

ANSWERS = {
    "hello": {"daemon": "p2pchatd", "version": "0.1.0", "epoch": "e", "admin": True},
    "history.list": lambda params: {"messages": [] if params.get("before") else MESSAGES},
    "follow": {"sub": 1, "from": 6},
    "status": STATUS,
    "peer.list": {"peers": PEERS},
    "peer.get": PEERS[1],
    "identity.get": {"fingerprint": FINGERPRINT, "public_key": "…", "algorithm": "RSA",
                     "bits": 2048},
}


@pytest.fixture
def socket(home):
    script = Script(home / "control.sock", ANSWERS, EVENTS)
    yield home / "control.sock"
    script.end()


def piped(socket, *arguments, **variables):
    """What goes into a pipe."""
    done = subprocess.run([P2PCHATCTL, *arguments], capture_output=True, timeout=PATIENCE_S,
                          env=dict(environment(socket.parent, socket), **variables))
    assert done.stderr == b""
    return done.stdout


def on_terminal(socket, *arguments, columns=80, **variables):
    """What goes to a terminal, without the CRs that it adds."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([P2PCHATCTL, *arguments], stdout=end, stderr=end,
                               env=dict(environment(socket.parent, socket), TERM="xterm",
                                        **variables))
    os.close(end)
    shown = b""
    try:
        while data := os.read(terminal, 65536):
            shown += data
    except OSError:
        pass # the other end is closed
    os.close(terminal)
    process.wait(timeout=PATIENCE_S)
    return shown.replace(b"\r\n", b"\n")


def compare(name, shown):
    path = GOLDEN / name
    if os.environ.get("P2PCHAT_GOLDEN") == "write":
        path.write_bytes(shown)
    assert shown.decode() == path.read_bytes().decode(), f"differs from {path}"


FOLLOW = ["follow", "--no-follow", "-n", "3", "--types", "all"]


@pytest.mark.parametrize("name, arguments", [
    ("history-short", ["history"]),
    ("history-cat", ["history", "-o", "cat"]),
    ("history-cat-0", ["history", "-o", "cat", "-0"]),
    ("history-json", ["history", "-o", "json"]),
    ("history-verbose", ["history", "-o", "verbose"]),
    ("follow-short", FOLLOW),
    ("follow-cat", [*FOLLOW, "-o", "cat"]),
    ("follow-json", [*FOLLOW, "-o", "json"]),
    ("follow-verbose", [*FOLLOW, "-o", "verbose"]),
    ("status", ["status"]),
    ("peer-list", ["peer", "list"]),
    ("peer-list-names", ["peer", "list", "-q"]),
    ("peer-show", ["peer", "show", "bob"]),
    ("queue", ["queue"]),
    ("fingerprint-json", ["--json", "fingerprint"]),
])
def test_into_a_pipe(socket, name, arguments):
    compare(name, piped(socket, *arguments))


@pytest.mark.parametrize("name, arguments, columns", [
    ("terminal-history-short", ["history", "--no-pager"], 80),
    ("terminal-history-cat", ["history", "--no-pager", "-o", "cat"], 80),
    ("terminal-history-json", ["history", "--no-pager", "-o", "json"], 80),
    ("terminal-follow-short", FOLLOW, 80),
    ("terminal-peer-list-60", ["peer", "list"], 60),
    ("terminal-peer-list-40", ["peer", "list"], 40),
    ("terminal-peer-list-200", ["peer", "list"], 200),
    ("terminal-queue-80", ["queue"], 80),
    ("terminal-status-72", ["status"], 72),
])
def test_on_a_terminal(socket, name, arguments, columns):
    shown = on_terminal(socket, *arguments, columns=columns)
    assert b"\x1b[1m" in shown or "cat" in name or "json" in name
    compare(name, shown)


@pytest.mark.parametrize("arguments", [["history", "--no-pager"], FOLLOW, ["peer", "list"],
                                       ["status"], ["queue"], ["peer", "show", "bob"]])
def test_a_terminal_without_colours_sees_no_escapes(socket, arguments):
    shown = on_terminal(socket, *arguments, NO_COLOR="1").decode()
    assert not set("\x1b\x07\x7f\u009b\u202e") & set(shown)
    assert shown


@pytest.mark.parametrize("columns", [20, 33, 60, 79, 120])
def test_tables_fit_the_terminal(socket, columns):
    rows = on_terminal(socket, "peer", "list", columns=columns, NO_COLOR="1").decode().splitlines()
    assert all(len(row) + sum(character in "王小明" for character in row) <= max(columns, 38)
               for row in rows)


def test_times_are_local_unless_utc_is_asked_for(socket):
    shown = {piped(socket, "history", *more, TZ=zone).decode().split("\n")[0]
             for zone, more in (("Asia/Kolkata", []), ("XXX-5:30", []))}
    assert "2026-11-23 01:21:01 alice: hello" in shown
    for arguments in (["history", "--utc"], ["--utc", "history"]):
        assert piped(socket, *arguments, TZ="XXX-5:30").startswith(b"2026-11-22 19:51:01 alice:")


def test_long_history_on_a_terminal_goes_through_the_pager(socket):
    shown = on_terminal(socket, "history", PAGER="sed s/^/paged:/", NO_COLOR="1").decode()
    assert shown.startswith("paged:2026-11-22 19:51:01 alice: hello\n")
    for arguments, pager in ((["history"], ""), (["history"], "cat"),
                             (["history", "--no-pager"], "sed s/^/paged:/")):
        shown = on_terminal(socket, *arguments, PAGER=pager, NO_COLOR="1").decode()
        assert shown.startswith("2026-11-22 19:51:01 alice: hello\n")
    assert b"paged" not in piped(socket, "history", PAGER="sed s/^/paged:/")


def test_a_pager_that_can_not_be_run_is_told_and_the_history_shown(socket):
    shown = on_terminal(socket, "history", PAGER="no-such-pager", NO_COLOR="1").decode()
    assert "2026-11-22 19:51:01 alice: hello\n" in shown
    assert 'the pager "no-such-pager" can\'t be run; set PAGER, or give --no-pager\n' in shown


@pytest.mark.parametrize("options", ["FX", "-M --no-init -F", "-F -PRompt"])
def test_less_shows_colours_and_no_escapes_whatever_its_options_are(socket, options):
    shown = on_terminal(socket, "history", PAGER="less", LESS=options).decode()
    assert "\x1b[" in shown and "alice" in shown and "ESC" not in shown


def test_a_pager_that_is_left_early_is_no_mistake(socket):
    shown = on_terminal(socket, "history", PAGER="head -n 1", NO_COLOR="1").decode()
    assert shown == "2026-11-22 19:51:01 alice: hello\n"
