"""How things are printed: JSON, plain tables, and tables with colour where the terminal has it."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

STYLES = {
    "new": "cyan",
    "processing": "yellow",
    "submitting": "yellow",
    "idle": "yellow",
    "running": "yellow",
    "removing": "yellow",
    "held": "magenta",
    "done": "green",
    "failed": "bold red",
    "lost": "bold red",
    "removed": "magenta",
    "skipped": "dim",
    "stale": "magenta",
}
NOTHING = "-"
LEAST_LAST = 16


class Table(NamedTuple):
    """Rows of texts under headings."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def show_json(**values: Any) -> None:  # noqa: ANN401 - whatever a verb has to say
    """Print one JSON object that begins with the schema's number."""
    print_json({"schema": 1, **values})


def print_json(value: Any) -> None:  # noqa: ANN401 - see above
    """Print any value as JSON."""
    from autoctrl.views import plain

    print(json.dumps(plain(value), indent=2, ensure_ascii=False))


def say(text: str = "") -> None:
    """Print one line."""
    print(text)


def warn(text: str) -> None:
    """Print one line on stderr, after what was printed so far."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def is_colourful() -> bool:
    """Say whether the output is a terminal that shows colour, and nobody forbids it."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "dumb") != "dumb"
    )


def show_table(table: Table) -> None:
    """Print a table: with colour on a terminal, else as aligned text, whole in either case."""
    if is_colourful():
        from rich.console import Console

        Console(highlight=False).print(rich_table(table))
    else:
        for line in plain_lines(table):
            print(line)


def plain_lines(table: Table) -> list[str]:
    """Return a table as aligned lines without colour or frame."""
    rows = [[_one_line(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def rich_table(table: Table) -> Any:  # noqa: ANN401 - rich is imported only where it is needed
    """Return a table for a terminal; what is too wide for it is folded, never cut.

    Only the last column is folded as long as that leaves it a useful width: names and times stay
    whole.
    """
    from rich.table import Table as RichTable
    from rich.text import Text

    widths = [
        max(len(_one_line(cell)) for cell in column)
        for column in zip(table.headings, *table.rows, strict=True)
    ]
    is_roomy = sum(width + 2 for width in widths[:-1]) + LEAST_LAST <= terminal_width()
    made = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(table.headings, 1):
        made.add_column(heading, overflow="fold", no_wrap=is_roomy and number < len(widths))
    for row in table.rows:
        made.add_row(*(Text(_one_line(cell), style=style_of(cell)) for cell in row))
    return made


def terminal_width() -> int:
    """Return the width of the terminal in letters."""
    import shutil

    return shutil.get_terminal_size().columns


def style_of(cell: str) -> str:
    """Return the colour of a cell that begins with a status, none for others."""
    words = cell.split()
    if "stale" in words[1:]:
        return STYLES["stale"]
    return STYLES.get(words[0], "") if words else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


class Times:
    """Spells times for people, in the project's time zone."""

    def __init__(self, timezone: str) -> None:
        """Take the name of a time zone, e.g. ``Europe/Zurich``."""
        self.zone: tzinfo = UTC
        if timezone != "UTC":
            from zoneinfo import ZoneInfo

            self.zone = ZoneInfo(timezone)

    def spell(self, moment: datetime | None) -> str:
        """Return ``2026-11-20 19:04:05 CET``, or a dash for no time."""
        return (
            NOTHING
            if moment is None
            else moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        )

    def brief(self, moment: datetime) -> str:
        """Return ``19:04:05``."""
        return moment.astimezone(self.zone).strftime("%H:%M:%S")


def spell_value(value: object, times: Times) -> str:
    """Return an attribute as people read it."""
    if isinstance(value, datetime):
        return times.spell(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def spell_pairs(pairs: Mapping[str, object], times: Times) -> str:
    """Return ``fill=8222 kind=physics``."""
    return (
        " ".join(f"{name}={spell_value(value, times)}" for name, value in pairs.items()) or NOTHING
    )


def spell_size(count: int) -> str:
    """Return bytes as ``512 B``, ``1.5 kB``, ``3.2 GB``; 1 kB is 1000 bytes."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 - the step between units
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def count(items: Iterable[object] | int, word: str, many: str = "") -> str:
    """Return ``1 run``, ``3 runs``."""
    number = items if isinstance(items, int) else len(list(items))
    return f"{number} {word if number == 1 else many or word + 's'}"
