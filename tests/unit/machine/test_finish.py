"""The last records of a version."""

from __future__ import annotations

from autoctrl.machine.finish import fail_task, finish_task
from autoctrl.machine.situation import ActionKind
from autoctrl.model.actor import Actor
from autoctrl.model.job import MERGE_INDEX
from autoctrl.model.output import FieldsRecord, OutputRecord
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord
from tests.unit.given import KEY, NOW, file, job, later, situation, task


def outputs(records: object) -> list[OutputRecord]:
    assert isinstance(records, tuple)
    return [record for record in records if isinstance(record, OutputRecord)]


def done(index: int = 0, *urls: str, **fields: object) -> object:
    return job(JobStatus.DONE, index, files=tuple(file(url=url) for url in urls), **fields)


def test_what_a_version_made_is_published_with_the_record_that_moves_it() -> None:
    """Done, one present output per file with its facts, and the custom fields, are one write."""
    only = job(
        JobStatus.DONE,
        files=(file(entries={"Events": 5}), file("plot", "/out/p.png")),
        fields={"n": 3.0},
        log="/log",
    )
    action = finish_task(task(version=2), [only], situation(task(), friend_of={"plot": "raw"}))
    moved, first, second, fields = action.records
    assert isinstance(moved, TaskRecord)
    assert (moved.status, moved.log) == (TaskStatus.DONE, "/log")
    assert isinstance(first, OutputRecord)
    assert isinstance(second, OutputRecord)
    assert (first.task, first.version, first.name, first.url, first.state) == (
        KEY,
        2,
        "output",
        "/out/reco.txt",
        "present",
    )
    assert (first.bytes, first.checksums, first.entries, first.members) == (
        7,
        {"sha256": "ab"},
        {"Events": 5},
        (4521,),
    )
    assert (first.friend_of, second.friend_of, second.time) == ("", "raw", moved.time)
    assert fields == FieldsRecord(KEY, 2, {"n": 3.0}, moved.time)
    assert (action.kind, action.text, action.discard, action.alert) == (
        ActionKind.FINISH,
        "done with 2 outputs",
        (),
        "",
    )


def test_a_version_without_files_and_fields_is_just_done() -> None:
    """Nothing is published for nothing, not even for no jobs at all."""
    for jobs in ([], [job(JobStatus.DONE)]):
        action = finish_task(task(), jobs, situation(task()))
        assert len(action.records) == 1
        assert action.text == "done with 0 outputs"


def test_only_the_merge_is_published_and_the_parts_are_discarded() -> None:
    """Behind a merge the parts' files are superfluous once its record is written; their fields are
    kept.
    """
    parts = [
        job(JobStatus.DONE, n, files=(file(url=f"/out/{n}"),), fields={f"n{n}": 1.0})
        for n in (0, 1)
    ]
    merge = job(JobStatus.DONE, MERGE_INDEX, files=(file(url="/out/all"),), fields={"all": 2.0})
    action = finish_task(task(), [*parts, merge], situation(task()))
    assert [output.url for output in outputs(action.records)] == ["/out/all"]
    assert action.discard == ("/out/0", "/out/1")
    assert action.text == "done with 1 output"
    kept = action.records[-1]
    assert isinstance(kept, FieldsRecord)
    assert kept.values == {"n0": 1.0, "n1": 1.0, "all": 2.0}


def test_a_failed_task_carries_reason_and_log_and_tells_people_once() -> None:
    """The first bad job speaks, the number of bad ones is said, and there is one alert with the
    log's address.
    """
    bad = [
        job(
            JobStatus.FAILED, 1, attempt=2, failure=Failure.USER, reason="exit code 3", log="/log/1"
        ),
        job(JobStatus.LOST, 2, reason="gone"),
    ]
    action = fail_task(task(is_growing=True), bad, situation(task()))
    (failed,) = action.records
    assert isinstance(failed, TaskRecord)
    text = "2 jobs failed, the first: job 1.2 failed (user code): exit code 3"
    assert (failed.status, failed.reason, failed.log) == (TaskStatus.FAILED, text, "/log/1")
    assert action.alert == f"run 4521 / reco v1 failed: {text} (log: /log/1)"
    lost = fail_task(task(), bad[1:], situation(task()))
    assert lost.alert == "run 4521 / reco v1 failed: job 2.1 lost (lost): gone"


def test_a_task_that_a_person_failed_keeps_the_persons_words() -> None:
    """The record carries who asked and why, and nobody is alarmed about what a person wanted."""
    person = Actor("ada", "web")
    stopped = task(stopping=True, reason="wrong settings", actor=person, log="/old")
    for bad, log in (([job(JobStatus.REMOVED, log="/log")], "/log"), ([], "/old")):
        action = fail_task(stopped, bad, situation(stopped))
        (failed,) = action.records
        assert isinstance(failed, TaskRecord)
        assert (failed.status, failed.reason, failed.actor, failed.stopping) == (
            "failed",
            "wrong settings",
            person,
            False,
        )
        assert (failed.log, action.alert) == (log, "")


def test_a_failure_is_never_older_than_the_jobs_that_caused_it() -> None:
    """Under clocks that differ, the task's record is still the last, so that a retry begins after
    all of them.
    """
    ahead = job(JobStatus.FAILED, failure=Failure.NODE, time=later(60))
    (failed,) = fail_task(task(), [ahead], situation(task())).records
    assert failed.time >= ahead.time > NOW
