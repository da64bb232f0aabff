"""The table: what was measured, beside what the machine itself does."""

import dataclasses

HEAD = ("", "p2pchat", "limit", "ratio", "the limit is")
WIDTHS = (44, 13, 14, 9, 0)

# In what a number is shown, and what it is divided by.
UNITS = {
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")),
    "B/s": ((1e6, "MB/s"), (1e3, "kB/s"), (1, "B/s")),
}


@dataclasses.dataclass
class Row:
    """A figure in SI units. `unit` ends in /s for rates, of which more is better."""
    what: str
    value: float
    unit: str
    limit: float | None = None
    beside: str = ""

    @property
    def ratio(self):
        """How many times worse than the limit; None where there is nothing to divide."""
        if not self.limit or not self.value:
            return None
        rate = self.unit.endswith("/s")
        return self.limit / self.value if rate else self.value / self.limit

    def as_json(self):
        return dict(dataclasses.asdict(self), ratio=self.ratio)


def amount(value, unit):
    """A number for people: 0.00321 s is 3.21 ms."""
    if value is None:
        return "-"
    for size, name in UNITS.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.2f} {name}"
    return f"{value:,.0f} {unit}".rstrip() if value >= 100 else f"{value:.2f} {unit}".rstrip()


def line(cells):
    first, *middle, last = cells
    numbers = "".join(f"{cell:>{width}}" for cell, width in zip(middle, WIDTHS[1:]))
    print(f"{first:<{WIDTHS[0]}}{numbers}  {last}".rstrip(), flush=True)


def show_head():
    line(HEAD)


def show(row):
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    line((row.what, amount(row.value, row.unit), amount(row.limit, row.unit), ratio, row.beside))
