"""Totals over everything in words, for a terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import spell_unit
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.views.spelling import Spelling
    from autoctrl.views.totals import FailedTask, Totals

# What asks for a person comes first.
OF_RUNS = (TaskStatus.FAILED, TaskStatus.NEW, TaskStatus.PROCESSING, TaskStatus.DONE)
OF_TASKS = (TaskStatus.FAILED, TaskStatus.NEW, TaskStatus.PROCESSING, TaskStatus.SKIPPED)


def spell_totals(totals: Totals, spelling: Spelling) -> list[str]:
    """Return one line about everything, one about failures if there are any, and one about each
    workflow that has more than done tasks, where there are several workflows.
    """
    runs = [f"{totals.runs[one]} {one}" for one in OF_RUNS if totals.runs[one]]
    line = f"{count(totals.all_runs, 'run')}: {', '.join(runs)}."
    tasks = [f"{number} {one}" for one in OF_TASKS if (number := totals.tasks_of(one))]
    if tasks:
        line += f" Tasks: {', '.join(tasks)}."
    others = list(_list_others(totals))
    if others:
        line += f" {', '.join(others)}."
    return [line, *_spell_failures(totals, spelling), *_spell_workflows(totals)]


def _spell_workflows(totals: Totals) -> Iterator[str]:
    if len(totals.tasks) == 1:
        return
    for name, numbers in totals.tasks.items():
        if any(numbers[one] for one in OF_TASKS):
            known = [
                f"{numbers[one]} {one}" for one in (*OF_TASKS, TaskStatus.DONE) if numbers[one]
            ]
            yield f"  {name}: {', '.join(known)}."


def _list_others(totals: Totals) -> Iterator[str]:
    for number, word in (
        (totals.alarms, "alarm"),
        (totals.stale or 0, "stale task"),
        (totals.incidents, "open incident"),
        (totals.conditions, "condition"),
    ):
        if number:
            yield count(number, word)


def _spell_failures(totals: Totals, spelling: Spelling) -> Iterator[str]:
    newest, oldest = totals.newest_failure, totals.oldest_failure
    if newest is None or oldest is None:
        return
    line = f"Failed last: {_spell_failure(newest, spelling)}"
    if oldest != newest:
        line += f"; first: {_spell_failure(oldest, spelling)}"
    yield f"{line}."


def _spell_failure(failed: FailedTask, spelling: Spelling) -> str:
    when = spelling.time(failed.since)
    return f"{spell_unit(failed.unit)} / {failed.workflow} since {when}"
