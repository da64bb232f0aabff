"""The example that runs a command for each message."""

import json
import shutil

from machine import SOURCE, eventually
from visitor import Visitor


def test_the_hook_runs_for_each_message_once_across_restarts(machine):
    machine.systemctl("enable", "--now", "p2pchatd")
    visitor = Visitor(machine)
    visitor.pair()
    shutil.copy(SOURCE / "contrib/p2pchat-hook@.service", machine.path("/etc/systemd/system"))
    machine.write("/etc/p2pchat/hooks/echo", '#!/bin/sh\necho "$P2PCHAT_PEER said: $(cat)"\n', 0o755)
    machine.systemctl("daemon-reload")
    machine.systemctl("enable", "--now", "p2pchat-hook@echo")

    def said():
        return [entry["MESSAGE"] for entry in machine.journal("-u", "p2pchat-hook@echo")
                if "said" in entry["MESSAGE"]]

    def status():
        return json.loads(machine.ctl("--json", "status").out)

    def is_done():
        """Whether it has acknowledged all that there is: what is handled again must be said again."""
        [consumer] = status()["consumers"]
        return consumer["seq"] == status()["last_seq"]

    eventually(lambda: status()["followers"], "the hook")
    visitor.ctl("send", "-p", "server", "--wait", "one")
    eventually(lambda: said() == ["bob said: one"], "the first message")
    eventually(is_done, "its acknowledgement")
    machine.systemctl("stop", "p2pchat-hook@echo")
    visitor.ctl("send", "-p", "server", "--wait", "two")
    machine.systemctl("restart", "p2pchatd")
    machine.systemctl("start", "p2pchat-hook@echo")
    eventually(lambda: said() == ["bob said: one", "bob said: two"], "the second")
