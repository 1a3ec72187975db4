"""Reasons that several tasks share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.views import Cell, RunRow, Spelling, shared_reasons, spell_shared, without_unit

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UTC_SPELLING = Spelling("UTC")


def cell(unit: str, status: TaskStatus, reason: str, **changes: Any) -> Cell:
    """Return a task as a run's row shows it."""
    return Cell(status, reason, None, None, unit, 1, stale=False, log="")._replace(**changes)


def row(run: int, **tasks: Cell | None) -> RunRow:
    """Return a run with its tasks by workflow."""
    return RunRow(run, {}, NEW, tasks)


@pytest.mark.parametrize(
    ("reason", "unit", "text"),
    [
        ("run 3 has no fill yet", "3", "the run has no fill yet"),
        ("waits for reco of run 3 (failed)", "3", "waits for reco of the run (failed)"),
        ("waits for pedestal of run 30 (new)", "3", "waits for pedestal of run 30 (new)"),
        ("waits for align of fill 8222 (new)", "fill:8222", "waits for align of the fill (new)"),
        ("the beam was off", "3", "the beam was off"),
    ],
)
def test_a_general_reason_does_not_name_its_own_unit(reason: str, unit: str, text: str) -> None:
    """Only the task's own run or group is replaced, other numbers stay."""
    assert without_unit(reason, unit) == text


def test_tasks_that_wait_for_the_same_share_a_reason() -> None:
    """Runs with one reason are a selection that a verb takes; one alone keeps its own words."""
    rows = [
        row(3, reco=cell("3", NEW, "run 3 is too young"), sums=None),
        row(4, reco=cell("4", NEW, "run 4 is too young"), sums=cell("4", DONE, "")),
        row(5, reco=cell("5", NEW, "run 5 has no fill"), sums=cell("5", DONE, "mine")),
    ]
    young, lonely = shared_reasons(rows)
    assert (young.reason, young.units, young.about, young.size) == (
        "the run is too young",
        "3-4",
        "3-4",
        2,
    )
    assert (lonely.reason, lonely.units, lonely.size) == ("run 5 has no fill", "5", 1)


def test_what_asks_for_a_person_comes_first() -> None:
    """Failures precede alarms, alarms precede what waits, and warnings come last."""
    rows = [
        row(1, a=cell("1", DONE, "warning: dim", quality="warning"), b=cell("1", NEW, "waits")),
        row(2, a=cell("2", DONE, "alarm: dark", quality="alarm"), b=cell("2", FAILED, "broke")),
        row(3, a=cell("3", SKIPPED, "off"), b=cell("3", PROCESSING, "held")),
    ]
    reasons = [shared.reason for shared in shared_reasons(rows)]
    assert reasons == ["broke", "alarm: dark", "waits", "held", "off", "warning: dim"]


def test_runs_that_came_too_late_are_named_by_their_numbers() -> None:
    """A verb takes their group, a reader looks for the runs; the group keeps its name."""
    late = "fill 7 was processed without it; reprocess takes it in"
    rows = [row(run, sums=cell("fill:7", DONE, late, is_late=True)) for run in (6, 30)]
    (shared,) = shared_reasons(rows)
    assert (shared.units, shared.about, shared.reason, shared.size) == ("fill:7", "6,30", late, 1)


def test_groups_stand_behind_runs_in_a_selection() -> None:
    """A group that several runs show is one task."""
    rows = [
        row(1, sums=cell("fill:7", SKIPPED, "off")),
        row(2, sums=cell("fill:7", SKIPPED, "off")),
        row(3, sums=cell("3", SKIPPED, "off")),
    ]
    (shared,) = shared_reasons(rows)
    assert (shared.units, shared.size) == ("3,fill:7", 2)


def test_a_shared_reason_says_until_when_it_holds() -> None:
    """One time if all pass together, else the first and the last."""
    rows = [row(run, reco=cell(str(run), NEW, "too young", until=NOON)) for run in (1, 2)]
    (shared,) = shared_reasons(rows)
    assert spell_shared(shared, UTC_SPELLING) == "too young (until 2026-11-20 12:00:00 UTC)"
    later = cell("3", NEW, "too young", until=NOON + timedelta(hours=1))
    (shared,) = shared_reasons([*rows, row(3, reco=later)])
    assert spell_shared(shared, UTC_SPELLING) == (
        "too young (the first until 2026-11-20 12:00:00 UTC, the last until 2026-11-20 13:00:00 "
        "UTC)"
    )
    assert spell_shared(shared._replace(until=None), UTC_SPELLING) == "too young"


def test_a_failure_leads_to_the_first_log() -> None:
    """The log of the first task that has one is named; tasks that only wait name none."""
    rows = [
        row(1, reco=cell("1", FAILED, "broke")),
        row(2, reco=cell("2", FAILED, "broke", log="/two")),
        row(3, reco=cell("3", FAILED, "burnt", log="/three")),
        row(4, reco=cell("4", NEW, "waits", log="/four")),
    ]
    texts = [spell_shared(shared, UTC_SPELLING) for shared in shared_reasons(rows)]
    assert texts == ["broke (first log: /two)", "burnt (log: /three)", "waits"]
