"""configure and make take the flags of others, and each of them only as far as it was meant."""

import pytest

from setup import Setup


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A build that stops at a warning."""
    return Setup(tmp_path_factory.mktemp("strict"), "--enable-werror")


def build(setup, name, *flags):
    """Builds one object; the command that did."""
    target = f"build/obj/{name}.o"
    (setup.folder / target).unlink(missing_ok=True)
    return setup.make("V=1", target, *flags)


def test_warnings_are_errors_only_where_that_was_configured(tmp_path, strict):
    """`make check` puts WERROR into the environment, and may run configure."""
    assert Setup(tmp_path, WERROR="-Werror").variables()["WERROR"] == ""
    assert strict.variables()["WERROR"] == "-Werror"


@pytest.mark.parametrize("where", ["CPPFLAGS", "CFLAGS"])
def test_a_chosen_level_of_fortification_stays(strict, where):
    command = build(strict, "base/bytes", f"{where}=-O2 -D_FORTIFY_SOURCE=3")
    assert "-D_FORTIFY_SOURCE=3" in command
    assert "-D_FORTIFY_SOURCE=2" not in command


def test_fortification_is_the_rule_where_the_compiler_can(strict):
    assert "-D_FORTIFY_SOURCE=2" in build(strict, "base/bytes")
    assert "-D_FORTIFY_SOURCE=2" not in build(strict, "base/bytes", "CFLAGS=-O0")


def test_a_test_replaces_functions_even_where_the_linker_optimises(strict):
    strict.make("CFLAGS=-O1 -flto", "build/tests/unit/test_crypto_memory")
    assert "[  PASSED  ]" in strict.run("build/tests/unit/test_crypto_memory")


@pytest.mark.parametrize("level", ["-O1", "-Os"])
def test_no_level_of_optimisation_has_warnings_of_its_own(strict, level):
    """One object, of which gcc once thought that it uses what it has not set."""
    build(strict, "base/number", f"CFLAGS={level}")


def test_commands_are_shown_to_those_who_asked_for_them(tmp_path, strict):
    shown = Setup(tmp_path, "--disable-silent-rules").make("build/obj/base/bytes.o")
    assert "-c -o build/obj/base/bytes.o" in shown
    (strict.folder / "build/obj/base/bytes.o").unlink(missing_ok=True)
    assert "  CC      build/obj/base/bytes.o\n" == strict.make("build/obj/base/bytes.o")
