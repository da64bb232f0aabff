"""The mutants of the simulation name lines of the program; a line that was changed takes its along."""

import importlib.util
import pathlib

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FILE = SOURCE / "tests/simulation/mutants/test_mutants.py"

spec = importlib.util.spec_from_file_location("mutants", FILE)
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_a_mutant_changes_one_place_of_the_program(name):
    for file, text, changed in mutants.MUTANTS[name]:
        assert (SOURCE / file).read_text().count(text) == 1, f"{file} has changed: {text}"
        assert text != changed
