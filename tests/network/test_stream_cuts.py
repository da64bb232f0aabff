"""Streams over a network that goes away in the middle: nothing lost, nothing doubled, or a clear end."""

import getpass
import hashlib
import os
import random
import shlex
import shutil
import subprocess
import threading
import time

import pytest

from harness import P2PCHATCTL, environment, eventually

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")
PATIENCE_S = 180


def provided(machine, name):
    return any(service["name"] == name and service["provided"]
               for service in machine.rpc("service.list")["services"])


@pytest.fixture
def serve():
    """serve(MACHINE, NAME, *OPTIONS): provides a service there until the end of the test."""
    running = []

    def start(machine, name, *options):
        running.append(subprocess.Popen(
            [P2PCHATCTL, "-s", machine.socket, "serve", name, *options],
            env=environment(machine.home), stderr=subprocess.DEVNULL))
        eventually(lambda: provided(machine, name), f"service {name}")

    yield start
    for process in running:
        process.kill()
        process.wait()


class Echo:
    """Bytes to a service that says them again, and what came back."""

    def __init__(self, machine, peer, size):
        self.data = random.randbytes(size)
        self.process = subprocess.Popen(
            [P2PCHATCTL, "-s", machine.socket, "stream", peer, "echo"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(machine.home))

    def start(self):
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        self.out, self.err = self.process.communicate(self.data, timeout=PATIENCE_S)

    def finish(self):
        self.thread.join()
        assert self.process.returncode == 0, self.err
        assert hashlib.sha256(self.out).digest() == hashlib.sha256(self.data).digest()


def test_transfers_go_on_after_half_a_minute_without_network(linked, serve, deep, result):
    """Whatever was on its way when the wire was cut: every byte arrives once."""
    alice, bob, wire = linked
    serve(bob, "echo", "-p", "alice", "--trust", "tofu", "--exec", "cat")
    wire.set(rate=2000000)
    offsets = 1000 if deep else 20
    per_cut = 20
    for _ in range(offsets // per_cut):
        echoes = [Echo(alice, "bob", random.randrange(100000, 400000)) for _ in range(per_cut)]
        for echo in echoes:
            echo.start()
        wire.cut_after(random.choice(wire.ways), random.randrange(1, 3000000))
        assert wire.was_cut.wait(60)
        time.sleep(30)  # the silence itself is what is tested
        wire.mend()
        for echo in echoes:
            echo.finish()
    result(f"{offsets} transfers of 100 to 400 kB there and back cut for 30 s: all whole")


def test_a_stream_without_a_network_for_too_long_ends_clearly(linked, serve):
    alice, bob, wire = linked
    serve(bob, "wait", "-p", "alice", "--trust", "tofu", "--exec", "echo ready; sleep 1000")
    client = subprocess.Popen([P2PCHATCTL, "-s", alice.socket, "stream", "bob", "wait"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment(alice.home))
    assert client.stdout.readline() == b"ready\n"
    wire.set(open=False)
    _, error = client.communicate(timeout=PATIENCE_S)
    assert client.returncode == 75, error
    assert b"lost for too long" in error
    eventually(lambda: not bob.rpc("stream.list")["streams"], "the end on the other side")


@pytest.fixture
def sshd(home):
    """A command that serves one ssh connection on its standard input and output, and what a client
    needs to trust it."""
    if SSHD is None or os.geteuid() != 0:
        pytest.skip("no sshd, or not root")
    os.makedirs("/run/sshd", exist_ok=True)
    folder = home / "ssh"
    folder.mkdir(mode=0o700)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key],
                       check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    (folder / "known").write_text("bob " + (folder / "host.pub").read_text())
    (folder / "config").write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n")
    return f"{SSHD} -i -f {folder}/config", folder


def ssh_options(machine, folder):
    proxy = f"{P2PCHATCTL} -s {machine.socket} stream %h ssh"
    return ["-F", "none", "-o", f"ProxyCommand={proxy}", "-o", f"UserKnownHostsFile={folder}/known",
            "-o", f"IdentityFile={folder}/user", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
            "-o", "ServerAliveInterval=0"]


def test_ssh_and_what_travels_by_it(linked, serve, sshd, home):
    alice, bob, wire = linked
    command, folder = sshd
    serve(bob, "ssh", "-p", "alice", "--trust", "tofu", "--exec", command)
    options = ssh_options(alice, folder)
    user = getpass.getuser()

    def run(*arguments, **more):
        return subprocess.run(arguments, check=True, capture_output=True, timeout=PATIENCE_S, **more)

    assert run("ssh", *options, f"{user}@bob", "echo", "hello").stdout == b"hello\n"
    assert subprocess.run(["ssh", *options, f"{user}@bob", "exit 7"], timeout=PATIENCE_S,
                          capture_output=True).returncode == 7
    fdpass = [option.replace("stream %h", "stream --fdpass %h") for option in options]
    assert run("ssh", *fdpass, "-o", "ProxyUseFdpass=yes", f"{user}@bob", "cat",
               input=b"by hand").stdout == b"by hand"

    (home / "file").write_bytes(random.randbytes(1000000))
    run("scp", *options, home / "file", f"{user}@bob:{home}/copy")
    assert (home / "copy").read_bytes() == (home / "file").read_bytes()

    shell = "ssh " + " ".join(shlex.quote(option) for option in options)
    if shutil.which("rsync"):
        run("rsync", "-e", shell, home / "file", f"{user}@bob:{home}/synced")
        assert (home / "synced").read_bytes() == (home / "file").read_bytes()
    if shutil.which("git"):
        run("git", "init", "-q", home / "repository")
        run("git", "-C", home / "repository", "-c", "user.name=a", "-c", "user.email=a@example.org",
            "commit", "-q", "--allow-empty", "-m", "first")
        run("git", "clone", "-q", f"{user}@bob:{home}/repository", home / "clone",
            env=dict(os.environ, GIT_SSH_COMMAND=shell))
        assert b"first" in run("git", "-C", home / "clone", "log").stdout


def test_ssh_survives_half_a_minute_without_network(linked, serve, sshd, home):
    alice, bob, wire = linked
    command, folder = sshd
    serve(bob, "ssh", "-p", "alice", "--trust", "tofu", "--exec", command)
    wire.set(rate=1000000)
    data = random.randbytes(3000000)
    client = subprocess.Popen(["ssh", *ssh_options(alice, folder), f"{getpass.getuser()}@bob", "cat"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wire.cut_after(wire.there, 1500000)
    try:
        answer = {}
        thread = threading.Thread(
            target=lambda: answer.update(all=client.communicate(data, timeout=PATIENCE_S)))
        thread.start()
        assert wire.was_cut.wait(60)
        time.sleep(30)  # the silence itself is what is tested
        wire.mend()
        thread.join()
    finally:
        client.kill()
    assert client.returncode == 0, answer
    assert answer["all"][0] == data
