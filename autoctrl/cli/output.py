"""How things are printed: JSON, CSV, plain tables, and tables with colour where there is any.

Nothing that came from outside reaches a terminal as an order to it: what is not text is spelt.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.table import NOTHING, Table, plain_lines
from autoctrl.model.text import one_line, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.text import Text

    from autoctrl.model.table import Cells

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
NEWEST = 50
LEAST_LAST = 30
GAP = 2  # blanks between columns
FORMULA = re.compile(r"[=@\t\r]|[+-](?=.)")  # what a spreadsheet would compute
ORDERS = re.compile(r"[\x7f-\x9f]")  # JSON leaves them as they are

Style = Callable[[int, int, str], str]  # of a cell, by row, column and text


class Listing(NamedTuple):
    """How items are shown as a table.

    headings  of the columns
    spell     writes one item as cells
    what      what the items are called
    which     which of them are shown if there are many
    """

    headings: Cells
    spell: Callable[[Any], Cells]
    what: str = "lines"
    which: str = "newest"


def show_json(**values: Any) -> None:  # noqa: ANN401 - whatever a verb has to say
    """Print one JSON object that begins with the schema's number."""
    print_json({"schema": 1, **values})


def print_json(value: Any) -> None:  # noqa: ANN401 - see above
    """Print any value as JSON."""
    from autoctrl.views import to_plain

    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    print(ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def show_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as comma-separated values, headings first.

    A text that a spreadsheet would take for a formula begins with an apostrophe; numbers do not.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(_spell_value, headings))
    writer.writerows([_spell_value(value) for value in row] for row in rows)


def _spell_value(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = readable(value)
    return f"'{text}" if FORMULA.match(text) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def say(text: str = "") -> None:
    """Print one line."""
    print(readable(text))


def say_now(text: str) -> None:
    """Print one line at once, though it goes into a pipe and nothing may follow it for long."""
    print(readable(text), flush=True)


def warn(text: str) -> None:
    """Print one line on stderr, after what was printed so far."""
    sys.stdout.flush()
    sys.stderr.write(f"{readable(text)}\n")


def warn_all(texts: Iterable[str]) -> None:
    """Print each text on a line on stderr."""
    for text in texts:
        warn(text)


def is_colourful() -> bool:
    """Say whether the output is a terminal that shows colour, and colour is not switched off."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "dumb") != "dumb"
    )


def show_table(table: Table, style: Style | None = None) -> None:
    """Print a table, whole: in a pipe as aligned text, on a terminal so that no word is folded.

    ``style`` says which colour a cell has, by default that of the status that it begins with.
    """
    if not sys.stdout.isatty():
        for line in plain_lines(table):
            print(line)
        return
    console, paint = _console(), style or style_by_status
    if fits(table, terminal_width()):
        console.print(rich_table(table, paint))
    else:
        for number, row in enumerate(table.rows):
            console.print(_flowing(table.headings, row, partial(paint, number)), soft_wrap=True)


def show_whole(text: str) -> None:
    """Print a sentence; on a terminal its lines end between words."""
    text = readable(text)
    for line in wrap(text, terminal_width()) if sys.stdout.isatty() else [text]:
        print(line)


def show_list(items: Iterable[str]) -> None:
    """Print short texts one after the other; on a terminal its lines end between them."""
    width = terminal_width() if sys.stdout.isatty() else None
    line = ""
    for item in map(readable, items):
        if line and width is not None and len(line) + GAP + len(item) > width:
            print(line)
            line = item
        else:
            line = f"{line}  {item}" if line else item
    print(line)


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text; no word, path or selection is broken, however long it is."""
    import textwrap

    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return lines or [""]


def fits(table: Table, width: int) -> bool:
    """Say whether a table fits into so many letters if only its last column is folded, and that
    between words.
    """
    columns = list(zip(table.headings, *table.rows, strict=True))
    widths = [max(len(one_line(cell)) for cell in column) for column in columns]
    words = [word for cell in columns[-1] for word in cell.split()]
    least = max([min(widths[-1], LEAST_LAST), *map(len, words)])
    return sum(each + GAP for each in widths[:-1]) + least <= width


def _console() -> Console:
    from rich.console import Console

    if is_colourful():
        return Console(highlight=False)
    return Console(highlight=False, color_system=None)


def _flowing(headings: Cells, row: Cells, paint: Callable[[int, str], str]) -> Text:
    """Return a row as lines: its cells with their headings one after the other, the last one on
    lines of its own.
    """
    from rich.text import Text

    width, shown, used = terminal_width(), Text(), 0
    for column, (heading, cell) in enumerate(zip(headings, map(one_line, row), strict=True)):
        if column == len(row) - 1:
            for line in wrap(cell, max(width - GAP, 1)):
                shown.append(f"\n  {line}")
        elif cell != NOTHING:
            length = len(heading) + 1 + len(cell)
            is_new_line = bool(used) and used + GAP + length > width
            between = "  " if used else ""
            shown.append("\n  " if is_new_line else between)
            used = (0 if is_new_line else used) + GAP + length
            shown.append(f"{heading.lower()} ", style="dim").append(cell, style=paint(column, cell))
    return shown


def show_tail(items: Sequence[Any], limit: int | None, listing: Listing) -> None:
    """Print the last items as a table, and how many there are if these are not all.

    ``limit`` is how many were asked for; by default ``NEWEST`` are shown.
    """
    shown = items[-(limit or NEWEST) :]
    show_table(Table(listing.headings, [listing.spell(item) for item in shown]))
    if len(shown) < len(items):
        say(
            f"The {listing.which} {len(shown)} of {len(items)} {listing.what}; see more with "
            f"--limit {len(items)}."
        )


def rich_table(table: Table, paint: Style | None = None) -> Any:  # noqa: ANN401 - rich is imported only where it is needed
    """Return a table for a terminal; only its last column is folded where that suffices."""
    from rich.table import Table as RichTable
    from rich.text import Text

    paint = paint or style_by_status
    is_roomy = fits(table, terminal_width())
    drawn = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for number, heading in enumerate(table.headings, 1):
        no_wrap = is_roomy and number < len(table.headings)
        drawn.add_column(heading, overflow="fold", no_wrap=no_wrap)
    for place, row in enumerate(table.rows):
        cells = enumerate(map(one_line, row))
        drawn.add_row(*(Text(cell, style=paint(place, column, cell)) for column, cell in cells))
    return drawn


def terminal_width() -> int:
    """Return the width of the terminal in letters."""
    import shutil

    return shutil.get_terminal_size().columns


def style_by_status(row: int, column: int, text: str) -> str:  # noqa: ARG001 - wherever it stands
    """Return the colour of a cell by what it says."""
    return style_of(text)


def style_of(cell: str) -> str:
    """Return the colour of a cell that begins with a status, none for others."""
    words = cell.split()
    if "stale" in words[1:]:
        return STYLES["stale"]
    return STYLES.get(words[0], "") if words else ""
