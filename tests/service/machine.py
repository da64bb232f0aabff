"""Machines to test the service on: a real systemd over a copy of this one's root, booted in a moment.

Whatever is done in a machine is gone with it.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

BUILD = pathlib.Path(os.environ.get("P2PCHAT_BUILD", "build")).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
BOOT = pathlib.Path(__file__).with_name("boot.sh")
PATIENCE_S = 60


def why_not():
    """Why no machine can be booted here; None if one can."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("systemd-nspawn") is None:
        return "needs systemd-nspawn (Debian: systemd-container)"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "needs the right to mount (is this an unprivileged container?)"
    return None


def eventually(condition, what, patience=PATIENCE_S):
    """Waits until the condition holds, for what can't be waited for by an event."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


class Result:
    """What a finished command said."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="surrogateescape")
        self.err = done.stderr.decode(errors="surrogateescape")


class Machine:
    """One machine, with p2pchat installed unless told otherwise, and nothing of it enabled."""

    build = BUILD.parent

    def __init__(self, name, network=None, install=True):
        self.name = f"p2pchat-{os.getpid()}-{name}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="p2pchat-machine-"))
        self.console = open(self.folder.with_suffix(".console"), "w+b")
        option = f"--network-namespace-path=/run/netns/{network}" if network \
            else "--private-network"
        binds = [f"--bind-ro={path}" for path in {SOURCE, self.build}]
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "slave", BOOT, self.folder, self.name, option,
             *binds], stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
            start_new_session=True)
        try:
            self.init = eventually(self._find_init, f"{self.name} to boot")
            self.run("systemctl", "is-system-running", "--wait", expect=None)
            if install:
                self.run("make", "-s", "-C", self.build, "install")
        except BaseException:
            self.console.seek(0)
            print(self.console.read().decode(errors="replace"))
            self.end()
            raise

    def _find_init(self):
        """The process that is PID 1 inside, once it can be talked to."""
        assert self.process.poll() is None, "it ended"
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            try:
                if pathlib.Path(f"/proc/{pid}/root/run/systemd/private").exists():
                    return int(pid)
            except ProcessLookupError:
                pass  # one that only prepared the machine, and has just ended
        return None

    def end(self):
        if self.process.poll() is None:
            os.kill(getattr(self, "init", self.process.pid), signal.SIGKILL)
        self.process.wait(timeout=PATIENCE_S)
        self.console.close()
        pathlib.Path(self.console.name).unlink()
        self.folder.rmdir()
        for tree in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
            eventually(lambda: remove_groups(pathlib.Path(tree, self.name)), "the end of a cgroup")

    # --- doing things in it ---

    def command(self, *arguments, user=None):
        """What runs a command in the machine, as root or as a user with a manager of its own."""
        as_user = []
        if user is not None:
            uid = self.uid(user)
            as_user = ["setpriv", f"--reuid={uid}", "--regid", uid, "--init-groups",
                       "env", f"HOME=/home/{user}", f"USER={user}",
                       f"XDG_RUNTIME_DIR=/run/user/{uid}"]
        return ["nsenter", f"--target={self.init}", "--all", "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME=/root",
                "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", *as_user, *map(str, arguments)]

    def run(self, *arguments, expect=0, input=b"", user=None):
        """Runs a command to its end and checks its exit status."""
        if isinstance(input, str):
            input = input.encode()
        result = Result(subprocess.run(self.command(*arguments, user=user), input=input,
                                       capture_output=True, timeout=2 * PATIENCE_S))
        assert expect is None or result.status == expect, (
            f"{' '.join(map(str, arguments))}: exit status {result.status}, not {expect}\n"
            f"{result.out}{result.err}")
        return result

    def start(self, *arguments, user=None, **options):
        """Starts a command that goes on by itself."""
        return subprocess.Popen(self.command(*arguments, user=user), **options)

    def systemctl(self, *arguments, **options):
        return self.run("systemctl", *arguments, **options).out

    def ctl(self, *arguments, **options):
        return self.run("p2pchatctl", *arguments, **options)

    def show(self, name, unit="p2pchatd.service", **options):
        """One property of a unit."""
        scope = ["--user"] if "user" in options else []
        return self.systemctl(*scope, "show", "-P", name, unit, **options).strip()

    def wait_for(self, name, value, unit="p2pchatd.service"):
        eventually(lambda: self.show(name, unit) == value,
                   f"{name}={value} of {unit}, which is {self.show(name, unit)}")

    def journalctl(self, *arguments):
        """What it prints about all that was logged until now."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", *arguments).out

    def journal(self, *matches):
        """The entries of the journal that match, all fields, oldest first."""
        lines = self.journalctl("-o", "json", "--all", *matches).splitlines()
        return [json.loads(line) for line in lines]

    def path(self, path):
        """A file of the machine, as seen from here."""
        return pathlib.Path(f"/proc/{self.init}/root") / str(path).lstrip("/")

    def write(self, path, text, mode=0o644):
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def uid(self, user):
        return self.run("id", "-u", user).out.strip()


def remove_groups(group):
    """Removes a cgroup with all below it; whether it is gone."""
    for path, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            pass
    return not group.exists()
