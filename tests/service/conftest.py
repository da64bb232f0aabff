"""The fixtures of the service tests."""

import pytest

import machine as machines


@pytest.fixture
def boot(request):
    """boot(NAME, network=…): boots one more machine; it ends with the test."""
    reason = machines.why_not()
    if reason is not None:
        pytest.skip(reason)
    booted = request.node.machines = []

    def start(name="host", **options):
        booted.append(machines.Machine(name, **options))
        return booted[-1]

    yield start
    for machine in booted:
        machine.end()


@pytest.fixture
def machine(boot):
    return boot()


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
