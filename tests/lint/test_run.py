"""The test runner counts what happened: nothing that goes wrong can look like success."""

import json
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

RUN = pathlib.Path(__file__).parents[1] / "tools" / "run"


@pytest.fixture
def tier(tmp_path):
    """A tests/ folder of our own: returns functions to add a file to its tier and to run it."""
    (tmp_path / "tests" / "tools").mkdir(parents=True)
    (tmp_path / "tests" / "tier").mkdir()
    runner = shutil.copy(RUN, tmp_path / "tests" / "tools" / "run")

    class Tier:
        @staticmethod
        def add(name, text):
            path = tmp_path / "tests" / "tier" / name
            path.write_text(text)
            path.chmod(0o755)

        @staticmethod
        def add_program(name, text):
            """A stand-in for a cmocka program, with its source."""
            Tier.add(name + ".c", "")
            folder = tmp_path / "build" / "tests" / "tier"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("#!/bin/sh\n" + text)
            (folder / name).chmod(0o755)

        @staticmethod
        def run(target="tier@build"):
            """Its exit status and its last line."""
            done = subprocess.run([runner, target], cwd=tmp_path, text=True,
                                  capture_output=True)
            assert done.stderr == ""
            closing = [line for line in done.stdout.splitlines()
                       if line.endswith("skipped") and not line.startswith(" ")]
            assert len(closing) == 1
            assert done.stdout.endswith(closing[0] + "\n")
            return done.returncode, closing[0]

    return Tier


def report(*cases):
    body = "".join(f'<testcase name="{name}">{inside}</testcase>' for name, inside in cases)
    return f"echo '<testsuites><testsuite>{body}</testsuite></testsuites>' >${{CMOCKA_XML_FILE%\\%g.xml}}a.xml\n"


FAILURE = "<failure>expected 1</failure>"


def test_all_kinds_are_added_up(tier):
    tier.add("check", "#!/bin/sh\n")
    tier.add("test_more.py", "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('why')\n")
    tier.add_program("test_noun", report(("a", ""), ("b", ""), ("c", "<skipped/>")))
    assert tier.run() == (0, "4 passed, 0 failed, 2 skipped")


@pytest.mark.parametrize("name, line", [("test_some", "1 passed, 0 failed, 0 skipped"),
                                        ("test_noun", "2 passed, 0 failed, 0 skipped"),
                                        ("check", "1 passed, 0 failed, 0 skipped")])
def test_one_program_is_run_by_its_name(tier, name, line):
    tier.add("check", "#!/bin/sh\n")
    tier.add("test_some.py", "def test_a(): pass\n")
    tier.add("test_some_more.py", "def test_a(): assert False\n")
    tier.add_program("test_noun", report(("a", ""), ("b", "")))
    assert tier.run(f"tier/{name}@build") == (0, line)


@pytest.mark.parametrize("text, line", [
    (report(("a", ""), ("b", FAILURE)) + "exit 1", "1 passed, 1 failed, 0 skipped"),
    (report(("a", ""), ("b", FAILURE)), "1 passed, 1 failed, 0 skipped"),
    (report(("a", "")) + "exit 99", "1 passed, 1 failed, 0 skipped"),
    (report(("a", "")) + "kill -SEGV $$", "1 passed, 1 failed, 0 skipped"),
    ("kill -SEGV $$", "0 passed, 1 failed, 0 skipped"),
    ("exit 0", "0 passed, 1 failed, 0 skipped"),
    ("echo '<cut' >${CMOCKA_XML_FILE%\\%g.xml}a.xml", "0 passed, 1 failed, 0 skipped"),
])
def test_a_program_that_goes_wrong_has_failed(tier, text, line):
    tier.add_program("test_noun", text)
    assert tier.run() == (1, line)


def test_a_program_that_was_not_built_has_failed(tier):
    tier.add("test_noun.c", "")
    assert tier.run() == (1, "0 passed, 1 failed, 0 skipped")


def test_an_error_at_a_test_s_end_is_a_failure_of_that_test(tier):
    tier.add("test_more.py", "import pytest\n"
             "@pytest.fixture\ndef thing():\n    yield\n    assert False\n"
             "def test_a(thing): pass\n")
    assert tier.run() == (1, "0 passed, 1 failed, 0 skipped")


@pytest.mark.parametrize("text", ["import no_such_module\n", "", "def test_a(missing): pass\n"])
def test_a_file_of_tests_that_can_not_run_has_failed(tier, text):
    tier.add("test_more.py", text)
    assert tier.run() == (1, "0 passed, 1 failed, 0 skipped")


def test_a_check_fails_by_its_exit_status_and_is_skipped_by_77(tier):
    tier.add("bad", "#!/bin/sh\nexit 1\n")
    tier.add("good", "#!/bin/sh\n")
    tier.add("idle", "#!/bin/sh\necho no tool\nexit 77\n")
    assert tier.run() == (1, "1 passed, 1 failed, 1 skipped")


@pytest.mark.parametrize("text, result", [
    ("exit 0", (0, "1 passed, 0 failed, 0 skipped")),
    ("exit 77", (1, "0 passed, 1 failed, 0 skipped")),
    ("kill -SEGV $$", (1, "0 passed, 1 failed, 0 skipped")),
])
def test_a_fuzz_target_has_passed_only_if_it_says_so(tier, text, result):
    tier.add_program("fuzz_noun", text)
    assert tier.run() == result


def test_the_long_form_notes_how_many_inputs_there_were(tier, tmp_path, monkeypatch):
    monkeypatch.setenv("P2PCHAT_DEEP", "1")
    monkeypatch.setenv("P2PCHAT_RESULTS", str(tmp_path))
    tier.add_program("fuzz_noun", "echo stat::number_of_executed_units: 4711\n")
    assert tier.run() == (0, "1 passed, 0 failed, 0 skipped")
    assert json.loads((tmp_path / "fuzz_noun.json").read_text()) == {
        "test": "fuzz_noun", "text": "4,711 inputs, none of which broke anything"}


def test_no_tests_at_all_is_a_failure(tier):
    assert tier.run() == (1, "0 passed, 0 failed, 0 skipped")


def test_only_skipped_tests_are_a_failure(tier):
    tier.add("idle", "#!/bin/sh\nexit 77\n")
    assert tier.run() == (1, "0 passed, 0 failed, 1 skipped")


def has_ended(pid):
    """Waits for it: a signal is not the end yet."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if ") Z " in pathlib.Path(f"/proc/{pid}/stat").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_what_a_program_leaves_running_is_ended(tier, tmp_path):
    pid = tmp_path / "pid"
    tier.add_program("test_noun", report(("a", "")) +
                     f"sleep 3600 >/dev/null 2>&1 &\necho $! >{pid}\n")
    assert tier.run() == (0, "1 passed, 0 failed, 0 skipped")
    assert has_ended(pid.read_text().strip())


def test_signals_that_a_shell_in_the_background_ignores_work_in_programs(tier):
    tier.add("idle", "#!/bin/sh\nkill -INT $$\nexit 0\n")
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert tier.run() == (1, "0 passed, 1 failed, 0 skipped")
    finally:
        signal.signal(signal.SIGINT, ignored)
