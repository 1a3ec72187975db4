"""Reasons that several tasks share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autoctrl.model.status import TaskStatus
from autoctrl.views import Cell, RunRow, Spelling, shared_reasons, spell_shared, without_unit
from autoctrl.views.reasons import common_text
from tests.unit.given import KEY, task

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


def test_reasons_that_differ_in_figures_runs_and_paths_are_one() -> None:
    """What differs is left out, whole words are kept; the units are listed."""
    texts = {3: "waits for file raw/run3.dat", 12: "waits for file raw/run12.dat"}
    rows = [row(run, reco=cell(str(run), NEW, text)) for run, text in texts.items()]
    (shared,) = shared_reasons(rows)
    assert (shared.reason, shared.units) == ("waits for file raw/run….dat", "3,12")


@pytest.mark.parametrize(
    ("texts", "common"),
    [
        (["used 641 MB of 600", "used 836 MB of 600"], "used … MB of 600"),
        (["at /a/x1/b", "at /a/x22/b"], "at /a/x…/b"),
        (["code 3", "code 34"], "code …"),
        (["/a b", "/a /c b"], "/a b"),
        (["same", "same"], "same"),
    ],
)
def test_what_reasons_have_in_common_is_said(texts: list[str], common: str) -> None:
    """Of those that are not built alike the first is said whole."""
    assert common_text(texts) == common


def test_failures_of_runs_that_are_not_shown_have_reasons_too() -> None:
    """A task that a row shows as well counts once."""
    record = task(FAILED, reason="exit code 3")
    rows = [row(4521, reco=cell("4521", FAILED, "exit code 3"))]
    (shared,) = shared_reasons(rows, [record, record._replace(key=KEY._replace(unit="7"))])
    assert (shared.units, shared.size) == ("7,4521", 2)


def test_what_is_processing_for_long_has_a_line() -> None:
    """What began later has none, nor what says something itself, nor where nothing is long."""
    old, young = NOON - timedelta(hours=7), NOON
    rows = [
        row(1, reco=cell("1", PROCESSING, "", since=old)),
        row(2, reco=cell("2", PROCESSING, "", since=young)),
        row(3, reco=cell("3", PROCESSING, "held", since=old)),
        row(4, reco=cell("4", PROCESSING, "")),
    ]
    found = shared_reasons(rows, long_before=NOON - timedelta(hours=6))
    assert {shared.reason: shared.units for shared in found} == {"is taking long": "1", "held": "3"}
    assert [shared.reason for shared in shared_reasons(rows)] == ["held"]


def test_a_line_says_since_when() -> None:
    """Of failures also since when the last is there."""
    later = NOON + timedelta(hours=1)
    rows = [
        row(
            run,
            a=cell(str(run), FAILED, "broke", since=since),
            b=cell(str(run), NEW, "w", since=since),
        )
        for run, since in ((1, NOON), (2, later))
    ]
    broke, waits = (spell_shared(shared, UTC_SPELLING) for shared in shared_reasons(rows))
    assert broke == "broke (since 2026-11-20 12:00:00 UTC, the last 2026-11-20 13:00:00 UTC)"
    assert waits == "w (since 2026-11-20 12:00:00 UTC)"
