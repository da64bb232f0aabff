"""From nothing but git and make, each release comes to all that the README promises."""

import time

import pytest

import roots

DEMOS = 50
SUITES = ["bookworm", "trixie"]
CLONE = """
    git config --global safe.directory '*'
    git clone -q /source p2pchat && cd p2pchat
"""


@pytest.mark.parametrize("suite", SUITES)
def test_a_fresh_clone_needs_git_and_make_alone(suite, result):
    start = time.monotonic()
    said = roots.run(roots.make(suite, "git", "make"), f"""{CLONE}
        make demo
        for i in {{2..{DEMOS}}}; do
            tests/tools/demo build >demo.log 2>&1 || {{ cat demo.log; echo "run $i failed"; exit 1; }}
        done
        make check""", "--online")
    passed, failed, skipped = roots.totals(said)[-1]
    minutes = (time.monotonic() - start) / 60
    assert passed > 1000
    assert failed == 0, said[-20000:]
    result(f"a fresh clone in a clean root of {suite}: `make demo` {DEMOS} times in a row, then "
           f"`make check`: {passed} passed, {failed} failed, {skipped} skipped; {minutes:.0f} minutes")


@pytest.mark.parametrize("suite", SUITES)
def test_the_package_of_a_fresh_clone(suite, result):
    """Made, installed, used as the front page says, upgraded, removed and purged on that release."""
    said = roots.run(roots.make(suite, *roots.packages("deep")), f"{CLONE} make check-package", "--online")
    passed, failed, skipped = roots.totals(said)[-1]
    assert (failed, skipped) == (0, 0), said[-20000:]
    result(f"the package made in a clean root of {suite}: {passed} tests under its systemd passed")
