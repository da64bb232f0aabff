"""The service of a user, under the user's own manager."""

import pytest

from machine import eventually


@pytest.fixture
def home(machine):
    """A machine where the user "alice" has logged in, and where some other service was started in a
    sandbox before, as it is on every machine: that is what makes /run/systemd/unit-root."""
    machine.run("systemd-run", "--quiet", "--wait", "--property=PrivateTmp=yes", "true")
    machine.run("useradd", "--create-home", "alice")
    machine.systemctl("start", f"user@{machine.uid('alice')}.service")
    return machine


def systemctl(machine, *arguments, **options):
    return machine.systemctl("--user", *arguments, user="alice", **options)


def test_status_right_after_enabling_tells_what_to_do_next(home):
    systemctl(home, "enable", "--now", "p2pchatd")
    out = home.ctl("status", user="alice").out
    assert "p2pchatctl invite NAME" in out
    assert home.show("StatusText", user="alice") == "0 of 0 peers online"


def test_the_first_call_starts_it(home):
    systemctl(home, "start", "p2pchatd.socket")
    assert home.show("ActiveState", user="alice") == "inactive"
    assert "SHA256:" in home.ctl("status", user="alice").out
    assert home.show("ActiveState", user="alice") == "active"


def test_it_belongs_to_the_user_alone(home):
    systemctl(home, "start", "p2pchatd")
    out = home.run("find", "/home/alice", "-name", "identity.pem", "-printf", "%u %m %p\n").out
    assert out == "alice 600 /home/alice/.local/state/p2pchat/identity.pem\n"
    run = f"/run/user/{home.uid('alice')}/p2pchat"
    assert home.run("stat", "-c", "%U %a", run, f"{run}/control.sock").out == \
        "alice 700\nalice 600\n"


def test_it_has_the_state_of_a_daemon_that_was_started_by_hand(home):
    home.start("p2pchatd", "--listen", "127.0.0.1:0", user="alice")
    by_hand = eventually(lambda: home.ctl("-q", "fingerprint", user="alice", expect=None).out,
                         "the daemon")
    home.ctl("rpc", "daemon.stop", user="alice")
    systemctl(home, "restart", "p2pchatd")
    assert home.ctl("-q", "fingerprint", user="alice").out == by_hand


def test_what_an_earlier_version_kept_elsewhere_comes_over(home):
    """Under Debian 12 it was in ~/.config. It was killed, so that part of it is in the log."""
    former = "/home/alice/.config/p2pchat"
    started = f"echo $$ > pid; exec p2pchatd --listen 127.0.0.1:0 --state-dir {former}"
    before = home.start("sh", "-c", f"cd; {started}", user="alice")
    fingerprint = eventually(
        lambda: home.ctl("-q", "fingerprint", user="alice", expect=None).out, "the daemon")
    home.ctl("peer", "add", "bob", "192.0.2.1", user="alice")
    home.ctl("send", "-p", "bob", "hello", user="alice")
    home.run("kill", "-KILL", home.path("/home/alice/pid").read_text().strip())
    before.wait()
    home.run("rm", f"/run/user/{home.uid('alice')}/p2pchat/control.sock")
    home.run("touch", f"{former}/p2pchatd.conf", user="alice")
    systemctl(home, "start", "p2pchatd")
    assert home.ctl("-q", "fingerprint", user="alice").out == fingerprint
    assert "hello" in home.ctl("queue", user="alice").out
    left = home.run("ls", former).out.split()
    assert "p2pchatd.conf" in left and not [name for name in left if name.startswith("p2pchat.db")]


def test_beside_the_daemon_of_the_machine_it_ends_once_and_says_why(home):
    home.systemctl("start", "p2pchatd")
    systemctl(home, "start", "p2pchatd.socket")
    refused = home.ctl("status", user="alice", expect=69)
    assert "journalctl --user -u p2pchatd" in refused.err
    eventually(lambda: home.show("Result", user="alice") == "exit-code", "the end")
    said = home.journalctl("_SYSTEMD_USER_UNIT=p2pchatd.service", "-o", "cat")
    assert said.count("can't listen on [::]:8766: another program listens there") == 1
    assert "this machine has a p2pchatd of its own" in said
    assert "systemctl --user edit p2pchatd-peer.socket" in said
    assert home.show("NRestarts", user="alice") == "0"
    assert home.show("ActiveState", "p2pchatd.socket", user="alice") == "active"


def test_what_decides_where_peers_connect_is_printed_with_the_settings(home):
    for user, command in (("alice", "systemctl --user cat"), (None, "systemctl cat")):
        shown = home.run("p2pchatd", "-T", user=user).out
        assert f"decides instead: {command} p2pchatd-peer.socket\nlisten = " in shown


def test_it_is_confined_as_well(home):
    systemctl(home, "start", "p2pchatd")
    pid = home.show("MainPID", user="alice")
    status = home.path(f"/proc/{pid}/status").read_text()
    assert "NoNewPrivs:\t1\n" in status
    assert "Seccomp:\t2\n" in status
    for stray in ("/home/alice/stray", "/etc/stray"):
        refused = home.run("touch", f"/proc/{pid}/root{stray}", expect=1)
        assert "Read-only" in refused.err


def test_it_comes_back_after_a_kill(home):
    systemctl(home, "start", "p2pchatd")
    home.run("kill", "-KILL", home.show("MainPID", user="alice"))
    eventually(lambda: home.show("NRestarts", user="alice") == "1", "the restart")
    assert "SHA256:" in home.ctl("status", user="alice").out


def test_its_log_is_in_the_user_s_journal(home):
    systemctl(home, "start", "p2pchatd")
    [entry] = home.journal("P2PCHAT_EVENT=ready")
    assert entry["_SYSTEMD_USER_UNIT"] == "p2pchatd.service"
