"""Runs of the simulation keep every promise, and repeat exactly. Whether they would notice if one
was broken is tested in mutants/.
"""

import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("P2PCHAT_BUILD", ROOT / "build"))
SIMULATE = BUILD / "tests/simulation/simulate"
DEEP = bool(os.environ.get("P2PCHAT_DEEP"))

SEEDS = 5000 if DEEP else 40 if "sanitized" in BUILD.parts else 200
CHUNK = SEEDS // 8


def simulate(*arguments, program=SIMULATE):
    return subprocess.run([program, *arguments], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")


@pytest.mark.parametrize("first", range(1, SEEDS + 1, CHUNK))
def test_every_promise_is_kept(first):
    run = simulate("--seeds", f"{first}..{first + CHUNK - 1}")
    assert run.returncode == 0, run.stdout
    assert run.stdout == f"{CHUNK} runs, 0 broke a promise\n"


def test_a_seed_repeats_exactly():
    once = simulate("--seed", "7").stdout
    assert once == simulate("--seed", "7").stdout
    assert once != simulate("--seed", "8").stdout
    assert len(once.splitlines()) > 100


@pytest.mark.parametrize("arguments", [(), ("--seed",), ("--seed", "x"), ("--seeds", "7"),
                                       ("--seeds", "1..2", "3")])
def test_wrong_words_are_refused(arguments):
    assert simulate(*arguments).returncode == 64
