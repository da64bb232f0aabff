"""The front page and the pages for developers name what there is: files, goals of make, tiers, functions."""

import os
import pathlib
import re

import pytest

from mdoc import ROOT

PAGES = ["README.md", "HACKING.md", "tests/README.md"]
# What stands for a name of the reader's choice.
CHOICE = re.compile(r"NAME|TIER|BUILD|FILE")


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def spans(page):
    """What stands in backticks, and the lines of examples."""
    text = text_of(page)
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)


def paths(page):
    """The paths of files in it, as words below a folder of the source."""
    for span in spans(page):
        for word in span.split():
            if re.match(r"(?:src|tests|man|systemd|completions|contrib)/", word):
                yield word
            elif re.fullmatch(r"build/tests/\w+/\w+", word):
                yield word.removeprefix("build/") + ".c"


@pytest.mark.parametrize("page", PAGES)
def test_files_exist(page):
    named = [path for path in paths(page) if not CHOICE.search(path)]
    missing = [path for path in named if not list(ROOT.glob(path.rstrip("/")))]
    assert missing == []
    assert len(named) > 20 or page != "HACKING.md"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]*)", text_of(page)):
        assert target == "" or ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_goals_of_make_exist(page):
    rules = "".join(path.read_text(encoding="utf-8")
                    for path in [ROOT / "Makefile", *ROOT.glob("*/*.mk"), *ROOT.glob("*/*/*.mk")])
    goals = {goal for heads in re.findall(r"^([a-z][\w. -]*):", rules, re.MULTILINE)
             for goal in heads.split()}
    for span in spans(page):
        match = re.match(r"make ([a-z][\w.-]*)", span)
        if match:
            assert match[1] in goals, f"{page} says make {match[1]}"


def test_the_function_that_a_place_names_is_there():
    rows = re.findall(r"^\| [^|]+ \| `(\w+)\(\)` in `([^`]+)` \|$", text_of("HACKING.md"), re.MULTILINE)
    assert rows
    for function, path in rows:
        assert re.search(rf"\b{function}\(", (ROOT / path).read_text(encoding="utf-8")), function


def test_every_tier_has_its_row():
    rows = set(re.findall(r"^\| `(\w+)` \|", text_of("tests/README.md"), re.MULTILINE))
    shared = {"peer", "tools", "vectors"}
    folders = {entry.name for entry in os.scandir(ROOT / "tests")
               if entry.is_dir() and not entry.name.startswith(("_", "."))} - shared
    assert rows == folders


def test_every_table_of_the_house_exists():
    for name in re.findall(r"`([\w/]+\.def)`", text_of("HACKING.md")):
        assert list((ROOT / "src").rglob(pathlib.PurePath(name).name)), name
