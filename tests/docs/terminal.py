#!/usr/bin/python3
"""The picture of a terminal on the front page, drawn from a real conversation of two daemons.

    P2PCHAT_BUILD=build tests/docs/terminal.py >tests/docs/terminal.svg

What differs from run to run (ids, times, ports, an invite's secret) is shown by examples of equal
length, so that the picture changes only when what people see has changed.
"""

import html
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import harness

COLUMN, LINE, MARGIN, TITLE = 8.4, 19, 16, 30
BACKGROUND = "#1d2430"
COLOURS = {"output": "#9aa7b5", "command": "#ffffff", "arrived": "#e0c070"}
PROMPTS = {"alice": "#7fb069", "bob": "#6fa8dc"}

EXAMPLES = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
     "01983f5c-2b1e-7c44-9a07-5d3e8f60b1a2"),
    (re.compile(r"SHA256:[A-Za-z0-9+/]{43}"), "SHA256:L6sEUDp4Boi2PW340qvXegvU24ahRB10J6V4Sg7EmS0"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "2026-11-30 08:15:00"),
    (re.compile(r"p2pchat://[^\s']+"), "p2pchat://alice.example.org/alice#wJQ5Vq…"),
]


class Transcript:
    """What was typed and what came of it: (kind, who typed it, text) for each line of a screen."""

    def __init__(self):
        self.lines = []

    def type(self, who, command):
        self.lines.append(("command", who, command))

    def show(self, text, kind="output"):
        self.lines += [(kind, None, line) for line in text.splitlines()]

    def ask(self, daemon, command, *arguments, **options):
        """Runs p2pchatctl with the arguments; `command` is how a person types them."""
        self.type(daemon.name, command)
        result = daemon.ctl(*arguments, **options)
        self.show(result.out)
        return result

    def read(self, follower):
        """A line that a program on the screen prints when something arrives."""
        self.show(follower.next(), "arrived")

    def gap(self):
        self.show("\n")


def converse(transcript, alice, bob):
    """Two people pair, one sends, the other reads along, is away for a while, and is back."""
    invite = transcript.ask(alice, "p2pchatctl invite bob", "invite", "bob").lines[0]
    transcript.ask(bob, f"p2pchatctl join '{invite}' alice", "join", invite,
                   "alice")
    alice.wait_online(bob)
    transcript.gap()

    transcript.type("bob", "p2pchatctl follow")
    reader = bob.client("follow", "--cursor-file", bob.home / "cursor", "-n", "all")
    transcript.ask(alice, "./backup.sh || p2pchatctl send --wait 'backup of db1 failed'",
                   "send", "--wait", "backup of db1 failed")
    transcript.read(reader)
    transcript.gap()

    bob.stop()
    transcript.ask(alice, "df -h /srv | p2pchatctl send       # bob is away: it is kept",
                   "send", "-", input="Filesystem  Size  Used Avail Use%\n"
                                              "/dev/sdb1   932G  931G  1.1G 100%\n")
    bob.start()
    transcript.read(reader)
    transcript.read(reader)
    reader.end()


def draw_line(number, kind, who, text):
    """One line as SVG text."""
    y = TITLE + MARGIN + (number + 1) * LINE - 5
    for pattern, example in EXAMPLES:
        text = pattern.sub(example, text)
    prompt = f'<tspan fill="{PROMPTS[who]}">{who}$</tspan> ' if who else ""
    bar = f'<rect x="6" y="{y - 13}" width="3" height="{LINE}" fill="{PROMPTS["bob"]}"/>'
    return (f'{bar if kind == "arrived" else ""}<text x="{MARGIN}" y="{y}" fill="{COLOURS[kind]}" xml:space="preserve">{prompt}'
            f"{html.escape(text, quote=False)}</text>")


def draw(lines):
    """The screen as SVG."""
    width = round(2 * MARGIN + COLUMN * 84)
    height = TITLE + 2 * MARGIN + LINE * len(lines)
    dots = "".join(f'<circle cx="{MARGIN + 18 * i}" cy="16" r="5" fill="{colour}"/>'
                   for i, colour in enumerate(("#e06c60", "#e0b050", "#7fb069")))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" '
        'font-family="ui-monospace, DejaVu Sans Mono, monospace" font-size="14">',
        "<title>Two machines pair, talk, and one keeps what the other missed</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>{dots}',
        *(draw_line(number, *line) for number, line in enumerate(lines)),
        "</svg>", ""])


def picture():
    transcript = Transcript()
    with harness.temporary_home() as home, harness.Daemons(home) as daemons:
        converse(transcript, daemons.start("alice"), daemons.start("bob"))
    return draw(transcript.lines)


if __name__ == "__main__":
    sys.stdout.write(picture())
