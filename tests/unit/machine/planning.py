"""What tests of a plan ask for and look at: permissions to start, and records of an action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.machine.situation import Startable
from autoctrl.model.job import JobRecord
from autoctrl.model.task import InputRef, TaskRecord
from tests.unit.given import SPEC

if TYPE_CHECKING:
    from autoctrl.machine.situation import Action
    from autoctrl.ports import Record

RAW = InputRef("raw", "/raw", 7, events=400)
MERGE = SPEC._replace(argv=("merge",))


def ready(parts: int = 1, *, is_growing: bool = False) -> Startable:
    """Return permission to start so many parts."""
    specs = tuple(SPEC._replace(events=(200 * n, 200 * n + 200)) for n in range(parts))
    return Startable((RAW,), specs, "digest", is_growing)


def only(actions: list[Action]) -> Action:
    (action,) = actions
    return action


def written(actions: list[Action]) -> list[Record]:
    return [record for action in actions for record in action.records]


def jobs_of(action: Action) -> list[JobRecord]:
    return [record for record in action.records if isinstance(record, JobRecord)]


def task_of(action: Action) -> TaskRecord:
    (record,) = [record for record in action.records if isinstance(record, TaskRecord)]
    return record
