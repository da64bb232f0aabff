"""Those who carry lines from one end to the other, p2pchat among them, all used in the same way."""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile

from harness import BUILD, claim_address, environment, eventually, temporary_home
from process import processor_seconds
from scene import linked

REFERENCE = BUILD / "tests" / "bench" / "reference"
CLIENT = BUILD / "tests" / "bench" / "reference_client"


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Rival:
    """Processes that run on, one of them the reader, and a command that reads lines to send."""

    def __init__(self, home, daemons, reader, command, slowness=1):
        self.home, self.daemons, self.reader, self.command = home, daemons, reader, command
        self.slowness = slowness  # it gets so many times less to carry

    def carry(self, text):
        """Returns when all lines have come out, and the command that sent them has ended."""
        with tempfile.TemporaryFile() as file:
            file.write(text)
            file.seek(0)
            sender = subprocess.Popen(self.command, stdin=file, stdout=subprocess.DEVNULL,
                                      env=environment(self.home))
            self.expect(text)
        assert sender.wait() == 0, self.command

    def expect(self, text):
        seen = bytearray()
        while len(seen) < len(text):
            seen += os.read(self.reader.stdout.fileno(), 1 << 20) or b"\0" * len(text)
        assert seen == text, f"{self.command[0]}: not what was sent"

    def seconds(self):
        """Processor time of all its processes so far."""
        return children_seconds() + sum(map(processor_seconds, [*self.daemons, self.reader.pid]))


@contextlib.contextmanager
def running(home, *words):
    process = subprocess.Popen(list(map(str, words)), cwd=home, env=environment(home),
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def p2pchat():
    with linked() as (alice, bob):
        alice.ctl("-q", "send", "-p", "bob", "--wait", "first")
        with running(bob.home, *bob.command("follow", "-o", "cat", "-n", "all")) as reader:
            made = Rival(alice.home, [alice.pid, bob.pid], reader,
                         alice.command("-q", "send", "--lines", "-p", "bob"))
            made.alice, made.bob = alice, bob
            made.expect(b"first\n")  # it listens now
            yield made


@contextlib.contextmanager
def reference():
    with temporary_home() as home, running(home, REFERENCE, home) as pair:
        daemons = [int(word) for word in pair.stdout.readline().split()]
        with running(home, CLIENT, "follow", home / "out") as reader:
            made = Rival(home, daemons, reader, [CLIENT, "delivered", home / "in"])
            made.expect(b"\n")
            yield made


@contextlib.contextmanager
def mosquitto(saved):
    """QoS 1. Saved: it writes its database whenever something has changed, though without a sync."""
    if shutil.which("mosquitto_sub") is None or not os.access("/usr/sbin/mosquitto", os.X_OK):
        yield None
        return
    with temporary_home() as home:
        socket = home / "socket"
        config = home / "mosquitto.conf"
        config.write_text(f"listener 0 {socket}\nallow_anonymous true\nuser root\n"
                          "max_queued_messages 0\nmax_inflight_messages 0\n" +
                          (f"persistence true\npersistence_location {home}/\n"
                           "autosave_on_changes true\nautosave_interval 1\n" if saved else ""))
        subscribe = ["mosquitto_sub", "--unix", socket, "-q", "1", "-t", "t", "-c", "-i", "reader"]
        with running(home, "/usr/sbin/mosquitto", "-c", config) as broker:
            eventually(socket.exists, "mosquitto")
            subprocess.run([*subscribe, "-E"], check=True, capture_output=True)
            with running(home, *subscribe) as reader:
                yield Rival(home, [broker.pid], reader, ["mosquitto_pub", "--unix", str(socket),
                                                         "-q", "1", "-t", "t", "-l"], 20 if saved else 1)


@contextlib.contextmanager
def ncat():
    """Promises nothing."""
    if shutil.which("ncat") is None:
        yield None
        return
    with temporary_home() as home, claim_address() as claim:
        place = [claim.getsockname()[0], "8766"]
        command = ["ncat", "--send-only", *place]
        with running(home, "ncat", "-l", "-k", "--recv-only", *place) as reader:
            eventually(lambda: subprocess.run(command, stdin=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL).returncode == 0, "ncat")
            yield Rival(home, [], reader, command)
