"""Tasks as single signs."""

from __future__ import annotations

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.views.grid import LEGEND, describe_cell, sign_of, split_rows
from autoctrl.views.overview import Cell

DONE = Cell(TaskStatus.DONE, "", None, None, "5", 1, stale=False, log="")


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        *((DONE._replace(status=status), str(status)) for status in TaskStatus),
        (DONE._replace(stale=True), "stale"),
        (DONE._replace(stale=True, quality="warning"), "warning"),
        (DONE._replace(stale=True, quality="alarm"), "alarm"),
        (None, "none"),
    ],
)
def test_each_kind_of_task_has_a_sign_of_its_own(cell: Cell | None, kind: str) -> None:
    """Of a done task the worst is shown that is not well with it."""
    assert sign_of(cell).kind == kind


def test_signs_are_told_apart_without_colour() -> None:
    """No two kinds share a letter."""
    assert len({sign.letter for sign in LEGEND}) == len(LEGEND)


def test_a_cell_is_described_in_one_line() -> None:
    """With status, version, whose it is, and why."""
    failed = Cell(TaskStatus.FAILED, "exit code 3", None, None, "5", 2, stale=False, log="")
    assert describe_cell(5, "reco", failed) == "5 reco: failed v2, exit code 3"
    kept = DONE._replace(inherited_from="prompt")
    assert describe_cell(5, "reco", kept) == "5 reco: done kept in prompt"


def test_rows_are_split_into_blocks() -> None:
    """Each as long as asked for, the last one with the rest."""
    assert split_rows([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert split_rows([], 2) == []
