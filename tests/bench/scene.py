"""The daemons that are measured, and those who talk to them."""

import contextlib
import subprocess

from harness import P2PCHATCTL, Daemon, Daemons, environment, pair, temporary_home

NOBODY = "SHA256:" + "A" * 43  # a key that nobody has


class Measured(Daemon):
    """A daemon that logs no more than usual."""

    @property
    def options(self):
        return [*super().options, "--log-level", "info"]

    @property
    def pid(self):
        return self.process.pid

    def command(self, *arguments):
        """How p2pchatctl is called on it."""
        return [str(word) for word in (P2PCHATCTL, "-s", self.socket, *arguments)]

    def add_nobody(self):
        """Makes a peer known that never comes, so that messages for it just stay in the store."""
        self.ctl("-q", "peer", "add", "nobody", "--fingerprint", NOBODY)

    def follow(self, *types):
        """A connection from which read_event() takes the coming events of these types."""
        reader = self.control()
        reader.call("follow", types=list(types))
        reader.read()  # follow.live
        return reader

    def feed(self, lines, *options):
        """A call that sends lines by one `send --lines`, and returns when that has ended."""
        command = self.command("-q", "send", "--lines", *options)
        return lambda: subprocess.run(command, input=lines, check=True,
                                      env=environment(self.home), stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def scene():
    """Gives start(NAME, **OPTIONS), which starts daemons that are ended afterwards."""
    with temporary_home() as home, Daemons(home) as daemons:
        def start(name, **options):
            made = Measured(name, home, **options)
            daemons.all.append(made)
            return made.start()
        yield start


@contextlib.contextmanager
def linked(**options):
    """Two daemons with a link; the first one dialled."""
    with scene() as start:
        alice, bob = start("alice", **options), start("bob", **options)
        pair(alice, bob)
        yield alice, bob
