"""The fixtures of the service tests."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import machine as machines  # noqa: E402


@pytest.fixture
def boot(request):
    """boot(NAME, network=…): boots one more machine; it ends with the test."""
    reason = machines.why_not()
    if reason is not None:
        pytest.skip(reason)
    booted = request.node.machines = []

    def start(name="server", **options):
        booted.append(machines.Machine(name, **options))
        return booted[-1]

    yield start
    for machine in booted:
        machine.end()


@pytest.fixture
def machine(boot):
    return boot()


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def cable():
    """The names of two networks whose only way is to each other: 10.9.0.1 and 10.9.0.2."""
    if machines.why_not() is not None:
        pytest.skip(machines.why_not())
    names = [f"p2pchat-{os.getpid()}-{i}" for i in (1, 2)]
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "cable", "netns", names[0], "type", "veth",
           "peer", "name", "cable", "netns", names[1])
        for i, name in enumerate(names, 1):
            ip("-n", name, "address", "add", f"10.9.0.{i}/24", "dev", "cable")
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "cable", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the journals with a test that failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        for machine in getattr(item, "machines", []):
            journal = machine.run("journalctl", "-b", "-o", "short-monotonic", "--no-hostname",
                                  expect=None).out
            report.sections.append((f"journal of {machine.name}", journal[-20000:]))
