"""Completion in each shell offers what there is: the verbs, their options, and the peers by name."""

import re
import shutil
import subprocess

import pytest

from harness import BUILD, P2PCHATCTL, PATIENCE_S, environment, run
from screen import Screen

ROOT = BUILD
while not (ROOT / "completions").is_dir():
    ROOT = ROOT.parent
COMPLETIONS = ROOT / "completions"

# Loads the completion as the shell itself does, completes $1, and prints what is offered.
BASH = f"""
source /usr/share/bash-completion/bash_completion
source {COMPLETIONS}/p2pchatctl.bash
set -f
read -ra COMP_WORDS <<<"$1"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMP_LINE=$1 COMP_POINT=${{#1}}
compopt() {{ :; }} # works only while readline completes
_p2pchatctl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
FISH = f"source {COMPLETIONS}/p2pchatctl.fish; complete -C $argv[1]"
SHELLS = ["bash", "fish"]

NAMES = ["anna", "andrea", "zo\u00eb", "$(touch${IFS}owned)", "`id`", "a;b", "x'y"]


@pytest.fixture
def complete(home):
    """complete(SHELL, LINE): the words offered."""
    (home / "bin").mkdir()
    (home / "bin" / "p2pchatctl").symlink_to(P2PCHATCTL)

    def run_shell(shell, line):
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        command = {"bash": ["bash", "-c", BASH, "bash", line],
                   "fish": ["fish", "--no-config", "-c", FISH, line]}[shell]
        variables = environment(home)
        variables["PATH"] = f"{home}/bin:{variables['PATH']}"
        done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=home,
                              timeout=PATIENCE_S)
        assert done.stderr == ""
        assert not (home / "owned").exists()
        return [entry.split("\t")[0] for entry in done.stdout.splitlines()]

    return run_shell


def help_of(home, *arguments):
    return run(P2PCHATCTL, "help", *arguments, home=home).out


def verbs(home):
    listed = help_of(home).split("Verbs:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z-]+) ", listed, re.MULTILINE)


@pytest.mark.parametrize("shell", SHELLS)
def test_all_verbs_are_offered(home, complete, shell):
    assert {"send", "chat", "doctor"} <= set(verbs(home))
    assert sorted(complete(shell, "p2pchatctl ")) == sorted(verbs(home))
    assert complete(shell, "p2pchatctl doc") == ["doctor"]
    assert sorted(complete(shell, "p2pchatctl help ")) == sorted(verbs(home))


@pytest.mark.parametrize("shell", SHELLS)
def test_all_options_of_a_verb_are_offered(home, complete, shell):
    for verb in verbs(home):
        options = set(re.findall(r"--[a-z][a-z-]*", help_of(home, verb)))
        assert set(complete(shell, f"p2pchatctl {verb} --")) == options
    assert complete(shell, "p2pchatctl send --wa") == ["--wait"]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_of_a_verb_are_offered(home, complete, shell):
    commands = set(re.findall(r"^  ([a-z-]+) ", help_of(home, "peer"), re.MULTILINE))
    assert {"add", "list", "ping"} <= commands
    assert set(complete(shell, "p2pchatctl peer ")) == commands
    assert complete(shell, "p2pchatctl queue c") == ["cancel"]


@pytest.mark.parametrize("shell", SHELLS)
def test_peers_are_offered_by_name_and_nothing_in_a_name_is_run(alice, complete, shell):
    for name in NAMES:
        alice.ctl("peer", "add", name, "127.0.0.1:1")
    options = f"p2pchatctl -s {alice.socket} "
    for line in ("send -p ", "chat ", "peer show ", "wait-online "):
        offered = complete(shell, options + line)
        assert len(offered) == len(NAMES)
        assert {"anna", "andrea"} <= set(offered)
        assert sorted(complete(shell, options + line + "an")) == ["andrea", "anna"]


@pytest.mark.parametrize("shell", SHELLS)
def test_formats_are_offered(complete, shell):
    assert sorted(complete(shell, "p2pchatctl follow -o ")) == ["cat", "json", "short", "verbose"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_to_be_done_about_a_name_is_offered(complete, shell):
    assert sorted(complete(shell, "p2pchatctl files get --conflict ")) == [
        "overwrite", "rename", "skip"]


@pytest.mark.parametrize("shell", SHELLS)
def test_paths_are_offered_to_be_sent(home, complete, shell):
    (home / "report.pdf").touch()
    assert complete(shell, "p2pchatctl send-file rep") == ["report.pdf"]


@pytest.mark.parametrize("shell", SHELLS)
def test_methods_are_offered_once(home, complete, shell):
    methods = run(P2PCHATCTL, "-q", "rpc", home=home).lines
    assert "peer.unblock" in methods
    assert sorted(complete(shell, "p2pchatctl rpc ")) == sorted(methods)
    assert complete(shell, "p2pchatctl rpc log") == ["log.level"]
    assert complete(shell, "p2pchatctl rpc status ") in ([], [""])


@pytest.mark.parametrize("shell", SHELLS)
def test_types_of_events_are_offered_one_after_the_other(alice, complete, shell):
    offered = complete(shell, "p2pchatctl follow --types ")
    assert {"all", "message.received", "file.offered", "peer.online", "identity.cloned",
            "daemon.stopping"} <= set(offered)
    assert complete(shell, "p2pchatctl follow --types peer.on") == ["peer.online"]
    assert complete(shell, "p2pchatctl follow --types peer.online,message.st") == [
        "peer.online,message.state"]
    # The daemon knows them all.
    alice.ctl("follow", "--no-follow", "--types", ",".join(set(offered) - {"all"}))


@pytest.mark.parametrize("shell", SHELLS)
def test_ids_are_offered_where_a_command_takes_them(alice, complete, shell):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    ids = [alice.ctl("send", "-p", "bob", text).out.strip() for text in ("one", "two")]
    invite = alice.ctl("--json", "invite", "--address", "localhost", "carol").json[0]["id"]
    options = f"p2pchatctl -s {alice.socket} "
    assert sorted(complete(shell, options + "queue cancel ")) == sorted(ids)
    assert sorted(complete(shell, options + f"queue cancel {ids[0]} ")) == sorted(ids)
    assert complete(shell, options + "invite revoke ") == [invite]


@pytest.mark.parametrize("shell", SHELLS)
def test_transfers_are_offered_where_a_command_takes_them(alice, home, complete, shell):
    alice.ctl("peer", "add", "bob", "127.0.0.1:1")
    (home / "downloads").mkdir()
    (home / "report.pdf").touch()
    id = alice.ctl("send-file", "-p", "bob", home / "report.pdf").out.strip()
    options = f"p2pchatctl -s {alice.socket} files "
    for command in ("show", "refuse", "cancel"):
        assert complete(shell, options + f"{command} ") == [id]
    offered = [word.rstrip("/") for word in complete(shell, options + "get ")]
    assert id in offered and "downloads" in offered and "report.pdf" not in offered


@pytest.mark.parametrize("shell", SHELLS)
def test_keys_that_ask_are_offered(alice, bob, complete, shell):
    alice.add(bob)
    bob.wait_for_request(alice)
    options = f"p2pchatctl -s {bob.socket} "
    for command in ("accept", "reject"):
        [key] = complete(shell, options + f"peer {command} ")
        assert key.replace("\\", "") == alice.fingerprint


def key_that_asks(alice, bob):
    alice.add(bob)
    bob.wait_for_request(alice)
    return alice.fingerprint


def test_a_key_is_completed_past_its_colon_in_fish(alice, bob, complete):
    key = key_that_asks(alice, bob)
    for begun in ("SHA256:", key[:10]):
        assert complete("fish", f"p2pchatctl -s {bob.socket} peer accept {begun}") == [key]


@pytest.fixture
def interactive(home):
    """interactive(SHELL, SOCKET): a shell on a terminal, which alone breaks words as shells do."""
    screens = []

    def start(shell, socket):
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        (home / "bin").mkdir()
        (home / "bin" / "p2pchatctl").symlink_to(P2PCHATCTL)
        (home / ".zshrc").write_text(f"fpath=({COMPLETIONS} $fpath)\nautoload -Uz compinit\n"
                                     f"compinit -u -d {home}/dump\nPS1='sh> '\nsetopt no_beep\n")
        (home / ".rc").write_text(f"source /usr/share/bash-completion/bash_completion\n"
                                  f"source {COMPLETIONS}/p2pchatctl.bash\nPS1='sh> '\n")
        command = {"zsh": "zsh -i", "bash": f"bash --rcfile {home}/.rc -i"}[shell]
        variables = dict(environment(home), P2PCHAT_SOCKET=str(socket), ZDOTDIR=str(home))
        variables["PATH"] = f"{home}/bin:{variables['PATH']}"
        screens.append(Screen(home, command, columns=100, rows=50, environment=variables))
        screens[-1].expect_line("sh>")
        return screens[-1]

    yield start
    for screen in screens:
        screen.end()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_key_is_completed_past_its_colon(alice, bob, interactive, shell):
    key = key_that_asks(alice, bob)
    screen = interactive(shell, bob.socket)
    for begun in (key[:4], key[:10]):
        screen.type(f"echo; p2pchatctl peer accept {begun}")
        screen.key("Tab")
        screen.expect_line(f"sh> echo; p2pchatctl peer accept {key}")
        screen.key("C-u")


@pytest.mark.parametrize("shell", SHELLS)
def test_without_a_daemon_no_peer_is_offered_and_nothing_is_said(home, complete, shell):
    assert complete(shell, f"p2pchatctl -s {home}/nowhere chat ") in ([], [""])


@pytest.fixture
def zsh(alice, interactive):
    """An interactive zsh with the completion, since zsh completes nowhere else."""
    for name in ("anna", "andrea"):
        alice.ctl("peer", "add", name, "127.0.0.1:1")
    return interactive("zsh", alice.socket)


@pytest.mark.parametrize("typed, completed", [
    ("p2pchatctl doc", "p2pchatctl doctor"),
    ("p2pchatctl peer conn", "p2pchatctl peer connect"),
    ("p2pchatctl send --wa", "p2pchatctl send --wait"),
    ("p2pchatctl send -p ann", "p2pchatctl send -p anna"),
    ("p2pchatctl chat and", "p2pchatctl chat andrea"),
    ("p2pchatctl follow -o v", "p2pchatctl follow -o verbose"),
    ("p2pchatctl help doc", "p2pchatctl help doctor"),
    ("p2pchatctl rpc log", "p2pchatctl rpc log.level"),
    ("p2pchatctl follow --types peer.on", "p2pchatctl follow --types peer.online"),
    ("p2pchatctl follow --types all,peer.on", "p2pchatctl follow --types all,peer.online"),
    ("p2pchatctl peer unb", "p2pchatctl peer unblock"),
    ("p2pchatctl files get --conflict r", "p2pchatctl files get --conflict rename"),
    ("p2pchatctl files ref", "p2pchatctl files refuse"),
    ("p2pchatctl peer unblock and", "p2pchatctl peer unblock andrea"),
])
def test_zsh_completes(zsh, typed, completed):
    zsh.type(typed)
    zsh.key("Tab")
    zsh.expect_line("sh> " + completed)


def test_zsh_lists_all_verbs_with_what_they_do(zsh, home):
    zsh.type("p2pchatctl ")
    zsh.key("Tab")
    for verb in verbs(home):
        zsh.expect_line(lambda line: re.match(rf"{verb} +-- \w", line), verb)


SEARCHED = {"zsh": ["zsh", "-f", "-c", "print -l $fpath"],
            "fish": ["fish", "-c", "printf '%s\\n' $fish_complete_path"]}


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_they_are_installed_where_the_shells_look(tmp_path, prefix):
    """Without a desktop, which would set XDG_DATA_DIRS."""
    tree, built = tmp_path / "tree", tmp_path / "built"
    built.mkdir()
    subprocess.run([ROOT / "configure", "-q", f"--prefix={prefix}"], cwd=built, check=True,
                   capture_output=True)
    subprocess.run(["make", "-s", "-C", built, "install-completions", f"DESTDIR={tree}"],
                   check=True, capture_output=True)
    assert (tree / prefix[1:] / "share/bash-completion/completions/p2pchatctl").is_file()
    for shell, file in (("zsh", "_p2pchatctl"), ("fish", "p2pchatctl.fish")):
        if shutil.which(shell) is None:
            continue
        searched = subprocess.check_output(SEARCHED[shell], text=True,
                                           env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
        [found] = tree.rglob(file)
        assert "/" + str(found.parent.relative_to(tree)) in searched.splitlines()
