"""The checks of this folder catch what they are for, and leave alone what is right."""

import pathlib
import subprocess

import pytest

LINT = pathlib.Path(__file__).parent


def run(check, *arguments):
    return subprocess.run([LINT / check, *arguments], text=True, capture_output=True)


@pytest.fixture
def src(tmp_path):
    """Writes files of a small house: src("net/loop.c", '#include …')."""

    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return tmp_path

    write("base/bytes.h")
    write("net/loop.h")
    write("core/peer.h")
    write("rpc/rpc_line.h")
    return write


@pytest.mark.parametrize("name, line", [
    ("core/peer.c", '#include "net/loop.h"'),
    ("net/stream.c", '#include "net/loop.h"'),
    ("net/loop.c", "#include <event2/event.h>"),
    ("client/main.c", '#include "rpc/rpc_line.h"'),
    ("daemon/notify.c", "#include <systemd/sd-daemon.h>"),
    ("base/log.c", "#include <stdio.h>"),
])
def test_floors_allow_includes_that_go_down(src, name, line):
    result = run("floors", src(name, line))
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("name, line", [
    ("base/log.c", '#include "net/loop.h"'),
    ("net/loop.c", '#include "core/peer.h"'),
    ("net/loop.c", '#  include   "rpc/rpc_line.h"'),
    ("proto/session.c", '#include "net/loop.h"'),
    ("client/main.c", '#include "core/peer.h"'),
    ("core/peer.c", '#include "rpc/rpc_line.h"'),
    ("core/peer.c", '#include "peer.h"'),
    ("core/peer.c", '#include "core/missing.h"'),
    ("core/peer.c", '#include "../net/loop.h"'),
    ("core/peer.c", "#include <event2/event.h>"),
    ("proto/session.c", "#include <openssl/evp.h>"),
    ("core/peer.c", "#include <sqlite3.h>"),
    ("core/peer.c", "#include <jansson.h>"),
    ("core/peer.c", "#include <systemd/sd-daemon.h>"),
    ("rpc/methods.def", '#include "core/peer.h"'),
])
def test_floors_name_an_include_that_does_not(src, name, line):
    result = run("floors", src(name, "\n" + line + "\n"))
    assert result.returncode == 1
    assert result.stdout.startswith(f"{name}:2: {line}")
    assert len(result.stdout.splitlines()) == 1


def test_floors_name_a_library_with_two_users(src):
    src("daemon/notify.c", "#include <systemd/sd-daemon.h>")
    result = run("floors", src("daemon/main.c", "#include <systemd/sd-journal.h>"))
    assert result.returncode == 1
    assert "daemon/main.c daemon/notify.c" in result.stdout


@pytest.mark.parametrize("name, line, bad", [
    ("core/peer.c", "struct node;", True),
    ("core/peer.c", "int admission_open(const struct node *node);", True),
    ("core/peer.c", '#include "core/node_state.h"', True),
    ("core/peer.c", "struct node_draft draft;", False),
    ("core/peer.c", "struct list *node = list->next;", False),
    ("core/node_peers.c", "struct node;", False),
    ("daemon/main.c", "struct node;", False),
])
def test_floors_name_a_part_that_knows_its_facade(src, name, line, bad):
    src("core/node_state.h")
    result = run("floors", src(name, line))
    assert (result.returncode, result.stdout) == (
        (1, f"{name}:1: {line}  is for the facade\n") if bad else (0, ""))


@pytest.mark.parametrize("files, circle", [
    ({"core/peer.h": "core/link.h", "core/link.c": "core/peer.h"}, "core/link -> core/peer -> core/link"),
    ({"core/peer.c": "core/link.h", "core/link.h": "core/turn.h", "core/turn.c": "core/peer.h"},
     "core/link -> core/turn -> core/peer -> core/link"),
    ({"core/peer.c": "core/link.h", "core/link_in.c": "core/peer.h"},
     "core/link -> core/peer -> core/link"),
    ({"core/peer.c": "core/link.h", "core/link.c": "core/turn.h", "core/turn.c": "base/bytes.h"}, None),
    ({"core/peer.c": "core/peer_state.h", "core/peer_state.h": "core/peer.h"}, None),
    ({"core/peer_in.c": "core/peer_state.h", "core/peer_state.h": "core/peer.h",
      "core/peer.c": "core/peer_state.h"}, None),
])
def test_floors_name_a_circle(src, files, circle):
    for noun in ("link", "turn", "peer_state"):
        src(f"core/{noun}.h")
    for name, included in files.items():
        house = src(name, f'#include "{included}"\n')
    result = run("floors", house)
    assert (result.returncode, result.stdout) == (
        (1, f"{circle}: is a circle\n") if circle else (0, ""))


def test_floors_name_a_file_outside_of_them(src):
    result = run("floors", src("util/misc.c"))
    assert (result.returncode, result.stdout) == (1, "util/misc.c: is on no floor\n")


def function(lines):
    return "int noun_verb(void)\n{\n" + "    step();\n" * lines + "}\n"


@pytest.mark.parametrize("text, finding", [
    (function(100), None),
    (function(101), ":2: 101 lines in: int noun_verb(void)"),
    ("\n" * 500, None),
    ("\n" * 501, ": more than 500 lines"),
])
def test_size_has_its_limits(tmp_path, text, finding):
    (tmp_path / "noun.c").write_text(text)
    result = run("size", tmp_path)
    assert result.returncode == (1 if finding else 0)
    assert result.stdout == (f"{tmp_path}/noun.c{finding}\n" if finding else "")


@pytest.mark.parametrize("line, bad", [
    ("    strcpy(a, b);", True),
    ("    int n = atoi(text);", True),
    ("    p = alloca(n);", True),
    ("    snprintf(a, n, b);", False),
    ("    crypto_random(a, n);", False),
    ("    stats->rand(1);", False),
])
def test_functions_finds_the_forbidden_ones(tmp_path, line, bad):
    (tmp_path / "noun.c").write_text(line + "\n")
    result = run("functions", tmp_path)
    assert result.returncode == (1 if bad else 0)
    assert (line in result.stdout) == bad


LICENCE = "/* SPDX-License-Identifier: ISC */\n"
SECTION = "/* --- parts " + "-" * 84 + " */"


@pytest.mark.parametrize("name, text, finding", [
    ("noun.c", "    int r = step();", None),
    ("noun.c", "    int rc = step();", ":2: a status is kept in r"),
    ("noun.c", "static int noun_end(struct noun *noun, int result)", ":2: a status is kept in r"),
    ("noun.c", "struct noun {\n    int result;\n};", None),
    ("noun.c", "static const char *const words[] = {", None),
    ("noun.c", "static const char *const WORDS[] = {",
     ":2: a constant table is in lower case: words"),
    ("noun.c", "    static const int DAYS[] = {31};", ":2: a constant table is in lower case: days"),
    ("noun.c", SECTION, None),
    ("noun.c", SECTION[:-3] + "---\n * what they are\n */", None),
    ("noun.c", "/* --- parts --- */",
     ":2: a section begins with /* --- name --- */, 100 columns wide"),
    ("noun.c", "// parts", ":2: a section begins with /* --- name --- */, 100 columns wide"),
    ("noun.c", '#define LOG_COMPONENT "noun"\n\n#include "base/log.h"', None),
    ("noun.c", '#include "base/log.h"\n\n#define LOG_COMPONENT "noun"',
     ":4: LOG_COMPONENT stands before the includes"),
    ("noun.h", "int noun_new(struct noun **noun, int size);", None),
    ("noun.h", "struct noun *noun_new(int size);", ":2: the form is int x_new(struct x **x, ...)"),
    ("noun.h", "int noun_new(int size, struct noun **noun);",
     ":2: the form is int x_new(struct x **x, ...)"),
    ("noun.h", "int noun_free(struct noun *noun);", ":2: the form is void x_free(struct x *x)"),
    ("noun.h", "int noun_init(struct noun *noun);\nvoid noun_deinit(void);", None),
    ("noun.h", "struct noun noun_init(void);",
     ":2: the form is void or int x_init(struct x *x, ...)"),
    ("noun.h", "void noun_deinit(struct noun **noun);",
     ":2: the form is void x_deinit(struct x *x)"),
    ("noun.c", "struct noun *noun_new(int size)", None),
])
def test_dialect_knows_one_way_of_writing(tmp_path, name, text, finding):
    (tmp_path / name).write_text(LICENCE + text + "\n")
    result = run("dialect", tmp_path)
    assert result.returncode == (1 if finding else 0)
    assert result.stdout == (f"{tmp_path}/{name}{finding}\n" if finding else "")


@pytest.mark.parametrize("block, bad", [
    ("    int r;\n\n    step();\n", True),
    ("    CLEANUP(cleanup_free) char *text = NULL;\n    struct span rest;\n\n    step();\n", True),
    ("    static const int sizes[] = {\n        1,\n    };\n\n    step();\n", True),
    ("    /* Why. */\n    unsigned *a = b, *c = d;\n\n    step();\n", True),
    ("    while (more) {\n        size_t n = step();\n\n        use(n);\n    }\n", True),
    ("    int r;\n    step();\n", False),
    ("    int r = step();\n    use(r);\n\n    step();\n", False),
    ("    step();\n\n    int r = step();\n    use(r);\n", False),
    ("    return r;\n", False),
])
def test_dialect_has_no_blank_line_after_declarations(tmp_path, block, bad):
    text = LICENCE + "int noun_verb(void)\n{\n" + block + "}\n"
    (tmp_path / "noun.c").write_text(text)
    result = run("dialect", tmp_path)
    assert result.returncode == (1 if bad else 0)
    line = text[:text.index("\n\n") + 1].count("\n") + 1 if bad else 0
    assert result.stdout == (f"{tmp_path}/noun.c:{line}: no blank line after declarations\n" if bad else "")


RANGES = "enum { OUTCOME_RANGE = 2 };\nenum outcome_first { OUTCOME_DB = 10, OUTCOME_SEAL = 20 };\n"
DB = "enum db_outcome {\n    DB_FULL = OUTCOME_DB, /* no room, 1 = none */\n    DB_GONE,\n};\n"
SEAL = "enum seal_outcome { SEAL_BROKEN = OUTCOME_SEAL };\n"


@pytest.mark.parametrize("ranges, db, seal, finding", [
    (RANGES, DB, SEAL, None),
    (RANGES.replace("20", "11"), DB, SEAL, "OUTCOME_SEAL = 11 meets the range before it"),
    (RANGES.replace("10", "1"), DB, SEAL, "OUTCOME_DB = 1 meets the range before it"),
    (RANGES, DB.replace("OUTCOME_DB", "1"), SEAL, "db_outcome begins with 1, not with OUTCOME_DB"),
    (RANGES, DB.replace("DB_GONE", "DB_GONE = 20"), SEAL, "DB_GONE has a value of its own"),
    (RANGES, DB.replace("DB_GONE,", "DB_GONE, DB_LOST,"), SEAL, "has more than 2 values"),
    (RANGES, DB, "", "nobody uses OUTCOME_SEAL"),
    (RANGES.replace(", OUTCOME_SEAL = 20", ""), DB, SEAL, "OUTCOME_SEAL is not in base/outcome.h"),
])
def test_outcomes_share_no_number(src, ranges, db, seal, finding):
    src("base/outcome.h", ranges)
    src("core/peer.h", seal)
    result = run("outcomes", src("net/loop.h", db))
    assert result.returncode == (1 if finding else 0)
    assert (finding or "") in result.stdout
    assert len(result.stdout.splitlines()) == (1 if finding else 0)


@pytest.mark.parametrize("explained", ["NODE_BLOCKED", "NODE_BLOCKED_TOO"])
def test_outcomes_of_requests_are_all_explained(src, explained):
    src("base/outcome.h", "enum { OUTCOME_RANGE = 2, OUTCOME_NODE = 10 };")
    src("core/peer.h", "enum node_outcome { NODE_BLOCKED = OUTCOME_NODE };")
    result = run("outcomes", src("daemon/control_call.c", explained))
    assert (result.returncode, "does not explain NODE_BLOCKED" in result.stdout) == (
        (0, False) if explained == "NODE_BLOCKED" else (1, True))


COLOURS = "enum colour { RED, GREEN = 1, /* of grass */ BLUE, COLOUR_COUNT, BEST_COLOUR = BLUE };"


@pytest.mark.parametrize("places, lacking", [
    (["RED", "GREEN", "BLUE"], None),
    (["RED", "BLUE"], "GREEN"),
    (["RED", "GREEN"], "BLUE"),
    (["GREEN", "BLUE"], None),
    (["STDIN_FILENO"], None),
])
def test_tables_have_no_hole(src, places, lacking):
    src("base/colour.h", COLOURS)
    rows = ", ".join(f'[{place}] = "{place}"' for place in places)
    table = f"static const char *const names[] = {{\n    {rows},\n}};\n"
    result = run("tables", src("base/colour.c", table))
    assert result.stdout == (f"base/colour.c: names has no place for {lacking}\n" if lacking else "")
    assert result.returncode == (1 if lacking else 0)


@pytest.mark.parametrize("line, code", [
    ("size_t size = number;", 1),
    ("size_t size = (size_t)number;", 0),
])
def test_words_must_be_as_wide_as_what_they_hold(tmp_path, line, code):
    for folder in ("src", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "src/sum.c").write_text("#include <stddef.h>\n#include <stdint.h>\n"
                                        "size_t sum(uint64_t number);\n"
                                        f"size_t sum(uint64_t number) {{ {line} return size; }}\n")
    result = run("words", tmp_path)
    if result.returncode == 77:
        pytest.skip(result.stdout)
    assert result.returncode == code, result.stdout


@pytest.mark.parametrize("name", ["noun.c", "noun.h", "nouns.def"])
def test_dialect_wants_the_licence_first(tmp_path, name):
    (tmp_path / name).write_text("/* A noun. */\n")
    result = run("dialect", tmp_path)
    assert result.returncode == 1
    assert result.stdout == f"{tmp_path}/{name}:1: the first line is {LICENCE}"
