"""Tasks as single signs, for a table that shows very many of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from autoctrl.model.quality import ALARM
from autoctrl.views.overview import spell_cell
from autoctrl.views.signs import SIGNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.views.overview import Cell

Row = TypeVar("Row")


class Sign(NamedTuple):
    """What stands for a task where there is room for one letter.

    letter  tells it apart without colour
    kind    a status, or ``stale``, ``alarm``, ``warning``, ``none``
    """

    letter: str
    kind: str


OF_STATUS = {status: Sign(letter, str(status)) for status, letter in SIGNS.items()}
NO_TASK = Sign("·", "none")
ALARMED, WARNED, STALE = Sign("!", "alarm"), Sign("△", "warning"), Sign("↻", "stale")
LEGEND = (*OF_STATUS.values(), STALE, WARNED, ALARMED, NO_TASK)


def sign_of(cell: Cell | None) -> Sign:
    """Return a task's sign: of a done one what is not well with it, the worst first."""
    if cell is None:
        return NO_TASK
    if cell.quality:
        return ALARMED if cell.quality == ALARM else WARNED
    return STALE if cell.stale else OF_STATUS[cell.status]


def describe_cell(run: int, workflow: str, cell: Cell) -> str:
    """Return in one line what a sign stands for: ``5 reco: failed, exit code 3``."""
    words = spell_cell(cell)
    kept = f" kept in {cell.inherited_from}" if cell.inherited_from else ""
    why = f", {cell.reason}" if cell.reason else ""
    return f"{run} {workflow}: {words}{kept}{why}"


def split_rows(rows: Sequence[Row], length: int) -> list[Sequence[Row]]:
    """Return the rows in blocks of so many, the last one with the rest."""
    return [rows[begin : begin + length] for begin in range(0, len(rows), length)]
