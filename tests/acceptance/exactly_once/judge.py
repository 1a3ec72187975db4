"""Judges what became of a project by the jobs' own ledger, beside what the machine recorded."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.config import load_settings
from autoctrl.model.job import JobRecord, attempt_path
from autoctrl.model.status import JobStatus, Role, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import Selection
from autoctrl.stores import open_project_store
from tests.acceptance.exactly_once.laboratory import PARTS, Line, read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from autoctrl.model.output import OutputRecord
    from autoctrl.ports import Store

JOBS = {
    "split": [*(f"{part}.1" for part in range(PARTS)), "merge.1"],
    "follow": ["0.1"],
    "bad": ["0.1", "0.2"],
    "stuck": ["0.1"],
}
WANTED = {
    "good": ("split", "follow", "call"),
    "bad": ("bad",),
    "stuck": ("stuck",),
    "long": ("long",),
}
PUBLISHED = {"split": "part", "follow": "copy", "call": "note", "long": "copy"}


class Found(NamedTuple):
    """What a store holds of one campaign.

    tasks    newest record of every task
    records  every task and job record ever written
    outputs  every published output
    """

    tasks: list[TaskRecord]
    records: list[TaskRecord | JobRecord]
    outputs: list[OutputRecord]


def find(folder: Path) -> Found:
    """Read the project's store."""
    with closing(open_project_store(load_settings(folder))) as store:
        return _find(store)


def _find(store: Store) -> Found:
    outputs = store.find_outputs(
        Selection("prompt")
    )  # read first: somebody may write while we read
    tasks = store.tasks(Selection("prompt"))
    history = [record for task in tasks for record in store.history(task.key)]
    records = [record for record in history if isinstance(record, TaskRecord | JobRecord)]
    return Found(tasks, records, outputs)


def check_at_any_time(folder: Path) -> None:
    """Check what must hold even in the middle of the work: outputs only of what is accepted,
    results accepted once.
    """
    found = find(folder)
    done = {
        record.key: record.version for record in found.tasks if record.status is TaskStatus.DONE
    }
    for output in found.outputs:
        assert done.get(output.task) == output.version, (
            f"{output} is visible, but its version is not done"
        )
        _check_file(output)
    assert_once((output.task, output.version, output.name, output.url) for output in found.outputs)
    jobs = _jobs(found)
    assert_once((job.key, job.attempt) for job in jobs if job.is_final and job.late < job.attempt)
    assert_once(job.key for job in jobs if job.status is JobStatus.DONE)
    assert_once(
        (task.key, task.version, task.renewals)
        for task in found.records
        if isinstance(task, TaskRecord) and task.status in {TaskStatus.DONE, TaskStatus.FAILED}
    )
    assert not [line for line in read_ledger(folder) if line.word == "overlap"]


def _check_file(output: OutputRecord) -> None:
    content = Path(output.url).read_bytes()
    assert len(content) == output.bytes > 0
    assert dict(output.checksums) == {"sha256": hashlib.sha256(content).hexdigest()}


def check_in_the_end(folder: Path, kinds: Mapping[int, str], without: Iterable[str] = ()) -> None:
    """Check that all is done that could be done, and each output is there once, of the attempt that
    was accepted.
    """
    check_at_any_time(folder)
    found = find(folder)
    wanted = {
        (workflow, str(run))
        for run, kind in kinds.items()
        for workflow in {*WANTED[kind]} - {*without}
    }
    stood = {(task.key.workflow, task.key.unit): task.status for task in found.tasks}
    assert stood == {
        key: TaskStatus.DONE if key[0] in PUBLISHED else TaskStatus.FAILED for key in wanted
    }
    expected = {
        (workflow, unit, PUBLISHED[workflow]) for workflow, unit in wanted if workflow in PUBLISHED
    }
    published = [(output.task.workflow, output.task.unit, output.name) for output in found.outputs]
    assert sorted(published) == sorted(expected)
    accepted = {attempt_path(job): job for job in _jobs(found) if job.status is JobStatus.DONE}
    ended = {line.tag for line in read_ledger(folder) if line.word == "end"}
    assert accepted.keys() <= ended, "a result was accepted of a job that never said it had ended"
    places = {
        str(Path(output.url).parent.relative_to(folder / "outputs")) for output in found.outputs
    }
    merged = {job.key.task for job in accepted.values() if job.role is Role.MERGE}
    assert places == {
        path
        for path, job in accepted.items()
        if job.role is Role.MERGE or job.key.task not in merged
    }, "outputs are those of the accepted results"


def check_told(folder: Path) -> None:
    """Check that people were told of each trouble, and at most one message twice after one kill."""
    lines = (folder / "alerts.log").read_text().splitlines()
    told = Counter(line.partition(" ")[2] for line in lines)
    assert sorted(text.split()[1] for text in told) == ["[bad]:"]
    assert set(told.values()) <= {1, 2}


def _jobs(found: Found) -> list[JobRecord]:
    return [record for record in found.records if isinstance(record, JobRecord)]


def check_once(folder: Path, kinds: Mapping[int, str]) -> None:
    """Check that each job of a batch workflow started exactly once; each call at least once, each
    attempt at most.
    """
    ledger = read_ledger(folder)
    starts = Counter(line.tag for line in ledger if line.word == "start")
    ends = Counter(line.tag for line in ledger if line.word == "end")
    assert not {tag: count for tag, count in starts.items() if count > 1}, (
        "an attempt started twice"
    )
    assert not {tag: count for tag, count in ends.items() if count > starts[tag]}
    expected = {
        f"prompt/{workflow}/{run}/v1/{job}"
        for run, kind in kinds.items()
        for workflow in WANTED[kind]
        for job in JOBS.get(workflow, ())
    }
    stuck = {
        tag for tag in expected if tag.startswith("prompt/stuck/")
    }  # may be removed before it has started
    batch = {tag for tag in starts if not tag.startswith("prompt/call/")}
    assert batch | stuck == expected, "each job starts, and no further attempt of it does"
    assert ends.keys() >= expected - stuck
    _check_calls(folder, ledger)


def _check_calls(folder: Path, ledger: Iterable[Line]) -> None:
    """Check that what was called is an attempt that was recorded, and that no attempt is missing in
    the counting.
    """
    records = _jobs(find(folder))
    calls = {attempt_path(record) for record in records if record.key.task.workflow == "call"}
    assert {line.tag for line in ledger if line.tag.startswith("prompt/call/")} <= calls
    for record in records:
        assert record.attempt == 1 or attempt_path(record._replace(attempt=record.attempt - 1)) in {
            *map(attempt_path, records)
        }


def check_restarts(folder: Path, most_starts: int = 1) -> None:
    """Check that a job started again only as the next attempt, after the earlier one was over and
    recorded so.

    A pool may start an attempt again by itself, up to ``most_starts`` times.
    """
    ledger = read_ledger(folder)
    starts = Counter((line.tag, line.start) for line in ledger if line.word == "start")
    assert not {start: count for start, count in starts.items() if count > 1}, (
        "one start happened twice"
    )
    jobs = _jobs(find(folder))
    ended = {attempt_path(job): job for job in jobs if job.is_final}
    for tag, start in starts:
        job, _, attempt = tag.rpartition(".")
        assert start <= most_starts, "an attempt was started too often"
        if int(attempt) > 1:
            before = ended[f"{job}.{int(attempt) - 1}"]
            assert before.status is not JobStatus.DONE, f"{tag} started although {before} was done"
    order: dict[str, int] = {}
    for line in ledger:
        job, _, attempt = line.tag.rpartition(".")
        assert int(attempt) >= order.get(job, 0), (
            f"attempt {attempt} of {job} wrote after a later one had begun"
        )
        order[job] = int(attempt)


def assert_once(items: Iterable[object]) -> None:
    """Check that nothing occurs twice."""
    assert not {item: count for item, count in Counter(items).items() if count > 1}
