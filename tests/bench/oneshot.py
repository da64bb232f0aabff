"""What a one-shot `p2pchatctl send` costs beside starting /bin/true."""

import shutil

import callgrind
import limits
from harness import P2PCHATCTL, environment
from process import once
from scene import scene
from table import Row

ROUNDS = 200


def rows(_):
    with scene() as start:
        daemon = start("daemon")
        daemon.add_nobody()
        commands = {"/bin/true": [shutil.which("true")],
                    "p2pchatctl version": [P2PCHATCTL, "version"],
                    "p2pchatctl send": daemon.command("send", "-p", "nobody", "hello")}
        runs = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                runs[name].append(once(command, environment(daemon.home)))
        counts = {name: callgrind.instructions_of(command, daemon.home)
                  for name, command in commands.items()}

    def wall(name):
        return limits.middle([run.wall for run in runs[name]])

    def cpu(name):
        return sum(run.cpu for run in runs[name]) / ROUNDS

    for name in list(commands)[1:]:
        yield Row(name, wall(name), "s", wall("/bin/true"), "/bin/true")
        yield Row(f"{name}, processor time", cpu(name), "s", cpu("/bin/true"), "/bin/true")
        yield Row(f"{name}, instructions", counts[name], "", counts["/bin/true"], "/bin/true")
