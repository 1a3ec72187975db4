"""What the tests of copying a store share: a history of every kind of record, and a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock
from autoctrl.verbs import Request
from autoctrl.verbs.copy import (
    Copied,
    Names,
    copy_history,
)
from tests.contract.samples import ALICE, NOW, job, mark, output, run, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.ports import Record, Store

NAMES = Names("sqlite:old", "sqlite:new")
FIRST = task("9")
GOING = FIRST.moved(TaskStatus.PROCESSING, NOW)
DONE = GOING.moved(TaskStatus.DONE, NOW)
PART = job(GOING, 0, asked=NOW, handle="h0")
FILES = [output(DONE, "tracks"), output(DONE, "plots")]
HITS = FieldsRecord(DONE.key, 1, {"hits": 3.0}, NOW)
HISTORY: list[Record] = [
    run(9),
    run(4),
    run(9, 2, fill=7),
    mark("reco"),
    mark("reco", sequence=2),
    mark("reco", "again"),
]
HISTORY += [
    FIRST,
    GOING,
    DONE,
    task("10"),
    PART,
    PART.moved(JobStatus.DONE, NOW),
    job(GOING, -1),
    *FILES,
    HITS,
]
COUNTS = {"runs": 3, "marks": 3, "tasks": 4, "jobs": 3, "outputs": 2, "fields": 1}


def holding(*records: Record) -> MemoryStore:
    made = MemoryStore()
    made.append(records)
    return made


def request(target: Store, clock: FakeClock | None = None) -> Request:
    return Request(target, clock or FakeClock(), ALICE, wait_s=0, lease_s=60)


def copied(
    source: Store, target: Store, *, tell: Callable[[str, int], None] | None = None
) -> Copied:
    return copy_history(request(target), source, NAMES, tell)
