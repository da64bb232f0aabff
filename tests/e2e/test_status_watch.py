"""`status --watch` shows each change when it happens."""

import re
import signal
import subprocess

from harness import P2PCHATCTL, PATIENCE_S, environment, eventually
from screen import Screen


def test_each_change_is_a_line_of_json(paired):
    alice, bob = paired
    client = alice.client("--json", "status", "--watch")
    assert [peer["link"] for peer in client.next_json()["peers"]] == ["online"]
    bob.stop()
    while client.next_json()["peers"][0]["link"] == "online":
        pass
    alice.ctl("send", "-p", "bob", "x")
    while client.next_json()["queue"]["messages"] != 1:
        pass
    bob.start()
    while client.next_json()["queue"]["messages"] != 0:
        pass
    client.process.send_signal(signal.SIGINT)
    while client.next() is not None:
        pass
    client.wait(expect=130)


def test_it_goes_on_after_a_restart_of_the_daemon(paired):
    alice, bob = paired
    client = alice.client("--json", "status", "--watch")
    client.next_json()
    alice.restart()
    alice.wait_online(bob)
    bob.stop()
    while "last_error" not in client.next_json()["peers"][0]:
        pass


def test_it_ends_when_nobody_reads(alice):
    command = f"{P2PCHATCTL} -s {alice.socket} --json status --watch | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                          env=environment(alice.home), timeout=PATIENCE_S)
    assert done.stdout.splitlines()[1:] == ["0"]
    assert done.stderr == ""


def one_with(lines, row):
    """Whether exactly one status is shown, with such a row."""
    return (sum("fingerprint" in line for line in lines) == 1 and
            any(re.match(row, line) for line in lines))


def test_a_terminal_shows_the_last_one_only(paired):
    alice, bob = paired
    screen = Screen(alice.home, f"{P2PCHATCTL} -s {alice.socket} status --watch", columns=100,
                    environment=environment(alice.home))
    try:
        screen.expect_line(lambda line: re.match(r"bob +online +verified +0", line))
        bob.stop()
        eventually(lambda: one_with(screen.lines(), r"bob +(backoff|connecting|offline) "),
                   "the new status in the place of the old one")
        screen.key("C-c")
        screen.expect_line(lambda line: line.endswith("exit status 130"))
    finally:
        screen.end()
