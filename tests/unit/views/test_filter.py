"""Which runs a reader wants to see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.status import TaskStatus
from autoctrl.views import Cell, RunRow
from autoctrl.views.filter import Filter, FilterText, Vocabulary, read_filter

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = Vocabulary(
    ("reco", "plots"), {"kind": "str", "fill": "int"}, NOON, ZoneInfo("Europe/Zurich")
)


def cell(status: TaskStatus, **changes: Any) -> Cell:
    """Return a task as a run's row shows it."""
    return Cell(status, "", None, NOON, "1", 1, stale=False, log="")._replace(**changes)


def row(status: TaskStatus = DONE, **tasks: Cell | None) -> RunRow:
    """Return a physics run with its tasks by workflow."""
    return RunRow(1, {"kind": "physics"}, status, {"reco": None, "plots": None, **tasks})


def read(**text: Any) -> Filter:
    return read_filter(FilterText(**text), WORDS)


BROKEN = row(FAILED, reco=cell(FAILED), plots=cell(NEW))


@pytest.mark.parametrize(
    ("text", "shown", "is_shown"),
    [
        ({}, row(), True),
        ({"status": "failed"}, BROKEN, True),
        ({"status": "failed", "workflow": "reco"}, BROKEN, True),
        ({"status": "failed", "workflow": "plots"}, BROKEN, False),
        ({"status": "new"}, BROKEN, False),
        ({"status": "new", "workflow": "plots"}, BROKEN, True),
        ({"status": "done"}, row(DONE), True),
        ({"status": "skipped"}, row(DONE, reco=cell(SKIPPED)), True),
        ({"status": "skipped"}, row(DONE, reco=cell(DONE)), False),
        ({"workflow": "reco"}, row(DONE, plots=cell(DONE)), False),
        ({"workflow": "reco"}, row(DONE, reco=cell(DONE)), True),
        ({"where": ("kind=physics",)}, row(), True),
        ({"where": ("kind=cosmics",)}, row(), False),
        ({"where": ("kind=cosmics", "kind=physics")}, row(), True),
        ({"where": ("fill=7",)}, row(), False),
        ({"alarm": True}, row(reco=cell(DONE, quality="alarm")), True),
        ({"alarm": True}, row(reco=cell(DONE, quality="warning")), False),
        ({"stale": True}, row(reco=cell(DONE, stale=True)), True),
        ({"stale": True}, row(reco=cell(DONE)), False),
        ({"since": "1h"}, row(reco=cell(DONE)), True),
        ({"since": "1h"}, row(reco=cell(DONE, since=NOON - timedelta(hours=2))), False),
        ({"since": "1h"}, row(reco=cell(DONE, since=None)), False),
        ({"status": "failed", "since": "1h"}, BROKEN, True),
        (
            {"status": "failed", "since": "1h"},
            row(FAILED, reco=cell(FAILED, since=NOON - timedelta(hours=2)), plots=cell(NEW)),
            False,
        ),
    ],
)
def test_what_is_asked_of_tasks_one_task_must_have(
    text: dict[str, Any], shown: RunRow, *, is_shown: bool
) -> None:
    """Without a workflow a status is the run's; what one task causes is asked of that task, with
    all else that is asked of tasks.
    """
    assert read(**text).takes(shown) is is_shown


def test_one_workflow_leaves_one_column() -> None:
    """The others are not of interest; without one all stay."""
    assert list(read(workflow="plots").narrow(BROKEN).tasks) == ["plots"]
    assert read().narrow(BROKEN) is BROKEN
    assert read().is_empty
    assert not read(stale=True).is_empty


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("90min", NOON - timedelta(minutes=90)),
        ("2d", NOON - timedelta(days=2)),
        ("2026-11-20", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("2026-11-20 10:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20T10:30Z", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
    ],
)
def test_since_is_an_age_or_a_date(since: str, moment: datetime) -> None:
    """A date without a zone is meant in the project's."""
    assert read(since=since).since == moment


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ({"status": "faild"}, "'faild' is not a status. Did you mean 'failed'?"),
        ({"workflow": "rico"}, "There is no workflow 'rico'. Did you mean 'reco'?"),
        ({"where": ("kid=physics",)}, "attribute 'kid' is not declared. Did you mean 'kind'?"),
        ({"where": ("fill=x",)}, "declared as int, which 'x' is not"),
        ({"where": ("physics",)}, "Write it as name=value, e.g. kind=physics"),
        ({"since": "yesterday"}, "'yesterday' is neither a time nor a duration"),
        ({"since": "9" * 20 + "h"}, "neither a time nor a duration"),
    ],
)
def test_what_means_nothing_is_refused(text: dict[str, Any], says: str) -> None:
    """With the nearest word that would, and how it is written."""
    with pytest.raises(UsageError) as refused:
        read(**text)
    assert says in str(refused.value)


def test_a_filter_is_written_into_an_address() -> None:
    """As it was read from there; switches that are off are left out."""
    text = FilterText(runs="1-3", where=("kind=physics",), alarm=True)
    assert {name: value for name, value in text.query().items() if value} == {
        "runs": "1-3",
        "where": ("kind=physics",),
        "alarm": "1",
    }
    assert text.narrows_tasks
    assert not FilterText(runs="1-3").narrows_tasks
