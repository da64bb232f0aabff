"""p2pchatctl chat, as a user sees it: keys in, screen compared."""

import datetime
import re
from types import SimpleNamespace

import pytest

from harness import P2PCHATCTL, environment, eventually
from screen import Screen
from script import Script

# Where it is about noon: no day ends while a chat is looked at.
HOURS = 12 - datetime.datetime.now(datetime.timezone.utc).hour
ZONE = datetime.timezone(datetime.timedelta(hours=HOURS))


@pytest.fixture
def chat(daemon):
    """chat(DAEMON, ARGUMENTS…, columns=80, rows=24): a chat on a screen."""
    screens = []

    def open_chat(on, *arguments, **size):
        command = " ".join(map(str, [P2PCHATCTL, "chat", *arguments]))
        here = dict(environment(on.home, on.socket), TZ=f"NOON{-HOURS:+d}")
        screens.append(Screen(on.home, command, environment=here, **size))
        screens[-1].expect_line(lambda line: line.endswith(">"), "with a prompt")
        return screens[-1]

    yield open_chat
    for screen in screens:
        leave(screen)
        screen.end()


def leave(screen):
    """Ends the chat as a user does, if it has not ended: it must, whatever was typed."""
    if not any(line.startswith("exit status") for line in screen.lines()):
        screen.key("C-c", "C-d")
        screen.expect_line(lambda line: line.startswith("exit status"), "of the chat")


def shown(screen):
    """The screen with times of day as 00:00 and the day as DAY."""
    return [re.sub(r"^\d\d:\d\d", "00:00", re.sub(r"^--- \w+, \d+ \w+ \d{4} ---$", "DAY", line))
            for line in map(str.rstrip, screen.lines())]


def expect(screen, *wanted):
    """Waits until that is on the screen."""
    wanted = [line.rstrip() for line in wanted]
    try:
        eventually(lambda: shown(screen) == wanted, "the screen")
    except AssertionError:
        raise AssertionError("on the screen:\n" + "\n".join(shown(screen)) +
                             "\nbut not:\n" + "\n".join(wanted)) from None


def test_a_conversation(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    screen.enter("hello Bob")
    expect(screen, "DAY", "00:00 ✓ me: hello Bob", "bob>")
    bob.ctl("send", "-p", "alice", "hello Alice")
    expect(screen, "DAY", "00:00 ✓ me: hello Bob", "00:00   bob: hello Alice", "bob>")
    assert bob.received() == ["hello Bob"]
    screen.enter("/quit")
    screen.expect_line("exit status 0")


def test_the_day_is_said_once(paired, chat):
    alice, bob = paired
    screen = chat(alice)
    screen.enter("x")
    today = datetime.datetime.now(ZONE)
    day = f"--- {today:%A}, {today.day} {today:%B} {today.year} ---"
    screen.expect_line(day)
    screen.enter("y")
    expect(screen, "DAY", "00:00 ✓ me: x", "00:00 ✓ me: y", "bob>")


def test_it_begins_with_the_end_of_the_history(paired, chat):
    alice, bob = paired
    for number in range(30):
        bob.ctl("send", "-p", "alice", "--wait", f"message {number}")
    expect(chat(alice, "bob"),
           "DAY", *(f"00:00   bob: message {number}" for number in range(10, 30)), "bob>")


def test_a_line_that_comes_does_not_tear_what_is_being_typed(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob", columns=40)
    typed = "I am typing a text that takes more than one row of it"
    screen.type(typed)
    expect(screen, "bob> " + typed[:35], typed[35:])
    screen.key(*["Left"] * 30)
    bob.ctl("send", "-p", "alice", "--wait", "an interruption")
    expect(screen, "DAY", "00:00   bob: an interruption", "bob> " + typed[:35], typed[35:])
    screen.type("X")
    typed = typed[:-30] + "X" + typed[-30:]
    expect(screen, "DAY", "00:00   bob: an interruption", "bob> " + typed[:35], typed[35:])
    screen.key("Enter")
    eventually(lambda: bob.received() == [typed], "the text")


def test_editing_and_history_are_libedits(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    screen.type("world")
    screen.key("C-a")
    screen.type("hello ")
    screen.key("C-e", "BSpace", "Enter")
    screen.expect_line(lambda line: line.endswith("✓ me: hello worl"))
    screen.key("Up")
    screen.expect_line("bob> hello worl")
    screen.enter("d")
    eventually(lambda: bob.received() == ["hello worl", "hello world"], "both")


def test_a_paste_of_several_lines_is_one_message(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    screen.paste("one\n  two\n\nfour")
    expect(screen, "bob> one", "  two", "", "four")
    screen.enter("!")
    expect(screen, "DAY", "00:00 ✓ me: one", "          two", "", "        four!", "bob>")
    assert bob.received() == ["one\n  two\n\nfour!"]


def test_wide_characters_and_accents(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob", columns=40)
    typed = "你好" * 9
    screen.type(typed + "é")
    expect(screen, "bob> " + typed[:17], "好é")
    bob.ctl("send", "-p", "alice", "--wait", "Grüße " + "🦊" * 12)
    expect(screen, "DAY", "00:00   bob: Grüße " + "🦊" * 10, "🦊🦊", "bob> " + typed[:17], "好é")
    screen.key("BSpace", "BSpace", "Enter")
    eventually(lambda: bob.received() == [typed[:-1]], "the text")


def test_what_a_peer_writes_is_harmless(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    bob.ctl("send", "-p", "alice", "--wait", "a\x1b[2J\x1b]0;title\x07b\u202ec\rd")
    expect(screen, "DAY", "00:00   bob: a^[[2J^[]0;title^Gb<U+202E>c^Md", "bob>")


def test_marks_change_when_the_peer_has_it(paired, chat):
    alice, bob = paired
    bob.stop()
    screen = chat(alice, "bob")
    offline = "* bob is offline: what you write waits in the queue until it is back"
    screen.expect_line(offline)
    screen.enter("one")
    screen.enter("two")
    expect(screen, offline, "DAY", "00:00 · me: one", "00:00 · me: two", "bob (offline, 2 queued)>")
    bob.start()
    expect(screen, offline, "DAY", "00:00 ✓ me: one", "00:00 ✓ me: two", "* bob is online", "bob>")


def test_a_mark_that_has_left_the_screen_is_a_line(paired, chat):
    alice, bob = paired
    bob.stop()
    screen = chat(alice, "bob", rows=8)
    for number in range(10):
        screen.enter(f"message {number}")
        screen.expect_line(lambda line: line.endswith(f"· me: message {number}"))
    bob.start()
    screen.expect_line(lambda line: re.fullmatch(r"\* ✓ \d+ earlier messages are delivered", line))
    eventually(lambda: not re.search("[·→]", "".join(screen.lines())), "the other marks")
    said = [f"me: message {number}" for number in range(10)]
    eventually(lambda: [line[8:] for line in screen.lines("-S", "-100")
                        if re.match(r"\d\d:\d\d . me", line)] == said, "all of them")


def test_presence_is_shown(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    bob.stop()
    offline = "* bob is offline: what you write waits in the queue until it is back"
    expect(screen, offline, "bob (offline)>")
    bob.start()
    expect(screen, offline, "* bob is online", "bob>")


def test_who_comes_while_a_chat_begins_is_online(home, chat):
    socket = home / "control.sock"

    def get_peer(_):
        followed = "follow" in (method for method, _ in script.calls)
        return {"name": "bob", "link": "online" if followed else "offline", "queued": 0}

    script = Script(socket, {"hello": {"past": "1"}, "peer.get": get_peer,
                             "follow": {"sub": 1, "from": 0}, "history.list": {"messages": []}})
    expect(chat(SimpleNamespace(home=home, socket=socket), "bob"), "bob>")
    script.end()


def test_a_restart_of_the_daemon_loses_nothing_that_is_typed(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    screen.type("half a ")
    screen.expect_line("bob> half a")
    alice.kill()
    lost = "* lost the connection to the daemon, waiting for it"
    expect(screen, lost, "bob (no daemon)> half a")
    screen.enter("line")
    expect(screen, lost, "* sent as soon as the daemon is back", "bob (no daemon)>")
    screen.type("next")
    alice.start()
    screen.expect_line("* the daemon is back")
    screen.expect_line(lambda line: line.endswith("✓ me: half a line"))
    screen.expect_line("bob> next")
    assert bob.received() == ["half a line"]
    bob.ctl("send", "-p", "alice", "still here")
    screen.expect_line(lambda line: line.endswith("  bob: still here"))


def test_lines_that_no_daemon_has_taken_are_given_back_at_the_end(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    alice.kill()
    screen.expect_line("bob (no daemon)>")
    screen.enter("first")
    screen.enter("second")
    screen.expect_line("* sent as soon as the daemon is back")
    screen.key("C-d")
    screen.expect_line("exit status 75")
    said = shown(screen)
    at = said.index("p2pchatctl: the daemon was away; not sent:")
    assert said[at + 1:at + 3] == ["first", "second"]


def test_what_was_just_typed_is_sent_when_the_chat_ends(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    screen.tmux("send-keys", "last words", "Enter", "C-d")
    screen.expect_line("exit status 0")
    eventually(lambda: bob.received() == ["last words"], "what was typed last")


def test_a_chat_goes_on_with_a_peer_that_was_renamed(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    alice.ctl("peer", "rename", "bob", "robert")
    screen.enter("hello")
    screen.expect_line("robert>")
    assert "* bob is called robert now" in shown(screen)
    alice.kill()
    screen.expect_line("robert (no daemon)>")
    alice.start()
    alice.ctl("peer", "rename", "robert", "rob")
    screen.enter("again")
    screen.expect_line("rob>")
    eventually(lambda: bob.received() == ["hello", "again"], "both")


def test_c_clears_the_line_and_then_ends(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob")
    screen.type("never mind")
    screen.expect_line("bob> never mind")
    screen.key("C-c")
    expect(screen, "* ^C again ends the chat", "bob>")
    screen.type("x")
    screen.expect_line("bob> x")
    screen.key("C-c")
    screen.expect_line("bob>")
    screen.key("C-c")
    screen.expect_line("exit status 0")
    assert bob.received() == []


def test_d_on_an_empty_line_ends(paired, chat):
    alice, _ = paired
    screen = chat(alice, "bob")
    screen.type("x")
    screen.key("C-d", "BSpace")
    expect(screen, "bob>")
    screen.key("C-d")
    screen.expect_line("exit status 0")


def test_the_terminal_is_as_it_was_afterwards(paired, chat):
    alice, _ = paired
    screen = chat(alice, "bob")
    expect(screen, "bob>")
    screen.key("C-d")
    screen.expect_line("exit status 0")
    screen.type("echoed")
    screen.expect_line("echoed")


def test_a_resize_keeps_the_line(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob", columns=80)
    screen.enter("before")
    screen.expect_line(lambda line: line.endswith("✓ me: before"))
    typed = "a text that is longer than half of it"
    screen.type(typed)
    screen.expect_line("bob> " + typed)
    screen.resize(40, 20)
    expect(screen, "DAY", "00:00 ✓ me: before", "bob> " + typed[:35], typed[35:])
    screen.resize(80, 24)
    expect(screen, "DAY", "00:00 ✓ me: before", "bob> " + typed)
    bob.ctl("send", "-p", "alice", "after")
    expect(screen, "DAY", "00:00 ✓ me: before", "00:00   bob: after", "bob> " + typed)


def test_commands(paired, chat):
    alice, bob = paired
    screen = chat(alice, "bob", columns=100)
    screen.enter("/peers")
    expect(screen, "* bob              online     verified", "bob>")
    screen.enter("/verify")
    screen.expect_line("* fingerprint    " + bob.fingerprint)
    screen.expect_line("* safety number  " + alice.peer("bob")["safety_number"])
    screen.enter("/help")
    for line in ("* /help     this list", "* //text    sends a text that begins with a slash"):
        screen.expect_line(line)
    screen.enter("/pers")
    screen.expect_line("* there is no command /pers; did you mean /peers?")
    screen.enter("/xyzzy")
    screen.expect_line("* there is no command /xyzzy; see /help, or write // to send a slash")
    screen.enter("/history many")
    screen.expect_line('* /history takes a number of messages up to 1000, not "many"')
    assert bob.received() == []
    screen.enter("//etc/motd")
    eventually(lambda: bob.received() == ["/etc/motd"], "the text")
    screen.enter("/history 1")
    eventually(lambda: sum(line.endswith("✓ me: /etc/motd") for line in screen.lines()) == 2,
               "the message twice")


def test_what_is_refused_is_said(paired, chat):
    alice, _ = paired
    alice.ctl("peer", "block", "bob")
    screen = chat(alice, "bob")
    screen.enter("x")
    screen.expect_line("* not sent: peer bob is blocked; to let it in again: p2pchatctl peer unblock bob")


def test_it_needs_a_terminal_and_a_peer(alice):
    result = alice.ctl("chat", expect=64)
    assert "chat needs a terminal; scripts have send and follow" in result.err
