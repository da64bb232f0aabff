"""What is in contrib/ does what it says, with the real client and real daemons."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import BUILD, P2PCHATD, PATIENCE_S, environment, eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRIB = ROOT / "contrib"


@pytest.fixture
def tools(home):
    """A folder that is first in the PATH of the scripts: tools.fake(NAME, SCRIPT) stands in for a
    program, tools.run(DAEMON, SCRIPT, …) runs one of ours."""
    folder = home / "tools"
    folder.mkdir()

    class Tools:
        log = folder / "log"
        processes = []

        @staticmethod
        def fake(name, script):
            path = folder / name
            path.write_text("#!/bin/sh\n" + script)
            path.chmod(0o755)

        @staticmethod
        def environment(daemon, **more):
            ours = environment(daemon.home)
            return dict(ours, PATH=f"{folder}:{BUILD}:{ours['PATH']}", LOG=str(Tools.log),
                        P2PCHAT_SOCKET=str(daemon.socket), **more)

        @staticmethod
        def run(daemon, script, *arguments, expect=0, **more):
            done = subprocess.run([CONTRIB / script, *map(str, arguments)], text=True,
                                  env=Tools.environment(daemon, **more), capture_output=True,
                                  timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
            assert done.returncode == expect, done.stderr
            return done

        @staticmethod
        def follow(daemon, script, *options):
            """Runs a script for each message that comes in."""
            process = subprocess.Popen(["p2pchatctl", "follow", "--exec", CONTRIB / script, *options],
                                       env=Tools.environment(daemon), start_new_session=True)
            Tools.processes.append(process)
            eventually(lambda: daemon.rpc("status")["followers"], "a follower")
            return process

        @staticmethod
        def end(process):
            """Ends a script with all that it started, at once."""
            os.killpg(process.pid, 9)
            process.wait()
            Tools.processes.remove(process)

        @staticmethod
        def lines():
            return Tools.log.read_text().splitlines() if Tools.log.exists() else []

    yield Tools
    for process in list(Tools.processes):
        Tools.end(process)


# --- p2pchat-notify -----------------------------------------------------------------------------------

SHOW = r"""printf '%s|' "$@" >> "$LOG"; echo >> "$LOG" """


def test_notify_shows_what_comes_in_as_text(paired, tools):
    alice, bob = paired
    tools.fake("notify-send", SHOW)
    tools.follow(bob, "p2pchat-notify")
    alice.ctl("send", "-p", "bob", "--wait", "<b>not bold</b> & $(touch gone)")
    eventually(tools.lines, "a notification")
    assert tools.lines() == ["-a|p2pchat|-c|im.received|--|alice|&lt;b&gt;not bold&lt;/b&gt; &amp; "
                             "$(touch gone)|"]


def test_notify_goes_on_when_a_notification_fails(paired, tools):
    alice, bob = paired
    tools.fake("notify-send", SHOW + "; exit 1")
    tools.follow(bob, "p2pchat-notify")
    alice.ctl("send", "-p", "bob", "one")
    alice.ctl("send", "-p", "bob", "two")
    eventually(lambda: len(tools.lines()) == 2, "both notifications")


# --- p2pchat-tmux -------------------------------------------------------------------------------------

def test_tmux_line_tells_who_is_there_and_what_waits(paired, tools, stranger):
    alice, _ = paired
    line = lambda: tools.run(alice, "p2pchat-tmux").stdout
    assert line() == "p2pchat 1/1\n"
    alice.ctl("peer", "add", "carol", "--fingerprint", stranger)
    alice.ctl("send", "-p", "carol", "when you are back")
    assert line() == "p2pchat 1/2 +1\n"


@pytest.fixture
def stranger(daemon):
    """The fingerprint of somebody who is never online."""
    return daemon("carol").fingerprint


def test_tmux_line_counts_those_who_ask(alice, bob, tools):
    alice.add(bob)
    eventually(lambda: bob.rpc("status")["requests"] == 1, "the request")
    assert tools.run(bob, "p2pchat-tmux").stdout == "p2pchat 0/0 ?1\n"


def test_tmux_line_without_a_daemon(alice, tools):
    alice.stop()
    assert tools.run(alice, "p2pchat-tmux").stdout == "p2pchat off\n"


# --- p2pchat-unit-alert -------------------------------------------------------------------------------

SYSTEMCTL = r"""
case $1 in
show) echo "$INVOCATION" ;;
status) printf '× job.service - A job\n   %s\n' "$*"; exit 3 ;;
esac
"""


def test_alert_tells_a_failure_once_with_its_log(paired, tools):
    alice, bob = paired
    tools.fake("systemctl", SYSTEMCTL)
    alert = lambda invocation: tools.run(alice, "p2pchat-unit-alert", "job.service",
                                         P2PCHAT_ALERT_PEER="bob", INVOCATION=invocation)
    assert alert("1234").stdout == alert("1234").stdout != alert("5678").stdout
    eventually(lambda: len(bob.received()) == 2, "two alerts")
    first = bob.received()[0].splitlines()
    assert first == [f"job.service failed on {os.uname().nodename}", "× job.service - A job",
                     "   status --no-pager --full --lines 20 -- job.service"]


def test_alert_sends_a_log_that_is_not_utf8(paired, tools):
    alice, bob = paired
    tools.fake("systemctl", r"""[ "$1" = show ] || printf 'bad \377 byte\n'""")
    tools.run(alice, "p2pchat-unit-alert", "job.service")
    eventually(bob.received, "the alert")
    assert "bad  byte" in bob.received()[0]


def test_alert_sends_what_fits_of_a_long_log(paired, tools):
    """The last character that would fit is cut in two."""
    alice, bob = paired
    head = f"job.service failed on {os.uname().nodename}\n"
    pad = "x" * (1 + (60000 - len(head)) % 2)
    tools.fake("systemctl", f"""[ "$1" = show ] || {{ printf {pad}; yes é | head -n 40000 | tr -d '\\n'; }}""")
    tools.run(alice, "p2pchat-unit-alert", "job.service")
    eventually(bob.received, "the alert")
    assert bob.received()[0] == head + pad + "é" * ((60000 - len(head) - len(pad)) // 2)


def test_alert_fails_when_it_could_not_tell(alice, tools):
    tools.fake("systemctl", SYSTEMCTL)
    alice.stop()
    tools.run(alice, "p2pchat-unit-alert", "job.service", INVOCATION="1", expect=69)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_alert_unit_is_right_in_systemd_s_eyes(tmp_path):
    unit = (CONTRIB / "p2pchat-alert@.service.in").read_text()
    (tmp_path / "p2pchat-alert@.service").write_text(
        re.sub(r"@docdir@/examples", str(CONTRIB), unit))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                           tmp_path / "p2pchat-alert@job.service"],
                          text=True, capture_output=True, env=dict(os.environ, SYSTEMD_UNIT_PATH=f"{tmp_path}:"))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# --- p2pchat-bot --------------------------------------------------------------------------------------

def answers(daemon):
    return [m for m in daemon.history(limit=1000) if m["direction"] == "out"]


def test_bot_answers_commands_and_nothing_else(paired, tools):
    alice, bob = paired
    tools.follow(bob, "p2pchat-bot")
    for text in ("!ping", "hello", "pong", "!help", "!no such command", "!", " !ping"):
        alice.ctl("send", "-p", "bob", "--wait", text)
    known = "I know: !ping, !uptime, !disk"
    eventually(lambda: alice.received() == ["pong", known, known, known], "the answers")


def test_bot_answers_what_came_while_it_was_away(paired, tools):
    alice, bob = paired
    first = tools.follow(bob, "p2pchat-bot", "--consumer", "bot")
    alice.ctl("send", "-p", "bob", "--wait", "!ping")
    eventually(lambda: alice.received() == ["pong"], "the first answer")
    tools.end(first)
    alice.ctl("send", "-p", "bob", "--wait", "!disk")
    tools.follow(bob, "p2pchat-bot", "--consumer", "bot")
    eventually(lambda: len(alice.received()) == 2, "the second answer")
    assert "/" in alice.received()[1]


def test_bot_answers_nothing_twice(paired, tools):
    alice, bob = paired
    id = alice.ctl("send", "-p", "bob", "--wait", "!ping").out.strip()
    for _ in range(3):
        subprocess.run([CONTRIB / "p2pchat-bot"], input=b"!ping", check=True,
                       env=tools.environment(bob, P2PCHAT_FINGERPRINT=alice.fingerprint,
                                             P2PCHAT_ID=id))
    assert [m["body"] for m in answers(bob)] == ["pong"]


def test_bot_is_not_stuck_on_a_peer_that_was_removed(paired, tools, daemon):
    alice, bob = paired
    carol = daemon("carol")
    carol.add(bob)
    bob.add(carol)
    carol.ctl("send", "-p", "bob", "--wait", "!ping")
    bob.ctl("peer", "remove", "carol")
    alice.ctl("send", "-p", "bob", "--wait", "!ping")
    tools.follow(bob, "p2pchat-bot", "--consumer", "bot", "--after", "0")
    eventually(lambda: alice.received() == ["pong"], "the answer to who is still there")


# --- p2pchat-folder-backup -----------------------------------------------------------------------------------

@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "file").write_text("precious")
    return folder


def test_backup_reports_success_and_is_complete(paired, tools, source, tmp_path):
    alice, bob = paired
    target = tmp_path / "target"
    target.mkdir()
    tools.run(alice, "p2pchat-folder-backup", target, source, P2PCHAT_BACKUP_PEER="bob")
    [made] = target.iterdir()
    assert re.fullmatch(r"backup-\d{8}-\d{6}\.tar\.gz", made.name)
    names = subprocess.run(["tar", "-tzf", made], text=True, capture_output=True, check=True).stdout
    assert any(name.endswith("source/file") for name in names.splitlines())
    eventually(bob.received, "the report")
    assert re.fullmatch(rf"Backup of {source} on \S+: \S+ in \d+ s, {made}", bob.received()[0])


def test_backup_reports_failure_and_leaves_nothing_half(paired, tools, source, tmp_path):
    alice, bob = paired
    target = tmp_path / "target"
    target.mkdir()
    tools.run(alice, "p2pchat-folder-backup", target, source, tmp_path / "missing", expect=1)
    assert list(target.iterdir()) == []
    eventually(bob.received, "the report")
    report = bob.received()[0].splitlines()
    assert report[0].endswith("FAILED:") and any("missing" in line for line in report)


def test_no_script_is_taken_for_the_backup_of_p2pchat(tools):
    """Whoever looks for that finds the way to it."""
    assert not (CONTRIB / "p2pchat-backup").exists()
    for place in ("README.md", "p2pchat-folder-backup"):
        assert "p2pchatd --backup" in (CONTRIB / place).read_text()


def test_backup_says_when_its_report_is_not_safe(alice, tools, source, tmp_path):
    alice.stop()
    tools.run(alice, "p2pchat-folder-backup", tmp_path, source, expect=69)


# --- p2pchatd.conf ------------------------------------------------------------------------------------

def printed(config, home, name="p2pchatd.conf"):
    """The settings in effect with this text as configuration."""
    path = home / name
    path.write_text(config)
    done = subprocess.run([P2PCHATD, "-T", "-c", path], text=True, capture_output=True,
                          env=dict(environment(home), XDG_RUNTIME_DIR=str(home)))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def sample():
    """The sample as `make` makes it."""
    return subprocess.run(["awk", "-f", CONTRIB / "sample-config.awk",
                           ROOT / "src/daemon/settings.def"],
                          text=True, capture_output=True, check=True).stdout


def test_sample_configuration_says_nothing_until_it_is_edited(sample, home):
    assert re.findall(r"^[^#\n].*", sample, re.MULTILINE) == []
    assert printed(sample, home) == printed("", home, "empty")


def test_sample_configuration_has_every_setting_with_its_default(sample, home):
    settings = re.sub(r"^#(?=[a-z-]+ = )", "", sample, flags=re.MULTILINE)
    effective = printed("", home, "empty")
    assert printed(settings, home) == effective
    assert re.findall(r"^([a-z-]+) = ", settings, re.MULTILINE) == \
        re.findall(r"^([a-z-]+) = ", effective, re.MULTILINE)


def test_sample_configuration_explains_every_setting(sample):
    for part in sample.split("\n\n")[1:]:
        assert part.splitlines()[0].startswith("# "), part
        assert all(len(line) <= 80 for line in part.splitlines())
