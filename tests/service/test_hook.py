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

    eventually(lambda: json.loads(machine.ctl("--json", "status").out)["followers"], "the hook")
    visitor.ctl("send", "-p", "host", "--wait", "one")
    eventually(lambda: said() == ["bob said: one"], "the first message")
    machine.systemctl("stop", "p2pchat-hook@echo")
    visitor.ctl("send", "-p", "host", "--wait", "two")
    machine.systemctl("restart", "p2pchatd")
    machine.systemctl("start", "p2pchat-hook@echo")
    eventually(lambda: said() == ["bob said: one", "bob said: two"], "the second")
