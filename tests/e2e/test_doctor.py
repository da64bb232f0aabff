"""p2pchatctl doctor finds what is wrong, and says what to do about it."""

import subprocess

import pytest

from harness import P2PCHATCTL, eventually, run
from script import Script
from test_output import ANSWERS, STATUS as OLD_STATUS

VERSION = subprocess.check_output([P2PCHATCTL, "--version"], text=True).split()[1]
STATUS = dict(OLD_STATUS, version=VERSION)  # of a daemon that is no older than the program


def findings(result):
    """The findings by check."""
    return {line["check"]: line for line in result.json}


def test_all_is_well(paired):
    alice, bob = paired
    result = alice.ctl("--json", "doctor")
    checks = findings(result)
    assert {"socket", "daemon", "clock", "disk", "keys", "listener", "encryption", "peer bob"} <= set(checks)
    assert all(check["ok"] for check in checks.values())
    can = alice.rpc("status")["suites"] == [1, 2]
    assert ("remedy" in checks["encryption"]) != can
    assert checks["encryption"]["finding"].startswith("post-quantum") == can
    assert checks["peer bob"]["finding"] == "online, verified"
    assert {name for name, check in checks.items() if "remedy" in check} <= {"clock", "encryption"}
    assert "WRONG" not in alice.ctl("doctor").out
    assert alice.ctl("-q", "doctor").out == ""


def test_no_daemon(home):
    result = run(P2PCHATCTL, "-s", home / "nowhere.sock", "doctor", home=home, expect=69)
    assert "WRONG  socket" in result.out and "No such file or directory" in result.out
    assert f"start it: p2pchatd --control {home}/nowhere.sock, with its --state-dir" in result.out


def test_a_key_that_others_can_read(paired):
    alice, _ = paired
    key = alice.state / "identity.pem"
    key.chmod(0o644)
    shown = alice.ctl("-q", "doctor", expect=69).out
    assert f"WRONG  keys       {key} can be read or written by others (mode 0644)" in shown
    assert f"what to do: chmod 600 {key}" in shown
    key.chmod(0o600)
    alice.ctl("doctor")


def test_a_peer_that_is_offline(alice):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    eventually(lambda: alice.peer("bob").get("last_error"), "an error")
    finding = findings(alice.ctl("--json", "doctor"))["peer bob"]
    assert (finding["level"], finding["ok"]) == ("note", True)
    assert "127.0.0.1:1: " in finding["finding"]
    assert alice.peer("bob")["last_error"] in finding["finding"]
    assert "p2pchatctl peer connect bob" in finding["remedy"]


def test_a_peer_without_an_address(alice):
    alice.ctl("peer", "add", "bob", "--fingerprint", "SHA256:" + "A" * 43)
    finding = findings(alice.ctl("--json", "doctor"))["peer bob"]
    assert finding["level"] == "note"
    assert "no address" in finding["finding"]
    assert "p2pchatctl peer set bob ADDRESS" in finding["remedy"]


def test_a_blocked_peer_is_well(paired):
    alice, _ = paired
    alice.ctl("peer", "block", "bob")
    assert findings(alice.ctl("--json", "doctor"))["peer bob"]["ok"]


@pytest.mark.parametrize("check, change, remedy", [
    ("daemon", {"version": "0.0.1"}, "end it, and start it as before"),
    ("disk", {"store": {"messages": 0, "bytes": 0, "free_bytes": 1 << 20, "directory": "/x"}},
     "make room"),
    ("listener", {"listeners": []}, "ss -ltnp 'sport = :8766'"),
    ("peer x", {"peers": [{"name": "x", "trust": "changed", "offered": "SHA256:other",
                           "addresses": ["x:1"], "link": "backoff", "queued": 0}]},
     "p2pchatctl peer accept x --fingerprint SHA256:other"),
])
def test_what_a_script_says_is_wrong(home, check, change, remedy):
    status = {**STATUS, "peers": [], **change}
    script = Script(home / "control.sock", dict(ANSWERS, status=status))
    result = run(P2PCHATCTL, "--json", "doctor", home=home, socket=home / "control.sock", expect=69)
    wrong = [finding for finding in result.json if not finding["ok"]]
    assert [finding["check"] for finding in wrong] == [check]
    assert remedy in wrong[0]["remedy"]
    script.end()


def test_changes_of_the_network_that_are_not_noticed(home):
    network = {"watched": False, "error": "Permission denied"}
    script = Script(home / "control.sock",
                    dict(ANSWERS, status=dict(STATUS, peers=[], network=network)))
    result = run(P2PCHATCTL, "--json", "doctor", home=home, socket=home / "control.sock", expect=0)
    finding = findings(result)["network"]
    assert finding["ok"] and "not noticed: Permission denied" in finding["finding"]
    assert "RestrictAddressFamilies=AF_NETLINK" in finding["remedy"]
    script.end()


def test_a_clock_that_is_behind_what_is_stored(home):
    future = {"messages": [{"time": "2999-01-01T00:00:00.000Z"}]}
    script = Script(home / "control.sock",
                    dict(ANSWERS, status=dict(STATUS, peers=[]), **{"history.list": future}))
    result = run(P2PCHATCTL, "--json", "doctor", home=home, socket=home / "control.sock", expect=69)
    clock = findings(result)["clock"]
    assert not clock["ok"] and clock["remedy"].endswith("timedatectl set-ntp true")
    script.end()
