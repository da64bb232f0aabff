"""The fixtures of the fault tests: those of the end-to-end tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import *  # noqa: E402,F401,F403
