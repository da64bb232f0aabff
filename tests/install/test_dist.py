"""The archive of the source: the same bytes each time, and all that a packager needs."""

import hashlib
import os
import subprocess
import tarfile

import pytest

from setup import SOURCE, Setup

# The checkout may belong to somebody else than who runs the tests.
os.environ.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")

IS_CHECKOUT = subprocess.run(["git", "-C", SOURCE, "rev-parse", "--verify", "HEAD"],
                             capture_output=True).returncode == 0

pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="this is no git checkout")


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    return Setup(tmp_path_factory.mktemp("dist"))


def archive(setup):
    setup.make("dist")
    [path] = (setup.folder / "build").glob("p2pchat-*.tar.gz")
    return path


def test_it_has_the_same_bytes_each_time(setup):
    first = hashlib.sha256(archive(setup).read_bytes()).hexdigest()
    os.utime(SOURCE / "README.md")
    before = os.umask(0o077)
    try:
        again = hashlib.sha256(archive(setup).read_bytes()).hexdigest()
    finally:
        os.umask(before)
    assert again == first


def test_it_holds_what_git_does_and_configure(setup):
    path = archive(setup)
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    tracked = subprocess.check_output(["git", "-C", SOURCE, "ls-files"], text=True).splitlines()
    top = path.name.removesuffix(".tar.gz")
    assert sorted(member.name for member in members) == \
        sorted(f"{top}/{name}" for name in [*tracked, "configure"])
    assert {(member.uid, member.gid, member.mode | 0o111) for member in members} == {(0, 0, 0o755)}
    assert len({member.mtime for member in members}) == 1
