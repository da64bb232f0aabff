"""Built without systemd, the daemon does all it does but for what systemd asked of it."""

import os
import subprocess
import sys

from machine import BUILD, SOURCE

PLAIN = BUILD / "plain"


def test_it_does_not_need_libsystemd():
    linked = subprocess.run(["ldd", PLAIN / "build/p2pchatd"], check=True, capture_output=True,
                            text=True).stdout
    assert "libevent" in linked
    assert "libsystemd" not in linked


def test_no_unit_is_installed(tmp_path):
    subprocess.run(["make", "-s", "-C", PLAIN, "install", f"DESTDIR={tmp_path}"], check=True)
    assert list(tmp_path.rglob("p2pchatd"))
    assert not [path for path in tmp_path.rglob("*") if "systemd" in path.parts]


def test_its_end_to_end_tests_pass():
    """Those where the service manager would make a difference."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q",
                           SOURCE / "tests/e2e/test_daemon.py"], capture_output=True, text=True,
                          env=dict(os.environ, P2PCHAT_BUILD=str(PLAIN / "build")))
    assert done.returncode == 0, done.stdout
