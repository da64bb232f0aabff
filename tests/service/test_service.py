"""The system service: how it comes up, goes on, and comes back."""

import subprocess

import pytest

from machine import PATIENCE_S, eventually

CONFIG = "/etc/p2pchat/p2pchatd.conf"


@pytest.fixture
def server(machine):
    """A machine with the service running."""
    machine.systemctl("enable", "--now", "p2pchatd")
    return machine


def override(machine, *lines):
    machine.write("/etc/systemd/system/p2pchatd.service.d/test.conf",
                  "\n".join(["[Service]", *lines, ""]))
    machine.systemctl("daemon-reload")


def level(machine):
    return machine.ctl("rpc", "log.level").out


def add_unreachable(machine, name="bob"):
    machine.ctl("peer", "add", name, "[2001:db8::1]:8766")



# --- coming up ---


def test_status_right_after_enabling_tells_what_to_do_next(machine):
    machine.systemctl("enable", "--now", "p2pchatd")
    out = machine.ctl("status").out
    assert "SHA256:" in out
    assert "p2pchatctl invite NAME" in out


def test_installing_says_how_to_start_it(machine):
    out = machine.run("make", "-s", "-C", machine.build, "install").out
    assert "systemctl enable --now p2pchatd" in out


def test_enabled_it_starts_with_the_machine(machine):
    machine.systemctl("enable", "p2pchatd")
    assert machine.show("ActiveState") == "inactive"
    machine.systemctl("start", "multi-user.target")
    machine.wait_for("ActiveState", "active")


def test_started_means_ready(server):
    assert server.show("ActiveState") == "active"
    assert server.show("StatusText") == "0 of 0 peers online"


def test_the_first_call_starts_it(machine):
    machine.systemctl("enable", "--now", "p2pchatd.socket")
    assert machine.show("ActiveState") == "inactive"
    assert "SHA256:" in machine.ctl("status").out
    assert machine.show("ActiveState") == "active"


def test_the_first_peer_starts_it(machine):
    machine.systemctl("enable", "--now", "p2pchatd-peer.socket")
    assert machine.show("ActiveState") == "inactive"
    machine.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8766")
    machine.wait_for("ActiveState", "active")


def test_both_families_are_listened_on(server):
    for address in ("127.0.0.1", "::1"):
        server.run("bash", "-c", f"exec 3<>/dev/tcp/{address}/8766")


def test_it_listens_by_its_own_configuration_when_the_socket_is_masked(machine):
    machine.systemctl("mask", "p2pchatd-peer.socket")
    machine.write(CONFIG, 'listen = {"127.0.0.1:4321"}\n')
    machine.systemctl("start", "p2pchatd")
    assert "127.0.0.1:4321" in machine.ctl("status").out


def test_a_bad_configuration_is_not_tried_again_and_again(machine):
    machine.write(CONFIG, "no-such-key = 1\n")
    machine.systemctl("start", "p2pchatd", expect=1)
    assert machine.show("ExecMainStatus") == "78"
    assert machine.show("NRestarts") == "0"
    [entry] = machine.journal("P2PCHAT_EVENT=start-failed")
    assert f"{CONFIG}:1:" in entry["MESSAGE"]


# --- whose it is ---


def test_it_has_a_user_of_its_own_and_its_state_for_itself(server):
    assert server.show("UID") == server.uid("p2pchat")
    out = server.run("find", "/var/lib/p2pchat", "-printf", "%u %m %f\n").out
    for line in out.splitlines():
        user, mode, _ = line.split()
        assert user == "p2pchat"
        assert mode in ("700", "600")


def test_its_configuration_is_not_its_own(server):
    assert server.run("stat", "-c", "%U %a", "/etc/p2pchat").out == "root 755\n"


def test_its_group_may_use_it_and_others_are_told_about_the_group(server):
    server.run("useradd", "--groups", "p2pchat", "member")
    server.run("useradd", "stranger")
    assert "SHA256:" in server.ctl("status", user="member").out
    refused = server.ctl("peer", "add", "bob", "192.0.2.1", user="member", expect=77)
    assert "root" in refused.err
    refused = server.ctl("status", user="stranger", expect=69)
    assert "group p2pchat" in refused.err


def test_its_users_are_different_people_to_it(server):
    """The same client_id of two users names two messages, as the numbers of users are told apart."""
    add_unreachable(server)
    for user in ("first", "second"):
        server.run("useradd", "--groups", "p2pchat", user)
    sent = [server.ctl("send", "-p", "bob", "--client-id", "report", f"from {user}", user=user).out
            for user in ("first", "second")]
    assert sent[0] != sent[1]


# --- reloading ---


def test_a_reload_takes_a_good_configuration(server):
    pid = server.show("MainPID")
    server.write(CONFIG, "log-level = debug\n")
    server.systemctl("reload", "p2pchatd")
    assert "debug" in level(server)  # at once: it returns when it is done
    assert server.show("MainPID") == pid


def test_a_reload_leaves_a_bad_configuration(server):
    server.write(CONFIG, "log-level = debug\n")
    server.systemctl("reload", "p2pchatd")
    server.write(CONFIG, "log-level = loud\n")
    server.systemctl("reload", "p2pchatd", expect=1)
    assert f"{CONFIG}:1: log-level: 'loud' is not" in server.journalctl("-u", "p2pchatd")
    assert "debug" in level(server)
    server.run("kill", "-HUP", server.show("MainPID"))
    first, second = eventually(lambda: len(found := server.journal("P2PCHAT_EVENT=reload-failed")) == 2
                               and found, "the complaint about both")
    assert f"{CONFIG}:1:" in first["MESSAGE"] and f"{CONFIG}:1:" in second["MESSAGE"]
    assert server.show("ActiveState") == "active"
    assert "debug" in level(server)


def test_a_reload_takes_a_folder_that_was_put_in_the_place_of_the_old_one(server):
    server.run("mv", "/etc/p2pchat", "/etc/p2pchat.old")
    server.write(CONFIG, "log-level = debug\n")
    server.systemctl("reload", "p2pchatd")
    assert "debug" in level(server)


def test_a_control_socket_that_was_deleted_can_be_made_again(server):
    server.run("rm", "/run/p2pchat/control.sock")
    told = server.ctl("status", expect=69).err
    assert told.endswith("its socket was deleted: systemctl restart p2pchatd.socket)\n")
    server.systemctl("restart", "p2pchatd.socket")
    assert "SHA256:" in server.ctl("status").out


# --- coming back ---


def test_the_watchdog_ends_a_daemon_that_hangs(server):
    override(server, "WatchdogSec=5", "TimeoutAbortSec=1")
    server.systemctl("restart", "p2pchatd")
    server.run("kill", "-STOP", server.show("MainPID"))
    eventually(lambda: server.show("NRestarts") != "0", "a restart")
    server.wait_for("ActiveState", "active")
    assert server.journal("UNIT=p2pchatd.service", "UNIT_RESULT=watchdog")
    assert "SHA256:" in server.ctl("status").out


def test_it_comes_back_after_a_kill_with_all_it_had_accepted(server):
    add_unreachable(server)
    id = server.ctl("send", "-p", "bob", "kept").out.strip()
    server.run("kill", "-KILL", server.show("MainPID"))
    server.wait_for("NRestarts", "1")
    assert id in server.ctl("--json", "queue").out


def test_a_restart_under_load_loses_nothing_and_repeats_nothing(server):
    """As an upgrade does it. A client that is turned away tries again with the same client id."""
    add_unreachable(server)
    load = server.start("bash", "-c", """
        for i in $(seq 100); do
            until p2pchatctl -q send -p bob --client-id "load-$i" "text $i"; do :; done
        done""", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(4):
        server.systemctl("restart", "p2pchatd")
    _, complaints = load.communicate(timeout=5 * PATIENCE_S)
    assert load.returncode == 0
    assert b"refused" not in complaints and b"No such file" not in complaints
    out = server.ctl("history", "-n", "all", "-o", "cat").out
    assert out.split("\n") == [*(f"text {i}" for i in range(1, 101)), ""]


def test_stopped_it_keeps_its_sockets_for_the_next_call(server):
    server.systemctl("stop", "p2pchatd")
    assert server.show("ActiveState") == "inactive"
    assert server.show("ActiveState", "p2pchatd.socket") == "active"
    assert "SHA256:" in server.ctl("status").out


def test_a_socket_that_is_restarted_takes_the_daemon_along(server):
    """Whoever edits one restarts it: it must not find the daemon on its own address."""
    before = server.show("MainPID")
    server.systemctl("restart", "p2pchatd-peer.socket")
    server.wait_for("ActiveState", "active")
    assert server.show("MainPID") != before
    assert server.show("ActiveState", "p2pchatd-peer.socket") == "active"
    assert server.ctl("status").status == 0


def test_disabled_with_its_sockets_it_stays_away(server):
    server.systemctl("disable", "--now", "p2pchatd", "p2pchatd.socket", "p2pchatd-peer.socket")
    refused = server.ctl("status", expect=69)
    assert "systemctl" in refused.err
