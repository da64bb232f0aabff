"""A terminal that tests type into and look at: a program inside of tmux."""

import os
import select
import subprocess

from harness import PATIENCE_S, eventually


class Screen:
    """One program on a terminal of its own. Its exit status is shown when it has ended."""

    def __init__(self, home, command, columns=80, rows=24, environment=None):
        self.socket = home / "tmux"
        self.environment = dict(environment or {}, LC_ALL="C.UTF-8", TERM="xterm-256color",
                                SHELL="/bin/bash")  # it survives a ^C that its program takes
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "PATH"):
            if name in os.environ:
                self.environment.setdefault(name, os.environ[name])
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows,
                  f"{command}; echo exit status $?; read forever")

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *map(str, arguments)],
                              env=self.environment, capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def lines(self, *options):
        """What is on the screen, without empty lines at its end; `options` are capture-pane's."""
        return self.tmux("capture-pane", "-p", *options).rstrip("\n").split("\n")

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def key(self, *names):
        """Presses keys by their tmux names: Enter, C-c, Up …"""
        self.tmux("send-keys", *names)

    def enter(self, text):
        self.type(text)
        self.key("Enter")

    def paste(self, text):
        """Pastes as a terminal emulator does, in brackets if the program asked for them."""
        self.tmux("set-buffer", "--", text)
        self.tmux("paste-buffer", "-p")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def expect_line(self, wanted, what=None):
        """Waits until the screen has a line that is `wanted`, or for which wanted(line) is true."""
        matches = wanted if callable(wanted) else lambda line: line == wanted
        try:
            eventually(lambda: any(map(matches, self.lines())), "the line")
        except AssertionError:
            raise AssertionError("on the screen:\n" + "\n".join(self.lines()) +
                                 f"\nbut no line {what or wanted}") from None

    def end(self):
        """Ends it, and waits until nothing of it is left in the test's folder."""
        server = os.pidfd_open(int(self.tmux("display-message", "-p", "#{pid}")))
        self.tmux("kill-server")
        select.select([server], [], [], PATIENCE_S)
        os.close(server)
