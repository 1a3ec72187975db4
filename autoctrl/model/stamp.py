"""The stamp of a record of a task or a job: under which lease, in which environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from autoctrl.model.job import JobRecord
from autoctrl.model.task import TaskRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

Stamped = TypeVar("Stamped")


def stamp(records: Iterable[Stamped], epoch: int, environment: str) -> list[Stamped]:
    """Return the records as they are written under the lease of this epoch.

    Records of runs, marks, outputs and fields belong to no lease and stay as they are.
    """
    return [_stamp_one(record, epoch, environment) for record in records]


def _stamp_one(record: Stamped, epoch: int, environment: str) -> Stamped:
    if not isinstance(record, TaskRecord | JobRecord):
        return record
    if record.epoch == epoch and record.environment == environment:
        return record  # it follows one that was written under the same lease
    return cast("Any", record)._replace(epoch=epoch, environment=environment)  # type: ignore[no-any-return]
