"""The fakes that workflow authors test with, and one task tried without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl import BatchHandler, Files, InlineHandler, Where
from autoctrl.errors import ServiceDown, SubmitRefused, UsageError
from autoctrl.model.severity import Severity
from autoctrl.model.status import Failure, JobStatus
from autoctrl.ports import JobOrder, Message
from autoctrl.testing import START, FakeClock, RecordingNotifier, ScriptedExecutor, try_task
from tests.unit.given import SPEC, file

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.model.task import Task

TAG = "s1/prompt/reco/7/v1/0.1"
ORDER = JobOrder(TAG, SPEC, "/out")


def test_a_clock_stands_until_it_is_moved() -> None:
    """Forward and backward, and never by itself."""
    clock = FakeClock()
    assert clock.now() == clock.now() == START
    clock.advance(90)
    clock.advance(-30)
    assert (clock.now() - START).total_seconds() == 60


def test_a_notifier_keeps_what_people_would_be_told() -> None:
    """In order; what was changed is seen in its place."""
    notifier = RecordingNotifier()
    first = notifier.tell(Message("a", Severity.ALARM, "run 7 failed"))
    notifier.tell(Message("b", Severity.INFO, "run 8 done", link="/link"))
    assert first is not None
    assert notifier.change(first, Message("a", Severity.INFO, "run 7 done"))
    assert [message.title for message in notifier.told] == ["run 7 failed", "run 8 done"]
    assert [message.title for message in notifier.shown.values()] == ["run 7 done", "run 8 done"]


def test_a_scripted_job_lives_as_the_test_says() -> None:
    """Idle after its submission, then whatever is reported, then finished with a result."""
    jobs = ScriptedExecutor(has_safe_resubmit=True)
    assert (jobs.name, jobs.has_safe_resubmit, jobs.find([TAG])) == ("local", True, {})
    assert jobs.submit([ORDER]) == {TAG: TAG}
    assert jobs.find([TAG, "other"]) == {TAG: TAG}
    assert jobs.poll([TAG, "other"])[TAG].status is JobStatus.IDLE
    jobs.report("7/v1/0.1", JobStatus.HELD, "quota", Failure.HELD)
    assert jobs.poll([TAG])[TAG].failure is Failure.HELD
    assert jobs.result(TAG) is None
    jobs.finish("7/v1/0.1", files=[file()], fields={"n": 1.0}, exit_code=2)
    end = jobs.result(TAG)
    assert end is not None
    assert (end.exit_code, end.files, end.fields, jobs.poll([TAG])[TAG].status) == (
        2,
        (file(),),
        {"n": 1.0},
        "done",
    )
    jobs.remove([TAG])
    jobs.acknowledge([TAG])
    assert (jobs.removed, jobs.acknowledged, jobs.poll([TAG])[TAG].status) == (
        [TAG],
        [TAG],
        "removed",
    )
    assert (jobs.log(TAG, "stderr"), jobs.ping()) == (f"stderr of {TAG}\n", "scripted")


def test_a_scripted_executor_may_be_down_or_refuse() -> None:
    """Down, every question is met by silence; a refusal is a clear no."""
    jobs = ScriptedExecutor()
    jobs.refusal = "no quota"
    with pytest.raises(SubmitRefused, match="no quota"):
        jobs.submit([ORDER])
    jobs.is_down = True
    asked: list[Any] = [jobs.submit, jobs.find, jobs.poll, jobs.remove, jobs.acknowledge]
    for ask in asked:
        with pytest.raises(ServiceDown):
            ask([])
    with pytest.raises(ServiceDown):
        jobs.ping()


def test_a_job_that_was_not_submitted_cannot_be_scripted() -> None:
    """The error lists those that were."""
    jobs = ScriptedExecutor()
    with pytest.raises(UsageError, match=r"0 jobs end with '7'. Submitted: none"):
        jobs.finish("7")
    jobs.submit([ORDER])
    with pytest.raises(UsageError, match="Submitted: s1"):
        jobs.finish("8/v1/0.1")


def test_a_batch_workflow_shows_its_jobs() -> None:
    """The filter's answer and each command, without anything being run."""
    handler = BatchHandler(
        "reco",
        "tool {raw} {first}:{last} {campaign.tag}",
        runs=Where(kind="physics"),
        inputs={"raw": Files("x")},
        split_events=200,
    )
    tried = try_task(handler, run=7, inputs={"raw": "/raw"}, events=300, settings={"tag": "v1"})
    assert (tried.is_wanted, tried.wait, tried.result) == (None, None, None)
    assert [job.argv for job in tried.jobs] == [
        ("tool", "/raw", "0:200", "v1"),
        ("tool", "/raw", "200:300", "v1"),
    ]
    assert (
        try_task(handler, run=7, attributes={"kind": "physics"}, inputs={"raw": ["/raw"]}).is_wanted
        is True
    )


def test_a_workflow_of_groups_is_tried_on_the_group_of_the_run() -> None:
    """Its name is known from the attribute by which it groups."""
    handler = BatchHandler(
        "trend", "tool {unit}", group_by="fill", outputs={"o": "fill{group}.txt"}
    )
    (job,) = try_task(handler, run=7, attributes={"fill": 5}).jobs
    assert (job.argv, job.outputs) == (("tool", "fill:5"), {"o": "fill5.txt"})


def test_a_workflow_that_cannot_list_its_jobs_says_why() -> None:
    """The reason is the one that the task would wait with."""
    tried = try_task(BatchHandler("reco", "tool {run.fill}"), run=7)
    assert tried.wait is not None
    assert (tried.wait.reason, tried.jobs) == ("{run.fill} has no value yet", ())


def test_a_function_is_called_with_its_inputs_and_outputs(tmp_path: Path) -> None:
    """The result is what the cycle would get; outputs lie below the folder that was given."""

    def work(task: Task) -> dict[str, Any]:
        task.output("plot").write_text(task.input("raw").read_text())
        return {"run": task.run, "hv": task.attributes["hv"]}

    (tmp_path / "raw").write_text("data")
    handler = InlineHandler("dq", work, inputs={"raw": Files("x")}, outputs={"plot": "p{run}.txt"})
    tried = try_task(
        handler, run=7, attributes={"hv": 5}, inputs={"raw": str(tmp_path / "raw")}, folder=tmp_path
    )
    assert tried.result is not None
    assert (tried.result.exit_code, tried.result.fields) == (0, {"run": 7.0, "hv": 5.0})
    assert (tmp_path / "p7.txt").read_text() == "data"


def test_a_function_that_fails_reports_its_error() -> None:
    """As a result, in a temporary folder if none is given; the test itself goes on."""
    tried = try_task(InlineHandler("dq", lambda task: {"x": task.attributes["missing"]}), run=7)
    assert tried.result is not None
    assert (tried.result.exit_code, tried.result.reason) == (1, "KeyError: 'missing'")


@pytest.mark.parametrize("inputs", [{}, {"rw": "/x"}, {"raw": "/x", "more": "/y"}])
def test_the_inputs_of_a_try_must_be_those_declared(inputs: dict[str, str]) -> None:
    """A missing, misspelt or further input is refused, naming both lists."""
    handler = BatchHandler("reco", "tool", inputs={"raw": Files("x")})
    with pytest.raises(UsageError, match=r"has the inputs \['raw'\]; given are"):
        try_task(handler, run=7, inputs=inputs)
