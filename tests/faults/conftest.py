"""The fixtures of the fault tests: those of the end-to-end tests, and where results go.

With P2PCHAT_DEEP in the environment the tests take their long form and note their figures, from
which tests/tools/results makes tests/RESULTS.md.
"""

import json
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import *  # noqa: E402,F401,F403

DEEP = os.environ.get("P2PCHAT_DEEP") is not None


@pytest.fixture
def deep():
    """Whether this is the long form."""
    return DEEP


@pytest.fixture
def result(request):
    """result(TEXT): notes what came of this test, to be shown in tests/RESULTS.md."""
    def note(text):
        folder = pathlib.Path(os.environ.get("P2PCHAT_RESULTS", ""))
        if DEEP and folder.is_dir():
            (folder / f"{request.node.name}.json").write_text(
                json.dumps({"test": f"{request.node.path.stem}::{request.node.name}",
                            "text": text}))
        print(text)
    return note
