"""Verbs about single tasks: retry, skip, fail, complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import Changed, TransitionRefused, UsageError
from autoctrl.incidents import relieve_tasks, write_with_marks
from autoctrl.model.agreement import is_agreed
from autoctrl.model.names import workflow_lease
from autoctrl.model.outcome import Answer, Outcome
from autoctrl.model.output import OutputRecord, publish
from autoctrl.model.status import TaskStatus, check_task
from autoctrl.model.task import TaskRecord
from autoctrl.verbs.request import hold, write
from autoctrl.verbs.targets import Target, find_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Any

    from autoctrl.model.actor import Actor
    from autoctrl.model.job import FileInfo
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Lease, Record
    from autoctrl.verbs.request import Request

    Decision = Callable[[TaskRecord, "Mover"], Sequence[Record]]


CHANGED = "Since that was shown, some of these tasks have changed."


class Mover(NamedTuple):
    """Moves tasks for a person.

    now     when
    actor   for whom
    reason  why
    """

    now: datetime
    actor: Actor
    reason: str

    def move(self, task: TaskRecord, status: TaskStatus, **changes: Any) -> TaskRecord:  # noqa: ANN401 - fields differ in type
        """Return the record that moves a task. Raises ``TransitionRefused``."""
        return task.moved(status, self.now, reason=self.reason, actor=self.actor, **changes)


def retry(request: Request, runs: str, workflow: str) -> Outcome:
    """Try failed and skipped tasks again: same version, done jobs stay done, the budget of attempts
    is renewed.
    """
    refuse_closed(request)
    return move(request, "retry", runs, workflow, _retry)


def skip(request: Request, runs: str, workflow: str) -> Outcome:
    """Take new and failed tasks out of the processing."""
    return move(request, "skip", runs, workflow, _skip)


def fail(request: Request, runs: str, workflow: str) -> Outcome:
    """Ask that the jobs of processing tasks be removed; each task fails when its jobs are gone."""
    return move(request, "fail", runs, workflow, _stop)


def complete(request: Request, runs: str, workflow: str, files: Sequence[FileInfo]) -> Outcome:
    """Declare a new or failed task done by hand, with files that the person made.

    Raises ``UsageError`` if files are given for several tasks.
    """
    refuse_closed(request)
    targets = find_targets(request.store, request.campaign, runs, workflow)
    if files and len(targets) > 1:
        message = f"{len(targets)} tasks cannot be completed with the same output files."
        raise UsageError(message, hint="Complete them one by one.")
    return move(
        request, "complete", runs, workflow, lambda task, mover: _complete(task, mover, files)
    )


def move(request: Request, verb: str, runs: str, workflow: str, decide: Decision) -> Outcome:
    """Move each task that is meant as ``decide`` says, in one write, under the workflow's lease.

    ``decide`` returns a task's records or raises ``TransitionRefused``; a refusal leaves the others
    alone.
    """
    find_targets(request.store, request.campaign, runs, workflow)
    with hold(request, workflow_lease(request.campaign, workflow)) as lease:
        targets = find_targets(request.store, request.campaign, runs, workflow)
        return Outcome(verb, apply(request, targets, decide, lease))


def apply(
    request: Request, targets: Sequence[Target], decide: Decision, lease: Lease | None
) -> tuple[Answer, ...]:
    """Decide about each target, write all that is possible at once, and say what came of each.

    Tasks that were in trouble leave their incidents in the same write. Raises ``Changed`` if that
    is not what somebody has agreed to.
    """
    mover = Mover(request.clock.now(), request.actor, request.reason)
    records: list[Record] = []
    answers = []
    moved: dict[str, list[TaskRecord]] = {}
    for target in targets:
        answer, written = _answer(request, target, decide, mover)
        answers.append(answer)
        records.extend(written)
        if target.task is not None and written:
            moved.setdefault(target.key.workflow, []).append(target.task)
    check_agreed(request, answers)
    write_with_marks(
        lambda marks: write(request, [*records, *marks], lease),
        lambda: [mark for each in moved.items() for mark in _relieve(request, *each)],
    )
    return tuple(answers)


def check_agreed(request: Request, answers: Sequence[Answer]) -> None:
    """Raise ``Changed`` unless these answers, all of one workflow, are what was agreed to."""
    if request.agreed is None or not answers:
        return
    if not is_agreed(request.agreed, answers[0].workflow, answers):
        raise Changed(CHANGED, hint="Nothing was done. Look again at what would be done.")


class Step(NamedTuple):
    """What a verb has done to a task: where it stood, and where it stood then."""

    before: TaskRecord
    after: TaskRecord


def find_step(request: Request, task: TaskRecord, decide: Decision) -> Step | None:
    """Return what this very request did to a task before it was interrupted, None if nothing.

    That is what ``decide`` says of an earlier record, written by the same person for the same
    reason since the request was begun.
    """
    if not request.may_have_written(task.time):
        return None
    history = [one for one in request.store.history(task.key) if isinstance(one, TaskRecord)]
    mover = Mover(request.clock.now(), request.actor, request.reason)
    for place, before in enumerate(history[:-1], start=1):
        if not request.may_have_written(history[place].time):
            continue
        wanted = _moves_of(decide, before, mover)
        found = history[place : place + len(wanted)]
        if wanted and [*map(_essence, wanted)] == [*map(_essence, found)]:
            return Step(before, found[-1])
    return None


def _moves_of(decide: Decision, task: TaskRecord, mover: Mover) -> list[TaskRecord]:
    """Return the records of a task by which a verb would move it, none if it refuses."""
    try:
        return [one for one in decide(task, mover) if isinstance(one, TaskRecord)]
    except TransitionRefused:
        return []


def _essence(task: TaskRecord) -> tuple[object, ...]:
    return (task.actor, task.reason, task.status, task.version, task.stopping, task.renewals)


def _relieve(request: Request, workflow: str, tasks: Sequence[TaskRecord]) -> list[MarkRecord]:
    """Return the marks by which tasks that go on leave the incidents that are about them."""
    now = request.clock.now()
    marks = relieve_tasks(request.store, request.campaign, workflow, tasks, now)
    return [mark._replace(actor=request.actor, reason=request.reason) for mark in marks]


def refuse(task: TaskRecord, verb: str, takes: str) -> None:
    """Raise ``TransitionRefused`` because ``verb`` takes only tasks that are ``takes``."""
    message = f"{task.key} is {task.status}; {verb} takes tasks that are {takes}."
    raise TransitionRefused(message)


def refuse_closed(request: Request) -> None:
    """Raise ``UsageError`` if nothing starts in the campaign any more."""
    if find_campaign(request.store, request.campaign).closed:
        message = f"Campaign {request.campaign} is closed; nothing starts in it any more."
        raise UsageError(
            message, hint=f"Open it again: autoctrl campaign edit {request.campaign} --reopen"
        )


def _answer(
    request: Request, target: Target, decide: Decision, mover: Mover
) -> tuple[Answer, Sequence[Record]]:
    task, key = target.task, target.key
    if task is None:
        return Answer(key.workflow, key.unit, target.runs, None, None, 0, target.missing), ()
    step = find_step(request, task, decide)
    if step is not None:
        return _moved(*step), ()
    try:
        records = decide(task, mover)
    except TransitionRefused as error:
        return Answer(
            key.workflow, key.unit, task.members, task.status, None, task.version, str(error)
        ), ()
    last = next(record for record in reversed(records) if not isinstance(record, OutputRecord))
    return _moved(task, last), records


def _moved(before: TaskRecord, after: TaskRecord) -> Answer:
    """Return the answer about a task that went from one record to another."""
    return Answer(
        after.key.workflow,
        after.key.unit,
        after.members,
        before.status,
        after.status,
        after.version,
        sequence=before.sequence,
    )


def _retry(task: TaskRecord, mover: Mover) -> list[TaskRecord]:
    check_task(str(task.key), task.status, TaskStatus.NEW)
    if task.status not in {TaskStatus.FAILED, TaskStatus.SKIPPED}:
        refuse(task, "retry", "failed or skipped (use reprocess for a done one)")
    renewals = task.renewals + 1
    return [mover.move(task, TaskStatus.NEW, renewals=renewals, stopping=False, log="")]


def _skip(task: TaskRecord, mover: Mover) -> list[TaskRecord]:
    if task.status is TaskStatus.SKIPPED:
        refuse(task, "skip", "new or failed")
    return [mover.move(task, TaskStatus.SKIPPED)]


def _stop(task: TaskRecord, mover: Mover) -> list[TaskRecord]:
    check_task(str(task.key), task.status, TaskStatus.FAILED)
    if task.status is not TaskStatus.PROCESSING:
        refuse(task, "fail", "processing")
    return [mover.move(task, TaskStatus.PROCESSING, stopping=True)]


def _complete(task: TaskRecord, mover: Mover, files: Sequence[FileInfo]) -> list[Record]:
    if task.status not in {TaskStatus.NEW, TaskStatus.FAILED}:
        refuse(task, "complete", "new or failed")
    path = [TaskStatus.PROCESSING, TaskStatus.DONE]
    if task.status is TaskStatus.FAILED:
        path.insert(0, TaskStatus.NEW)
    steps: list[TaskRecord] = []
    for status in path:
        task = mover.move(task, status, stopping=False, is_growing=False)
        steps.append(task)
    outputs = [publish(task, file) for file in files]
    return [*steps[:-1], *outputs, steps[-1]]
