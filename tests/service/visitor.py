"""Another daemon beside the service on the same machine, for it to talk to."""

import json
import subprocess

from machine import eventually

SOCKET = "/root/visitor.sock"


class Visitor:
    def __init__(self, machine):
        self.machine = machine
        self.process = machine.start(
            "p2pchatd", "--state-dir", "/root/visitor", "--control", SOCKET,
            "--listen", "127.0.0.1:4321", stderr=subprocess.DEVNULL)
        eventually(lambda: self.ctl("rpc", "hello", expect=None).status == 0, "the other daemon")
        self.fingerprint = json.loads(self.ctl("rpc", "identity.get").out)["fingerprint"]

    def ctl(self, *arguments, **options):
        return self.machine.ctl("-s", SOCKET, *arguments, **options)

    def pair(self):
        """Asks the service to be let in, and is, under the name "bob"."""
        self.ctl("peer", "add", "server", "127.0.0.1:8766")
        eventually(lambda: self.machine.journal("P2PCHAT_EVENT=peer-request"), "the request")
        self.machine.ctl("peer", "accept", self.fingerprint, "bob")
        self.machine.ctl("wait-online", "bob")
        self.ctl("wait-online", "server")
