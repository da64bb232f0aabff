"""Machines: daemons with a network of their own, which vanishes with the test, however that ends."""

import ipaddress
import os
import shutil
import subprocess
import time

from harness import PATIENCE_S, Daemon, eventually
from usage import cpu_seconds

PORT = 8766
LISTEN = f"[::]:{PORT}"

# What a daemon may need of the processor. One that waits in a loop needs far more.
START_CPU_S = 2.0
MESSAGE_CPU_S = 0.02
IDLE_CPU = 0.1


def why_not():
    """Why there can be no machines here; None if there can."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    for program, package in (("ip", "iproute2"), ("nft", "nftables")):
        if shutil.which(program) is None:
            return f"needs {program} (Debian: {package})"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        return "needs network namespaces (is this an unprivileged container?)"
    return None


class Network:
    """A network namespace without a name: it lives as long as something runs in it."""

    def __init__(self):
        self.addresses = []
        # It ends when nobody can write to it any more.
        self.keeper = subprocess.Popen(["unshare", "--net", "cat"], bufsize=0,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdin.write(b"\n")
        assert self.keeper.stdout.read(1) == b"\n", "no network namespace"
        self.path = f"/proc/{self.keeper.pid}/ns/net"
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *arguments):
        """What runs a program in it that ends when ours does."""
        return ["nsenter", f"--net={self.path}", "setpriv", "--pdeathsig", "KILL",
                *map(str, arguments)]

    def run(self, *arguments, input=""):
        done = subprocess.run(self.command(*arguments), input=input, text=True,
                              capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    def plug(self, device, address):
        """Brings a device up with one more address: 10.0.0.1/24, fd00::1/64."""
        options = ["nodad"] if ":" in address else []
        self.run("ip", "address", "add", address, "dev", device, *options)
        self.run("ip", "link", "set", device, "up")
        self.addresses.append(str(ipaddress.ip_interface(address).ip))

    def end(self):
        self.keeper.stdin.close()
        self.keeper.wait(timeout=PATIENCE_S)
        self.keeper.stdout.close()


class Machine(Daemon):
    """A daemon in a network of its own, and a follower that watches it."""

    def __init__(self, name, home, identity, **options):
        self.network = Network()
        super().__init__(name, home, listen=LISTEN,
                         prefix=[*self.network.command(), *options.pop("prefix", [])], **options)
        self.state.mkdir(mode=0o700)
        (self.state / "identity.pem").write_bytes(identity.read_bytes())
        (self.state / "identity.pem").chmod(0o600)

    @property
    def addresses(self):
        """Where others may dial it."""
        return [f"[{each}]:{PORT}" if ":" in each else f"{each}:{PORT}"
                for each in self.network.addresses]

    def start(self):
        started = time.monotonic()
        super().start()
        self.started = started
        self.listen = LISTEN
        self.address = next(iter(self.addresses), None)
        self.presence = Presence(self)
        return self

    def stop(self):
        if self.process.poll() is None:
            self.check_processor()
        super().stop()

    def check_processor(self):
        """It waits for things to happen, and does not look again and again."""
        messages = self.rpc("status")["store"]["messages"]
        allowed = (START_CPU_S + MESSAGE_CPU_S * messages
                   + IDLE_CPU * (time.monotonic() - self.started))
        used = cpu_seconds(self.process.pid)
        assert used <= allowed, f"{self.name} used {used:.1f} s of processor time, not {allowed:.1f}"

    def _connections(self):
        """Of each established TCP connection: bytes to read, bytes to send, here, there."""
        lines = self.network.run("ss", "-Htn", "state", "established").splitlines()
        return [line.split() for line in lines]

    def connections(self):
        """Its established TCP connections, by the two addresses."""
        return [(here, there) for _, _, here, there, *_ in self._connections()]

    def is_quiet(self):
        """Whether all that it has sent has been acknowledged by the other kernels."""
        return all(to_send == "0" for _, to_send, *_ in self._connections())

    def reset_connections(self):
        """As an administrator or a firewall does: `ss -K`."""
        self.network.run("ss", "-Ktn", "state", "established")

    def end(self):
        try:
            super().end()
        finally:
            self.network.end()


class Presence:
    """What a follower hears about peers that come and go."""

    def __init__(self, machine):
        self.control = machine.control()
        self.control.socket.settimeout(3 * PATIENCE_S)
        self.control.call("follow", types=["peer.online", "peer.offline"])
        self.heard = []

    def _take(self, reply):
        event = reply.get("params", {}).get("type", "")
        change = event.removeprefix("peer.")
        if change != event and self.heard[-1:] != [change]:  # the same may come again
            self.heard.append(change)
        return change

    def wait_for(self, change):
        """Reads on until this happens: "online" or "offline"."""
        while True:
            reply = self.control.read()
            assert reply is not None, "the daemon has ended"
            if self._take(reply) == change:
                return

    def so_far(self):
        """All that was heard up to now."""
        id = self.control.ask("hello")
        while (reply := self.control.read()).get("id") != id:
            self._take(reply)
        return self.heard

    def check(self, *interruptions):
        """Whether each coming and going was heard; there may be one of several numbers."""
        allowed = [["online"] + n * ["offline", "online"] for n in interruptions]
        eventually(lambda: self.so_far() in allowed, f"one of {allowed}")
