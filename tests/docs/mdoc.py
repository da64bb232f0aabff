"""Reads the manual pages as far as the tests need: sections, list items, macros.

Not a formatter; mandoc(1) judges the pages themselves.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = ROOT / "man"

ESCAPES = {r"\(dq": '"', r"\(aq": "'", r"\(mi": "-", r"\-": "-", r"\e": "\\", r"\&": ""}


def plain(text):
    """The text without the escapes that our pages use."""
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


class Part:
    """Lines of a page: the whole of it, a section, a subsection or a list item."""

    def __init__(self, page, lines, head=""):
        self.page = page
        self.lines = lines
        self.head = head

    @property
    def text(self):
        return "\n".join(self.lines)

    def _split(self, macro):
        """The parts that begin with the macro, each with the rest of that line as its head."""
        parts = []
        for line in self.lines:
            if line.startswith(f".{macro} "):
                parts.append(Part(self.page, [], plain(line[len(macro) + 2:]).strip('"')))
            elif parts:
                parts[-1].lines.append(line)
        return parts

    def section(self, title):
        return self._one("Sh", title)

    def subsection(self, title):
        return self._one("Ss", title)

    def subsections(self):
        return self._split("Ss")

    def _one(self, macro, title):
        for part in self._split(macro):
            if part.head == title:
                return part
        raise AssertionError(f"man/{self.page} has no '.{macro} {title}'")

    def items(self):
        """Its list items. What follows the end of a list belongs to none of them."""
        parts = self._split("It")
        for part in parts:
            if ".El" in part.lines:
                del part.lines[part.lines.index(".El"):]
        return parts

    def macros(self, name):
        """The first argument of every use of a macro, also within other lines."""
        return [plain(argument)
                for argument in re.findall(rf"(?:^\.|\s){name} (\S+)", f".{self.head}\n{self.text}",
                                           re.MULTILINE)]

    def rows(self):
        """The items of a table as lists of cells, without its first row."""
        rows = [[cell.strip() for cell in item.head.split(" Ta ")] for item in self.items()]
        return [row for row in rows if len(row) > 1 and not row[0].startswith("Em ")]

    def flags(self):
        """Every option that is named, as it is typed."""
        return {"-" + flag for flag in self.macros("Fl")}


class Page(Part):
    def __init__(self, name):
        super().__init__(name, (MAN / name).read_text(encoding="utf-8").splitlines())


PAGES = sorted(path.name for path in MAN.glob("*.[1-8]"))


def compare(page, where, documented, real, what):
    """Fails unless a page names exactly what there is, and says what to do in which place."""
    documented, real = set(documented), set(real)
    lines = [f"man/{page}: add {what} {name!r} under {where}" for name in sorted(real - documented)]
    lines += [f"man/{page}: remove {what} {name!r} under {where}: there is no such thing"
              for name in sorted(documented - real)]
    assert not lines, "\n" + "\n".join(lines)
