"""The fixtures of the end-to-end tests.

After each test its daemons are ended and looked at: a daemon must leave by itself when it is told
to, and no sanitizer may have complained.

With P2PCHAT_DEEP in the environment some tests take their long form and note their figures, from
which tests/tools/results makes tests/RESULTS.md.
"""

import json
import os
import pathlib

import pytest

from harness import Daemons, pair, temporary_home

DEEP = os.environ.get("P2PCHAT_DEEP") is not None


@pytest.fixture
def home():
    with temporary_home() as folder:
        yield folder


@pytest.fixture
def daemon(home, request):
    """daemon(NAME, config=…): starts one more daemon."""
    with Daemons(home) as daemons:
        request.node.daemons = daemons.all
        yield daemons.start


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


@pytest.fixture
def deep():
    """Whether this is the long form."""
    return DEEP


@pytest.fixture
def result(request):
    """result(TEXT): notes what came of this test, to be shown in tests/RESULTS.md."""
    def note(text):
        folder = os.environ.get("P2PCHAT_RESULTS")
        if DEEP and folder:
            pathlib.Path(folder, f"{request.node.name}.json").write_text(
                json.dumps({"test": f"{request.node.path.stem}::{request.node.name}",
                            "text": text}))
        print(text)
    return note


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the daemons' logs with a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for made in getattr(item, "daemons", []):
            report.sections.append((f"log of {made.name}", made.text_of_log()[-20000:]))
