"""The fixtures of the end-to-end tests.

After each test its daemons are ended and looked at: a daemon must leave by itself when it is told
to, and no sanitizer may have complained.
"""

import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness import Daemon, pair


@pytest.fixture
def home():
    """A folder with a short name, because the paths of UNIX sockets are short."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="p2pchat-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def daemon(home, request):
    """daemon(NAME, config=…): starts one more daemon."""
    daemons = request.node.daemons = []

    def start(name, started=True, **options):
        made = Daemon(name, home, **options)
        daemons.append(made)
        return made.start() if started else made

    yield start
    failures = []
    for made in daemons:
        try:
            made.end()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures.append(f"{made.name}: {error}\n{made.text_of_log()}")
            if made.process is not None:
                made.kill()
    assert not failures, "\n".join(failures)


@pytest.fixture
def alice(daemon):
    return daemon("alice")


@pytest.fixture
def bob(daemon):
    return daemon("bob")


@pytest.fixture
def paired(alice, bob):
    """Two daemons that know each other and have a link; alice dials."""
    pair(alice, bob)
    return alice, bob


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the daemons' logs with a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for made in getattr(item, "daemons", []):
            report.sections.append((f"log of {made.name}", made.text_of_log()[-20000:]))
