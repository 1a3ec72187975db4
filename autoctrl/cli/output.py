"""How things are printed: JSON, plain tables, and tables with colour where the terminal has it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.table import Table, one_line, plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
LEAST_LAST = 16


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

    print(json.dumps(to_plain(value), indent=2, ensure_ascii=False))


def say(text: str = "") -> None:
    """Print one line."""
    print(text)


def say_now(text: str) -> None:
    """Print one line at once, though it goes into a pipe and nothing may follow it for long."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print one line on stderr, after what was printed so far."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


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


def show_table(table: Table) -> None:
    """Print a table: with colour on a terminal, else as aligned text, whole in either case."""
    if is_colourful():
        from rich.console import Console

        Console(highlight=False).print(rich_table(table))
    else:
        for line in plain_lines(table):
            print(line)


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


def rich_table(table: Table) -> Any:  # noqa: ANN401 - rich is imported only where it is needed
    """Return a table for a terminal; what is too wide for it is folded, never cut.

    Only the last column is folded as long as that leaves it a useful width: names and times stay
    whole.
    """
    from rich.table import Table as RichTable
    from rich.text import Text

    widths = [
        max(len(one_line(cell)) for cell in column)
        for column in zip(table.headings, *table.rows, strict=True)
    ]
    is_roomy = sum(width + 2 for width in widths[:-1]) + LEAST_LAST <= terminal_width()
    drawn = RichTable(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(table.headings, 1):
        drawn.add_column(heading, overflow="fold", no_wrap=is_roomy and number < len(widths))
    for row in table.rows:
        drawn.add_row(*(Text(one_line(cell), style=style_of(cell)) for cell in row))
    return drawn


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
