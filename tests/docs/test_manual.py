"""The manual names what there is, all of it and nothing else.

What there is comes from the tables in the source and from the programs' own help; what is named
comes from the pages. A failure says which page lacks what, and where in it.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

from mdoc import PAGES, ROOT, Page, compare, plain

BUILD = pathlib.Path(os.environ.get("P2PCHAT_BUILD", ROOT / "build")).resolve()
SOURCE = ROOT / "src"
VECTORS = ROOT / "tests/vectors/handshake-suite1-rsa2048.json"

CLIENT = Page("p2pchatctl.1")
DAEMON = Page("p2pchatd.8")
CONFIG = Page("p2pchatd.conf.5")
CONTROL = Page("p2pchat-control.7")
PROTOCOL = Page("p2pchat-protocol.7")

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z0-9])(?!\w)")


def source(name):
    return (SOURCE / name).read_text(encoding="utf-8")


def sources(folder):
    return "\n".join(path.read_text(encoding="utf-8")
                     for path in sorted((SOURCE / folder).rglob("*.[ch]")))


def literals(text):
    """The string literals of C code, neighbours joined."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for literal in re.findall(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', text):
        pieces = re.findall(r'"((?:[^"\\\n]|\\.)*)"', literal)
        yield "".join(pieces).replace(r"\"", '"').replace(r"\n", "\n")


def table(name, macro):
    """The entries of a .def file: their arguments, strings joined and unquoted."""
    entries = re.findall(rf"^{macro}\((.*?)\)$", source(name), re.MULTILINE | re.DOTALL)
    joined = [re.sub(r'"\s+"', "", entry) for entry in entries]
    return [[argument.strip().strip('"') for argument in
             re.findall(r'"(?:[^"\\]|\\.)*"|[^,\s][^,]*', entry)] for entry in joined]


def enum(name, prefix):
    """The values of the enum constants with this prefix."""
    found = re.findall(rf"\b{prefix}(\w+) = (0x[0-9A-Fa-f]+|\d+)", source(name))
    assert found, f"no {prefix}* in src/{name}"
    return {constant: int(value, 0) for constant, value in found}


def help_of(program, *arguments):
    done = subprocess.run([BUILD / program, *arguments], text=True, capture_output=True, check=True)
    assert done.stderr == ""
    return done.stdout


# --- p2pchatctl(1) ------------------------------------------------------------------------------

VERBS = [entry[0] for entry in table("client/verbs.def", "VERB")]
COMMON = {"-s", "--socket", "--json", "-q", "--quiet", "-h", "--help"}


def verb_help(verb):
    """Its help without the options that every verb has."""
    return re.split(r"^ +-s, --socket", help_of("p2pchatctl", "help", verb), flags=re.MULTILINE)[0]


def test_every_verb_has_a_place():
    compare(CLIENT.page, "'.Sh VERBS' (a '.Ss' each)",
            [part.head for part in CLIENT.section("VERBS").subsections()], VERBS, "verb")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_s_options_are_those_of_its_help(verb):
    part = CLIENT.section("VERBS").subsection(verb)
    compare(CLIENT.page, f"'.Ss {verb}'", part.flags() - COMMON,
            set(OPTION.findall(verb_help(verb))) - COMMON, "option")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_s_synopsis_names_it(verb):
    first = CLIENT.section("VERBS").subsection(verb).lines[0]
    assert first.startswith(f".D1 Nm Cm {verb}"), \
        f"man/{CLIENT.page}: '.Ss {verb}' must begin with its synopsis, '.D1 Nm Cm {verb} ...'"


def test_common_options_are_those_of_every_help():
    real = set(OPTION.findall(help_of("p2pchatctl", "--help")))
    compare(CLIENT.page, "'.Sh DESCRIPTION'",
            {flag for item in CLIENT.section("DESCRIPTION").items()
             for flag in OPTION.findall(" ".join("-" + f for f in re.findall(r"Fl (\S+)", item.head)))},
            real, "option")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_s_commands_are_those_of_its_help(verb):
    """Such as `peer add`, and what can be typed into a chat. The synopsis may name them, too."""
    part = CLIENT.section("VERBS").subsection(verb)
    listed = {item.head.split()[1] for item in part.items() if re.match(r"(Cm|Ic) ", item.head)}
    real = set(re.findall(r"^  ([a-z][a-z-]*|//?[a-z]*)(?= )", verb_help(verb), re.MULTILINE))
    real = {"//" if name.startswith("//") else name for name in real}
    in_synopsis = set(re.findall(r"[a-z-]+", part.lines[0]))
    compare(CLIENT.page, f"'.Ss {verb}' (as '.It Cm')", listed | real & in_synopsis, real, "command")


SYSEXITS = dict(OK=0, USAGE=64, DATAERR=65, NOUSER=67, UNAVAILABLE=69, SOFTWARE=70, OSERR=71,
                CANTCREAT=73, IOERR=74, TEMPFAIL=75, PROTOCOL=76, NOPERM=77, CONFIG=78)


def statuses(page):
    return [int(item.head) for item in page.section("EXIT STATUS").items()]


def test_exit_statuses_of_the_client():
    code = sources("client")
    real = {int(entry[1]) for entry in table("rpc/kinds.def", "KIND")}
    real |= {SYSEXITS[name] for name in re.findall(r"\bEX_([A-Z]+)\b", code)}
    real |= {int(value) for value in re.findall(r"CTL_INTERRUPTED = (\d+)", code)}
    compare(CLIENT.page, "'.Sh EXIT STATUS'", statuses(CLIENT), real, "status")


def variables(*folders):
    code = "\n".join(sources(folder) for folder in folders)
    reads = re.findall(r'\b(?:getenv|environment|\w+_directory)\("([A-Z][A-Z_]+)"', code)
    names = {text for text in literals(code) if re.fullmatch("P2PCHAT_[A-Z_]+", text)}
    return set(reads) | {name + "NAME" if name.endswith("_") else name for name in names}


def documented_variables(page):
    return {name.strip() for item in page.section("ENVIRONMENT").items()
            for name in item.head.removeprefix("Ev ").split(" , ")}


def test_environment_of_the_client():
    of_libc = {"TZ"}
    compare(CLIENT.page, "'.Sh ENVIRONMENT'", documented_variables(CLIENT) - of_libc,
            variables("client", "rpc"), "variable")


# --- p2pchatd(8) and p2pchatd.conf(5) -------------------------------------------------------------

def test_options_of_the_daemon():
    real = set(OPTION.findall(help_of("p2pchatd", "--help")))
    listed = {"-" + flag for item in DAEMON.section("DESCRIPTION").items()
              for flag in re.findall(r"Fl (\S+)", item.head)}
    compare(DAEMON.page, "'.Sh DESCRIPTION'", listed, real, "option")


def test_exit_statuses_of_the_daemon():
    compare(DAEMON.page, "'.Sh EXIT STATUS'", statuses(DAEMON),
            enum("daemon/exit_status.h", "EXIT_STATUS_").values(), "status")


def test_environment_of_the_daemon():
    compare(DAEMON.page, "'.Sh ENVIRONMENT'", documented_variables(DAEMON), variables("daemon"),
            "variable")


def test_events_of_the_log():
    listed = [item.macros("Ql")[0] for item in DAEMON.section("DESCRIPTION").subsection("The log").items()]
    compare(DAEMON.page, "'.Ss The log'", listed,
            [name for name, _ in table("daemon/journal_events.def", "EVENT")], "event")


SETTINGS = {entry[0]: entry[1:] for entry in table("daemon/settings.def", "SETTING")}

# What the page calls a value of each type.
VALUES = {"ADDRESSES": "address", "PATH": "path", "NUMBER": "number", "KEY_SIZE": "number",
          "PEER_NAME": "name", "POLICY": "policy", "AGE": "duration", "SIZE": "size",
          "LOG_LEVEL": "level", "SWITCH": "yes-or-no", "SHARE": "share"}


def default_of(key):
    """Its default as it would be written in the file."""
    kind, default = SETTINGS[key][:2]
    plain = default.replace(r"\"", '"')
    return plain if kind in ("ADDRESSES", "NUMBER", "KEY_SIZE") else f'"{plain}"'


def documented_keys():
    return {item.macros("Ic")[0]: item for item in CONFIG.section("SETTINGS").items()
            if item.head.startswith("Ic ")}


def test_every_key_of_the_configuration_has_a_place():
    compare(CONFIG.page, "'.Sh SETTINGS' (as '.It Ic')", documented_keys(), SETTINGS, "key")


@pytest.mark.parametrize("key", SETTINGS)
def test_a_key_s_kind_of_value_is_the_real_one(key):
    kind = VALUES[SETTINGS[key][0]]
    assert re.search(rf"\bAr {kind}\b", documented_keys()[key].head), \
        f"man/{CONFIG.page}: '.It Ic {key} No = Ar {kind}'"


@pytest.mark.parametrize("key", [key for key in SETTINGS if SETTINGS[key][0] == "NUMBER"])
def test_a_number_s_range_is_the_real_one(key):
    low, high = SETTINGS[key][2:4]
    stated = re.search(r"\b(\d+) to (\d+)\b", documented_keys()[key].text)
    if high != "INT64_MAX":
        assert stated and stated.groups() == (low, high), f"man/{CONFIG.page}: range of {key}"
    else:
        assert not stated, f"man/{CONFIG.page}: {key} has no upper bound"


def test_the_settings_that_wait_for_a_start_are_named():
    first = CONFIG.section("SETTINGS").text.split(".Bl")[0]
    assert re.findall(r"^\.Ic ([a-z-]+)", first, re.MULTILINE) == \
        [key for key in SETTINGS if SETTINGS[key][5] == "START"]


@pytest.mark.parametrize("key", SETTINGS)
def test_a_key_s_default_is_the_real_one(key):
    item = documented_keys()[key]
    stated = re.search(r"^Default:\n\.Li (.*?)(?: [.,])?$", item.text, re.MULTILINE)
    assert stated, f"man/{CONFIG.page}: '.It Ic {key}' must say 'Default:' and then '.Li VALUE .'"
    assert plain(stated[1]) == default_of(key), f"man/{CONFIG.page}: default of {key}"


def test_the_daemon_prints_every_key(tmp_path):
    environment = dict(os.environ, HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))
    done = subprocess.run([BUILD / "p2pchatd", "-T"], text=True, capture_output=True, check=True,
                          env=environment)
    assert re.findall(r"^([a-z-]+) = ", done.stdout, re.MULTILINE) == list(SETTINGS)


# --- p2pchat-control(7) ---------------------------------------------------------------------------

METHODS = {entry[0]: entry[2:] for entry in table("rpc/methods.def", "METHOD")}


def documented_methods():
    return {item.macros("Ic")[0]: item for item in CONTROL.section("METHODS").items()
            if item.head.startswith("Ic ")}


def test_every_method_has_a_place():
    compare(CONTROL.page, "'.Sh METHODS' (as '.It Ic')", documented_methods(), METHODS, "method")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_parameters_and_access(method):
    item = documented_methods()[method]
    where = f"'.It Ic {method}'"
    declared = METHODS[method][1].split()
    typed = [name for name in item.macros("Fa") if ":" in name]
    compare(CONTROL.page, where, typed, declared, "parameter (as '.Fa')")
    assert typed == declared, f"man/{CONTROL.page}: {where}: order of the parameters"
    names = {name.partition(":")[0].rstrip("?") for name in declared}
    mentioned = {name for name in item.macros("Fa") if ":" not in name}
    compare(CONTROL.page, where, mentioned, mentioned & names, "parameter")
    admin = METHODS[method][0] == "ADMIN"
    assert item.head.endswith("Pq admin") == admin, \
        f"man/{CONTROL.page}: {where} must {'' if admin else 'not '}end with 'Pq admin'"


def event_types():
    """What the daemon's code names like an event and is no method."""
    named = {text for text in literals(sources("daemon"))
             if re.fullmatch(r"(message|peer|follow|daemon|invite|file)\.[a-z_]+|identity\.[a-z_]+ed", text)}
    return named - set(METHODS)


def test_every_type_of_event_has_a_place():
    documented = [name for item in CONTROL.section("EVENTS").items()
                  for name in item.head.removeprefix("Ic ").split(" , ")]
    compare(CONTROL.page, "'.Sh EVENTS' (as '.It Ic')", documented, event_types(), "type")


def test_every_kind_of_error_has_its_row():
    words = {"true": "yes", "false": "no"}
    compare(CONTROL.page, "'.Sh ERROR REPLIES'",
            [tuple(row) for row in CONTROL.section("ERROR REPLIES").rows()],
            [(name, status, words[retry]) for name, status, retry in table("rpc/kinds.def", "KIND")],
            "kind")


def test_every_member_of_an_object_is_named():
    code = source("daemon/control_view.c")
    real = set(re.findall(r'json_object_set_new\(\w+, "(\w+)"', code))
    named = set(re.findall(r"\w+", " ".join(re.findall(r"\bVa (.*)", CONTROL.text))))
    envelope = {"sub", "seq", "type", "message", "peer"}
    compare(CONTROL.page, "'.Sh SHAPES' or '.Sh EVENTS' (as '.Va')", named & real | envelope & real,
            real, "member")


def test_no_member_is_named_that_does_not_exist():
    code = sources("daemon") + sources("rpc")
    listed = {name for item in CONTROL.section("SHAPES").items()
              for name in re.findall(r"\w+", re.sub(r"\b(?:Va|Bq)\b", "", item.head))}
    unknown = {name for name in listed if f'"{name}"' not in code}
    compare(CONTROL.page, "'.Sh SHAPES'", unknown, set(), "member")


def test_the_version_of_the_interface():
    numbers = enum("base/version.h", "VERSION_")
    control = f"{numbers['CONTROL_MAJOR']}.{numbers['CONTROL_MINOR']}"
    assert f"version {control} of the interface" in CONTROL.text
    assert f"version {numbers['PROTOCOL']} of the protocol" in PROTOCOL.text
    assert f".It The control interface, {control}\n" in DAEMON.text
    assert f".It The protocol, {numbers['PROTOCOL']}\n" in DAEMON.text


# --- p2pchat-protocol(7) --------------------------------------------------------------------------

@pytest.mark.parametrize("section, header, prefix", [
    ("FRAMES", "proto/frame.h", "FRAME_"),
    ("RECORDS", "proto/record.h", "RECORD_"),
    ("CLOSE CODES", "proto/close_code.h", "CLOSE_"),
])
def test_numbers_on_the_wire(section, header, prefix):
    real = {(name, value) for name, value in
            re.findall(rf"\b{prefix}(\w+) = (0x[0-9A-F]{{2}}),", source(header))}
    real -= {("OPTIONAL", "0x80")}
    compare(PROTOCOL.page, f"'.Sh {section}'",
            [(row[0], row[1]) for row in PROTOCOL.section(section).rows()], real, "row")


def test_labels_of_the_key_schedule():
    wanted = set(re.findall(r'X\([^,]+(?:\([^)]*\))?, "([a-z ]+)"', PROTOCOL.text))
    code = set(literals(source("proto/keyschedule.c")))
    real = {text for text in code if re.fullmatch(r"[a-z]+( [a-z]+)?", text)}
    compare(PROTOCOL.page, "'.Sh KEY SCHEDULE' or '.Sh REKEY'", wanted, real, "label")


def test_contexts_of_signatures_and_hashes():
    in_page = set(re.findall(r'"(p2pchat/1 [a-z -]+?)(?:\\0)?"', plain(PROTOCOL.text)))
    in_code = {text.removesuffix(r"\0") for folder in ("crypto", "proto")
               for text in literals(sources(folder)) if text.startswith("p2pchat/1 ")}
    compare(PROTOCOL.page, "'.Sh ALGORITHMS' and others", in_page,
            {text for text in in_code if text != "p2pchat/1 "}, "context")


def test_values_of_the_vectors_are_those_of_the_file():
    vectors = json.loads(VECTORS.read_text())
    quoted = re.findall(r"^(\w+) +([0-9a-f]{16,})$", PROTOCOL.section("TEST VECTORS").text,
                        re.MULTILINE)
    assert len(quoted) > 10
    for name, value in quoted:
        assert vectors[name] == value, f"man/{PROTOCOL.page}: '.Sh TEST VECTORS': {name}"
    assert vectors["safety_number"] in PROTOCOL.text


def constant(name):
    """The value of an enum constant anywhere in the protocol or the core, in its own unit."""
    for folder in ("proto", "core", "net"):
        found = re.search(rf"\b{name} = ([0-9 *]+)", sources(folder))
        if found:
            value = 1
            for factor in found[1].split("*"):
                value *= int(factor)
            return value
    raise AssertionError(f"no {name} in the source")


TIMERS = {
    "connecting to one address": "DIAL_CONNECT_MS",
    "to all of a peer": "DIAL_RACE_MS",
    "HELLO_J after accept, HELLO_H after HELLO_J": "SESSION_HELLO_TIMEOUT_MS",
    "the whole handshake": "SESSION_HANDSHAKE_TIMEOUT_MS",
    "silence within a frame": "SESSION_FRAME_TIMEOUT_MS",
    "a pending session": "SESSION_PENDING_TIMEOUT_MS",
    "PONG after PING": "SESSION_PONG_TIMEOUT_MS",
    "the same, when the link is in doubt": "SESSION_DOUBT_TIMEOUT_MS",
    "a message unacknowledged, then a PING": "SESSION_ACK_PATIENCE_MS",
    "a step of a rekey": "EPOCH_STEP_TIMEOUT_MS",
    "closing": "LINK_LINGER_MS",
}


def test_timers_are_the_real_ones():
    compare(PROTOCOL.page, "'.Sh TIMERS'",
            [tuple(row) for row in PROTOCOL.section("TIMERS").rows()],
            [(what, f"{constant(name) // 1000} s") for what, name in TIMERS.items()], "row")


@pytest.mark.parametrize("name, text", [
    ("LIMITS_STRANGERS_MAX", "{} connections that have not finished"),
    ("LIMITS_PER_ORIGIN_MAX", "{} of them from one IPv4"),
    ("LIMITS_HELLOS_PER_S", "{} handshakes per second"),
    ("LIMITS_HELLOS_BURST", "{} in a burst; 20 per second from one address"),
    ("LIMITS_PENDING_MAX", "at most {} such sessions"),
    ("FRAME_HANDSHAKE_MAX", "{} bytes for the body"),
    ("PINGS_OPEN_MAX", "At most {} may be unanswered"),
    ("PINGS_RECEIVED_MAX", "at most {} may be sent in 10 s"),
    ("SESSION_WINDOW_ITEMS", "At most {} messages or 4 MiB"),
    ("EPOCH_AGE_USED_MS", "15 min old and a message went"),
    ("BATCH_SIZE_MIN", "P = {}, doubles it"),
    ("SUSPICION_SESSIONS", "If three sessions in a row end"),
])
def test_limits_are_the_real_ones(name, text):
    flowing = re.sub(r"\s+", " ", PROTOCOL.text)
    assert text.format(constant(name)) in flowing, f"man/{PROTOCOL.page}: {name} = {constant(name)}"


# --- all of them ------------------------------------------------------------------------------------

@pytest.mark.parametrize("page", PAGES)
def test_references_to_our_pages_lead_somewhere(page):
    ours = {name for name in re.findall(r"Xr (p2pchat\S* \d)", Page(page).text)}
    missing = {name for name in ours if name.replace(" ", ".") not in PAGES}
    assert not missing, f"man/{page}: no such page: {missing}"


@pytest.mark.parametrize("page", PAGES)
def test_see_also_is_in_order(page):
    names = re.findall(r"^\.Xr (\S+) (\d)", Page(page).section("SEE ALSO").text, re.MULTILINE)
    assert names == sorted(names, key=lambda name: (name[1], name[0])), f"man/{page}: SEE ALSO"


COMMAND = re.compile(r"p2pchatctl ((?:--?[a-z]+ )*)([a-z][a-z-]*)((?: [^\s|;<>()\"'`&]+)*)")
PROSE = {"talks", "takes"}  # what follows the program's name in sentences about it


def code_of_markdown(text):
    """What stands in backticks or in indented lines."""
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4}.*", text, re.MULTILINE)


def code_of_page(page):
    return [plain(line) for line in re.findall(r"^(?:\.(?:Dl|Ql) )?(.*p2pchat(?:ctl|d) .*)", page.text,
                                               re.MULTILINE) if not line.startswith(".")]


def mentions():
    """Everything that tells somebody to type a command: where, and the text."""
    for name in ("README.md", "SECURITY.md"):
        if (ROOT / name).exists():
            for code in code_of_markdown((ROOT / name).read_text(encoding="utf-8")):
                yield name, code
    for name in PAGES:
        for code in code_of_page(Page(name)):
            yield f"man/{name}", code
    for path in sorted((ROOT / "contrib").glob("p2pchat-*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield f"contrib/{path.name}", line
    for path in sorted(SOURCE.rglob("*.c")):
        for text in literals(path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), text


def test_commands_that_people_are_told_to_type_exist():
    commands = set(re.findall(r"^  ([a-z][a-z-]*)\b", verb_help("peer"), re.MULTILINE))
    wrong = []
    for where, text in mentions():
        for _, verb, rest in COMMAND.findall(text):
            if verb in PROSE:
                continue
            words = [word.rstrip(".,:") for word in rest.split()]
            told = f"{where}: p2pchatctl {verb}{rest}"
            if verb not in VERBS:
                wrong.append(f"{told}: no such verb")
                continue
            known = set(OPTION.findall(verb_help(verb))) | COMMON
            wrong += [f"{told}: no such option: {option}"
                      for option in OPTION.findall(rest) if option not in known]
            if verb == "peer" and words and words[0] not in commands:
                wrong.append(f"{told}: no such command")
    assert not wrong, "\n" + "\n".join(sorted(set(wrong)))


def test_options_of_the_daemon_that_people_are_told_to_type_exist():
    real = set(OPTION.findall(help_of("p2pchatd", "--help")))
    wrong = {f"{where}: {told[0]}" for where, text in mentions()
             for told in re.finditer(r"(?<!-u )p2pchatd(?: -\S+(?: [^-\s]\S*)?)+", text)
             for option in OPTION.findall(told[0].rstrip(".,;")) if option not in real}
    assert not wrong, "\n" + "\n".join(sorted(wrong))
