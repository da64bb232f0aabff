"""Clean roots of Debian, by tests/tools/root. What is written in one vanishes with the command."""

import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOLS = SOURCE / "tests/tools"


def other():
    """The release, of the two, that this machine is not of."""
    return subprocess.check_output([TOOLS / "root", "other"], text=True).strip()


def packages(what):
    """What tests/tools/dependencies says that is needed for this."""
    return subprocess.check_output([TOOLS / "dependencies", "list", what], text=True).split()


def build_packages():
    """What `make` needs."""
    return packages("build")


def make(suite, *packages):
    """The folder of a root with these packages; skips the test where there can't be one."""
    if "P2PCHAT_IN_ROOT" in os.environ:
        pytest.skip("is in such a root already")
    made = subprocess.run([TOOLS / "root", "make", suite, *packages], text=True,
                          capture_output=True)
    if made.returncode == 77:
        pytest.skip(made.stdout.strip())
    assert made.returncode == 0, made.stderr
    return pathlib.Path(made.stdout.strip())


def run(folder, script, *options):
    """What a script says that runs in a root, with our tree as /source, and succeeds."""
    done = subprocess.run([TOOLS / "root", "enter", "--source", SOURCE, *options, folder,
                           "bash", "-euc", script], text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout[-20000:]
    return done.stdout


def library_of(program, name):
    """The shared library of this name that a program of this machine uses."""
    linked = subprocess.check_output(["ldd", program], text=True)
    return re.search(rf"{name}\S* => (\S+)", linked)[1]


def totals(text):
    """The closing lines of all test runs in a text: [(passed, failed, skipped)]."""
    return [tuple(map(int, row))
            for row in re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)]
