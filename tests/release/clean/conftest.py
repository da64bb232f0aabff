"""The fixtures of these tests: those of the end-to-end tests, and the module above."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "release"), str(TESTS / "e2e")]

from fixtures import *  # noqa: E402,F401,F403
