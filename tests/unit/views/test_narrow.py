"""The overview where there is little room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.model.table import plain_lines
from autoctrl.views import Cell, Overview, RunRow
from autoctrl.views.narrow import narrow_overview

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


def cell(status: TaskStatus, **changes: Any) -> Cell:
    """Return a task as a run's row shows it."""
    return Cell(status, "", None, None, "1", 1, stale=False, log="")._replace(**changes)


def overview(*rows: Mapping[str, Cell | None]) -> Overview:
    """Return runs with their tasks by workflow."""
    runs = [RunRow(4500 + number, {}, FAILED, tasks) for number, tasks in enumerate(rows)]
    return Overview("prompt", tuple(rows[0]), tuple(runs), len(runs))


def test_each_task_is_a_sign_and_a_letter() -> None:
    """With its version, and marks for what is worth one; all that occurs is explained."""
    first: dict[str, Cell | None] = {
        "reco": cell(DONE, version=2, stale=True),
        "sums": cell(FAILED, unit="fill:7"),
        "dq": cell(DONE, quality="alarm"),
        "plots": None,
    }
    second: dict[str, Cell | None] = {
        "reco": cell(PROCESSING),
        "sums": cell(NEW),
        "dq": cell(DONE, quality="warning"),
        "plots": cell(SKIPPED),
    }
    seen = narrow_overview(overview(first, second), 80)
    assert plain_lines(seen.tables[0]) == [
        "RUN   STATUS  1     2    3    4",
        "4500  failed  ✓D2~  ✕F*  ✓D!  -",
        "4501  failed  ◐P    ○N   ✓D?  \N{EN DASH}S",
    ]
    assert seen.workflows == ("1 reco", "2 sums", "3 dq", "4 plots")
    assert seen.legend == (
        "○N new",
        "◐P processing",
        "✓D done",
        "✕F failed",
        "\N{EN DASH}S skipped",
        "2 version",
        "* of a group",
        "~ stale",
        "! alarm",
        "? warning",
    )


def test_letters_suffice_where_there_are_no_signs() -> None:
    """And what does not occur is not explained."""
    seen = narrow_overview(overview({"reco": cell(DONE)}), 80, has_signs=False)
    assert (seen.tables[0].rows, seen.legend) == ([("4500", "failed", "D")], ("D done",))


@pytest.mark.parametrize("width", [10, 40, 80])
def test_workflows_stand_in_groups_that_fit(width: int) -> None:
    """However narrow it is, each workflow is in one of them."""
    row: dict[str, Cell | None] = {f"workflow{number}": cell(DONE) for number in range(30)}
    seen = narrow_overview(overview(row, row), width)
    assert [place for group in seen.columns for place in group] == list(range(30))
    lines = [line for table in seen.tables for line in plain_lines(table)]
    least = len("4500  failed  10")
    assert all(len(line.rstrip()) <= max(width, least) for line in lines)
    assert len(seen.tables) == {10: 30, 40: 5, 80: 2}[width]
