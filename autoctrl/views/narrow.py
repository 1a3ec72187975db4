"""The overview where there is little room: a sign and a letter for each task, numbers for the
workflows, and what they mean. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.quality import ALARM, WARNING
from autoctrl.model.status import TaskStatus
from autoctrl.model.table import NOTHING, Table
from autoctrl.model.unit import is_group
from autoctrl.views.signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from autoctrl.views.overview import Cell, Overview

GAP = 2
STALE, OF_GROUP = "~", "*"
QUALITY = {ALARM: "!", WARNING: "?"}


class NarrowOverview(NamedTuple):
    """An overview in little room.

    workflows  number and name of each column, as lines
    tables     the same runs in groups of columns that fit
    columns    the workflows of each table, by their place in the overview
    legend     what the signs mean that are in it, each in a few words
    """

    workflows: tuple[str, ...]
    tables: tuple[Table, ...]
    columns: tuple[tuple[int, ...], ...]
    legend: tuple[str, ...]


def narrow_overview(seen: Overview, width: int, *, has_signs: bool = True) -> NarrowOverview:
    """Return the overview for so many letters in a line; without signs by letters alone."""
    heads = [(str(row.run), str(row.status)) for row in seen.runs]
    columns = [
        [str(number), *_codes_in(seen, workflow, has_signs=has_signs)]
        for number, workflow in enumerate(seen.workflows, 1)
    ]
    begin = _width("RUN", [run for run, _ in heads])
    begin += _width("STATUS", [status for _, status in heads]) - GAP
    groups = _pack([_width("", column) for column in columns], width - begin)
    return NarrowOverview(
        workflows=tuple(f"{number} {name}" for number, name in enumerate(seen.workflows, 1)),
        tables=tuple(_tabulate(heads, [columns[place] for place in group]) for group in groups),
        columns=tuple(groups),
        legend=_legend(seen, has_signs=has_signs),
    )


def _codes_in(seen: Overview, workflow: str, *, has_signs: bool) -> list[str]:
    return [_code(row.tasks[workflow], has_signs=has_signs) for row in seen.runs]


def _tabulate(heads: Sequence[tuple[str, str]], columns: Sequence[Sequence[str]]) -> Table:
    """Return the table of some columns, each with its heading first."""
    headings = ("RUN", "STATUS", *(column[0] for column in columns))
    bodies = zip(*(column[1:] for column in columns), strict=True) if columns else [()] * len(heads)
    return Table(headings, [(*head, *body) for head, body in zip(heads, bodies, strict=True)])


def code_of(status: TaskStatus, *, has_signs: bool = True) -> str:
    """Return the sign and the letter of a status."""
    letter = status[0].upper()
    return f"{SIGNS[status]}{letter}" if has_signs else letter


def _code(cell: Cell | None, *, has_signs: bool) -> str:
    if cell is None:
        return NOTHING
    version = str(cell.version) if cell.version > 1 else ""
    marks = (OF_GROUP if is_group(cell.unit) else "", STALE if cell.stale else "")
    code = code_of(cell.status, has_signs=has_signs)
    return "".join([code, version, *marks, QUALITY.get(cell.quality, "")])


def _legend(seen: Overview, *, has_signs: bool) -> tuple[str, ...]:
    """Return what the signs in the table mean, none that is not in it."""
    cells = [cell for row in seen.runs for cell in row.tasks.values() if cell is not None]
    statuses = {cell.status for cell in cells}
    words = {code_of(one, has_signs=has_signs): str(one) for one in TaskStatus if one in statuses}
    words |= _mark_words(cells) | _quality_words({cell.quality for cell in cells})
    return tuple(f"{sign} {word}" for sign, word in words.items())


def _mark_words(cells: Sequence[Cell]) -> dict[str, str]:
    newest = max((cell.version for cell in cells), default=1)
    words = {str(newest): "version"} if newest > 1 else {}
    if any(is_group(cell.unit) for cell in cells):
        words[OF_GROUP] = "of a group"
    if any(cell.stale for cell in cells):
        words[STALE] = "stale"
    return words


def _quality_words(kinds: set[str]) -> dict[str, str]:
    return {sign: kind for kind, sign in QUALITY.items() if kind in kinds}


def _width(heading: str, texts: Iterable[str]) -> int:
    """Return how many letters a column takes with the gap beside it."""
    return GAP + max(map(len, [heading, *texts]))


def _pack(widths: Sequence[int], room: int) -> list[tuple[int, ...]]:
    """Return places of columns in groups that fit into the room; a group has one at least."""
    groups: list[list[int]] = [[]]
    left = room
    for place, width in enumerate(widths):
        if groups[-1] and width > left:
            groups.append([])
            left = room
        groups[-1].append(place)
        left -= width
    return [tuple(group) for group in groups]
