"""Rows of text under headings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"

Cells = tuple[str, ...]


class Table(NamedTuple):
    """Rows of texts under headings."""

    headings: Cells
    rows: Sequence[Cells]


def plain_lines(table: Table) -> list[str]:
    """Return a table as aligned lines without colour or frame."""
    rows = [[one_line(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.headings))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
