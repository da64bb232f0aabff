"""Real daemons and the real client, for tests: started, talked to, ended, and never trusted.

Every daemon has a folder of its own and an address of its own on loopback.
"""

import base64
import contextlib
import errno
import ipaddress
import json
import os
import pathlib
import queue
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

BUILD = pathlib.Path(os.environ.get("P2PCHAT_BUILD", "build")).resolve()
P2PCHATD = BUILD / "p2pchatd"
P2PCHATCTL = BUILD / "p2pchatctl"

# How long anything that must happen may take; sanitizers and busy machines are slow.
PATIENCE_S = 90

SANITIZED = "sanitized" in BUILD.parts
SANITIZER = re.compile(r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")


def environment(home, socket=None):
    """What the programs see of ours: nothing that leads out of the test's folder. Clients find this
    control socket, so what they tell to type is as it is for the daemon of a machine."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    named = {"P2PCHAT_SOCKET": str(socket)} if socket else {}
    return dict(kept, HOME=str(home), XDG_RUNTIME_DIR=str(home), LC_ALL="C.UTF-8", TZ="UTC", **named)


def eventually(condition, what):
    """Waits until the condition holds, for what can't be waited for by an event."""
    end = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.01)


def redirect(invite, old, new):
    """The invite with another address. Its check covers the addresses, so that is left out."""
    line, _, secret = invite.partition("#")
    assert old in line
    return f"{line.replace(old, new)}#{secret[:64]}"


def faketime(spec):
    """A prefix under which a program sees another time; skips the test where that can't be."""
    [*libraries] = pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    if not libraries or SANITIZED:
        pytest.skip("no libfaketime, or a sanitizer that it disturbs")
    return ["env", f"LD_PRELOAD={libraries[0]}", f"FAKETIME={spec}"]


def claim_address():
    """A socket at an address on loopback that no other test gets while it is open. There a daemon's
    port is still free after a restart, and nobody else answers in its place."""
    claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        address = ipaddress.ip_address("127.1.0.0") + random.randrange(2**22)
        try:
            claim.bind((str(address), 8766))
            return claim
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


class Result:
    """What a finished client said."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        """Its output lines as JSON."""
        return [json.loads(line) for line in self.lines]

    @property
    def error(self):
        """The error object that --json puts on standard error."""
        return json.loads(self.err.splitlines()[-1])["error"]


def run(program, *arguments, home, socket=None, input=b"", expect=0, **options):
    """Runs one of our programs to its end and checks its exit status."""
    if isinstance(input, str):
        input = input.encode()
    done = subprocess.run([program, *map(str, arguments)], input=input, capture_output=True,
                          env=environment(home, socket), timeout=2 * PATIENCE_S, **options)
    out = done.stdout.decode(errors="surrogateescape")
    err = done.stderr.decode(errors="surrogateescape")
    assert not SANITIZER.search(err), err
    assert expect is None or done.returncode == expect, (
        f"{program.name} {' '.join(map(str, arguments))}: exit status {done.returncode}, "
        f"not {expect}\n{out}{err}")
    return Result(done.returncode, out, err)


class Lines:
    """A client that runs on, and its output line by line as it comes."""

    def __init__(self, arguments, home, socket=None, **options):
        self.process = subprocess.Popen([P2PCHATCTL, *map(str, arguments)], bufsize=0,
                                        env=environment(home, socket), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)
        self.queue = queue.Queue()
        self.err = b""
        self.readers = [threading.Thread(target=self._read_out, daemon=True),
                        threading.Thread(target=self._read_err, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read_out(self):
        with open(self.process.stdout.fileno(), "rb", closefd=False) as stream:
            for line in stream:
                self.queue.put(line.decode(errors="surrogateescape").rstrip("\n"))
        self.queue.put(None)

    def _read_err(self):
        for line in self.process.stderr:
            self.err += line

    def next(self):
        """The next line; None at the end."""
        return self.queue.get(timeout=PATIENCE_S)

    def take(self, count):
        lines = [self.next() for _ in range(count)]
        assert None not in lines, f"ended early: {lines} {self.err.decode()}"
        return lines

    def next_json(self):
        line = self.next()
        assert line is not None, f"ended early: {self.err.decode()}"
        return json.loads(line)

    def rest(self):
        """All lines until it ends."""
        return list(iter(self.next, None))

    def wait(self, expect=0):
        status = self.process.wait(timeout=PATIENCE_S)
        for reader in self.readers:
            reader.join()
        assert not SANITIZER.search(self.err.decode()), self.err.decode()
        assert status == expect, f"exit status {status}, not {expect}\n{self.err.decode()}"

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class RpcError(Exception):
    """An error reply."""

    def __init__(self, error):
        super().__init__(str(error))
        self.code = error["code"]
        self.kind = error.get("data", {}).get("kind")


class Control:
    """A connection to the control socket, for what the client would never say."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))
        self.reader = self.socket.makefile("rb")
        self.id = 0

    def write(self, data):
        """Sends bytes, or a JSON value as a line."""
        if not isinstance(data, bytes):
            data = json.dumps(data, ensure_ascii=False).encode() + b"\n"
        self.socket.sendall(data)

    def read(self):
        """The next object, or None at the end of the stream."""
        line = self.reader.readline()
        if not line:
            return None
        assert line.endswith(b"\n"), f"cut: {line!r}"
        return json.loads(line)

    def ask(self, method, **params):
        """Sends a request and returns its id."""
        self.id += 1
        self.write({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        return self.id

    def reply(self, id):
        """The reply to a request, past the events that come before it."""
        while "params" in (reply := self.read()):
            pass
        assert reply["id"] == id
        return reply

    def call(self, method, **params):
        """The result of a request."""
        reply = self.reply(self.ask(method, **params))
        if "error" in reply:
            raise RpcError(reply["error"])
        return reply["result"]

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def end(self):
        self.reader.close()
        self.socket.close()


class Daemon:
    """One p2pchatd with its folder. `listen` is "own" for an address that it shares with nobody, or
    None for what the configuration says."""

    program = P2PCHATD

    def __init__(self, name, home, config=None, listen="own", prefix=()):
        self.name = name
        self.prefix = prefix
        self.home = home / name
        self.home.mkdir()
        self.home.chmod(0o755)  # whatever the umask is
        self.state = self.home / "state"
        self.socket = self.home / "control.sock"
        self.log = self.home / "log"
        self.config = None
        self.claim = claim_address() if listen == "own" else None
        self.listen = f"{self.claim.getsockname()[0]}:0" if self.claim else listen
        self.process = None
        self.clients = []
        if config is not None:
            self.configure(config)

    def configure(self, text):
        self.config = self.home / "p2pchatd.conf"
        self.config.write_text(text)

    @property
    def options(self):
        options = ["--state-dir", self.state, "--control", self.socket, "--log-level", "debug"]
        if self.config is not None:
            options += ["-c", self.config]
        if self.listen is not None:
            options += ["--listen", self.listen]
        return options

    def start(self):
        """Starts it and waits until it answers. A restart keeps the port, so that peers find it."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, self.program, *map(str, self.options)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment(self.home))
        eventually(self._answers, f"an answer of {self.name}")
        status = self.rpc("status")
        self.fingerprint = status["fingerprint"]
        self.address = status["listeners"][0]["address"]
        if ":" in self.address and not self.address.startswith("["):
            self.address = f"[{self.address}]"
        self.address += f":{status['listeners'][0]['port']}"
        self.listen = self.address
        return self

    def _answers(self):
        assert self.process.poll() is None, f"{self.name} ended: {self.text_of_log()}"
        try:
            self.rpc("hello")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    @property
    def key(self):
        """The fingerprint as bytes, by which two peers are compared."""
        return base64.b64decode(self.fingerprint.removeprefix("SHA256:") + "=")

    def stop(self):
        """Ends it as a service manager would, and checks that it ends well."""
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE_S)
        self.process = None
        assert status == 0, f"{self.name}: exit status {status} at SIGTERM"

    def lose_state(self):
        """Keys, store and all: a stopped daemon starts as a new one."""
        shutil.rmtree(self.state)
        self.state.mkdir(mode=0o700)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def text_of_log(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def ctl(self, *arguments, **options):
        """Runs p2pchatctl on it. `expect` is the exit status that it must end with."""
        return run(P2PCHATCTL, *arguments, home=self.home, socket=self.socket, **options)

    def client(self, *arguments, **options):
        """Starts p2pchatctl on it, to be read while it runs."""
        client = Lines(arguments, self.home, socket=self.socket, **options)
        self.clients.append(client)
        return client

    def control(self):
        """A connection of our own to it."""
        control = Control(self.socket)
        self.clients.append(control)
        return control

    def rpc(self, method, **params):
        control = Control(self.socket)
        try:
            return control.call(method, **params)
        finally:
            control.end()

    def peer(self, name):
        return self.rpc("peer.get", name=name)

    def history(self, **params):
        """What history.list gives, in as many replies as it takes."""
        limit, messages = params.pop("limit", 100), []
        while True:
            page = self.rpc("history.list", limit=limit - len(messages), **params)
            messages = page["messages"] + messages
            if "before" not in page:
                return messages
            params["before"] = page["before"]

    def received(self):
        """The texts that came in, oldest first."""
        return [m["body"] for m in self.history(limit=100000) if m["direction"] == "in"]

    def add(self, other, address=True, pin=True):
        """Makes another daemon known to this one, by its own name."""
        self.ctl("peer", "add", other.name, *([other.address] if address else []),
                 *(["--fingerprint", other.fingerprint] if pin else []))

    def wait_online(self, other):
        self.ctl("wait-online", other.name, "--timeout", PATIENCE_S)

    def wait_for_request(self, other):
        """Waits until the other daemon's key asks to be let in."""
        return eventually(lambda: [request for request in self.rpc("peer.requests")["requests"]
                                   if request["fingerprint"] == other.fingerprint], "the request")

    def wait_for_event(self, type, **members):
        """Waits for a stored event of this type with these members, also one that has been."""
        follower = self.client("follow", "-o", "json", "--after", 0, "--types", type)
        while True:
            event = follower.next_json()
            if all(event.get(name) == value for name, value in members.items()):
                return event

    def end(self):
        for client in self.clients:
            client.end()
        if self.process is not None:
            self.stop()
        if self.claim:
            self.claim.close()
        assert not SANITIZER.search(self.text_of_log())


@contextlib.contextmanager
def temporary_home():
    """A folder with a short name, because the paths of UNIX sockets are short."""
    with tempfile.TemporaryDirectory(prefix="p2pchat-", ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        yield folder


class Daemons:
    """The daemons of a test, which are ended and looked at together."""

    def __init__(self, home):
        self.home = home
        self.all = []

    def start(self, name, started=True, **options):
        made = Daemon(name, self.home, **options)
        self.all.append(made)
        return made.start() if started else made

    def __enter__(self):
        return self

    def __exit__(self, *_):
        failures = []
        for made in self.all:
            try:
                made.end()
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failures.append(f"{made.name}: {error}\n{made.text_of_log()}")
                if made.process is not None:
                    made.kill()
        assert not failures, "\n".join(failures)


def pair(one, other):
    """Makes two daemons known to each other; `one` dials."""
    other.add(one, address=False)
    one.add(other)
    one.wait_online(other)
    other.wait_online(one)
