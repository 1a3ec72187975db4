"""What holds whatever the executor says: a task is moved through random histories, every step
checked.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.machine.failures import Policy
from autoctrl.machine.plan import plan
from autoctrl.machine.situation import LateResult, ObservedJob, Situation, Startable, apply_records
from autoctrl.model.job import JobRecord
from autoctrl.model.output import OutputRecord
from autoctrl.model.status import Failure, JobStatus, Role, TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.ports import JobReport, OpenTask
from tests.unit.given import NOW, SPEC, file, result, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.machine.situation import Action
    from autoctrl.model.job import JobKey
    from autoctrl.ports import Record

LIMIT_S = 60.0
ANSWERS = [
    "running",
    "running",
    "idle",
    "held",
    "done",
    "done",
    "done",
    "failed",
    "lost",
    "removed",
    "removing",
]


def say(dice: Random) -> ObservedJob | None:
    """Return what an executor might say of an attempt."""
    if dice.random() < 0.1:
        return None
    failure = dice.choice([None, None, None, *Failure])
    report = JobReport(JobStatus(dice.choice(ANSWERS)), dice.choice(["", "words"]), failure)
    end = dice.choice([None, result(1), result(0), result(0), result(0)])
    problem = dice.choice(["", "", "", "wrong"])
    late = LateResult(1, 0) if dice.random() < 0.1 else None
    if dice.random() < 0.2:
        return ObservedJob("", None, late=late)
    return ObservedJob(
        "h", report if dice.random() < 0.9 else None, end, (file(),), problem, late=late
    )


class Step(NamedTuple):
    """What happens in one cycle: time passes, a person speaks, executors and handler answer."""

    pass_s: int = 1
    paused: str = ""
    verb: str = ""
    said: tuple[ObservedJob | None, ...] = ()
    parts: int = 1
    grows: bool = False


def history(seed: int) -> list[Step]:
    """Return a random history; the same for the same seed."""
    dice = Random(seed)
    return [
        Step(
            dice.choice([-30, 1, 1, 90, 4000]),
            dice.choice(["", "", "", "paused"]),
            dice.choice(["", "", "", "", "", "fail", "retry"]),
            tuple(say(dice) for _ in range(4)),
            dice.randint(1, 3),
            dice.random() < 0.2,
        )
        for _ in range(dice.randint(1, 25))
    ]


class Machine:
    """One task with its jobs, moved step by step; every write is checked against what stood
    before.
    """

    def __init__(self, *, is_safe: bool) -> None:
        self.record = task(TaskStatus.NEW)
        self.jobs: dict[JobKey, JobRecord] = {}
        self.now, self.is_safe = NOW, is_safe
        self.published, self.alerts = 0, 0

    def step(self, how: Step) -> None:
        self.now += timedelta(seconds=how.pass_s)
        self.speak(how.verb)
        if not self.record.is_open:
            return
        sightings = dict(zip(self.jobs, how.said, strict=False))
        gate = Startable((), (SPEC,) * how.parts, is_growing=how.grows)
        self.situation = Situation(
            now=self.now,
            tasks=[OpenTask(self.record, tuple(self.jobs.values()))],
            readiness={"4521": gate}
            if self.record.status is TaskStatus.NEW or self.record.is_growing
            else {},
            observed_jobs={
                key: sighting for key, sighting in sightings.items() if sighting is not None
            },
            paused=how.paused,
            policy=Policy(submit_limit_s=LIMIT_S),
            merge=lambda *_: SPEC,
            is_resubmit_safe={"local": self.is_safe},
        )
        for action in plan(self.situation):
            self.take(action)

    def speak(self, verb: str) -> None:
        status = self.record.status
        if verb == "fail" and status is TaskStatus.PROCESSING:
            self.record = self.record.moved(status, self.now, stopping=True, reason="wrong")
        if verb == "retry" and status is TaskStatus.FAILED:
            self.record = self.record.moved(
                TaskStatus.NEW, self.now, stopping=False, renewals=self.record.renewals + 1
            )

    def take(self, action: Action) -> None:
        self.check_submissions(action)
        for record in action.records:
            if isinstance(record, JobRecord):
                self.check_job(record, action.records)
                self.jobs[record.key] = record
            elif isinstance(record, TaskRecord):
                self.check_task(record, action)
                self.record = record
        if any(isinstance(record, OutputRecord) for record in action.records):
            assert self.record.status is TaskStatus.DONE
            self.published += 1
        self.alerts += bool(action.alert)

    def check_job(self, after: JobRecord, batch: Sequence[Record]) -> None:
        before = self.jobs.get(after.key)
        if before is None:
            assert (after.attempt, after.sequence) == (1, 1)
            return
        assert after.sequence == before.sequence + 1
        assert after.time > before.time
        if before.is_final:
            assert after.attempt == before.attempt + 1
            assert after.status is JobStatus.SUBMITTING
            live_again = (
                after.key.index < 0
                or before in batch
                or self.record.status is not TaskStatus.PROCESSING
            )
            assert live_again or any(isinstance(record, TaskRecord) for record in batch)
            assert before.status is not JobStatus.DONE
        else:
            assert after.attempt == before.attempt

    def check_submissions(self, action: Action) -> None:
        for job in action.submit:
            assert not self.situation.paused
            assert job in action.records, "the intent is written before the executor is asked"
            assert not self.record.stopping or self.record.status is TaskStatus.NEW
            before = self.jobs.get(job.key)
            if before is None or before.attempt < job.attempt or before.asked is None:
                continue
            answer = self.situation.observed_jobs.get(job.key)
            assert answer is not None
            assert not answer.handle
            assert self.is_safe or self.now - before.asked > timedelta(seconds=LIMIT_S)

    def check_task(self, after: TaskRecord, action: Action) -> None:
        assert after.sequence == self.record.sequence + 1
        assert after.time > self.record.time
        assert bool(action.alert) == (
            after.status is TaskStatus.FAILED and not self.record.stopping
        )
        if after.status is TaskStatus.DONE:
            assert not self.record.stopping
            parts = [job for job in self.jobs.values() if job.role is Role.PART]
            current = [job for job in parts if job.time >= (self.record.since or NOW)]
            assert all(job.status is JobStatus.DONE for job in current)
        if after.status in {TaskStatus.DONE, TaskStatus.FAILED}:
            assert all(job.is_final for job in self.jobs.values())


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), is_safe=st.booleans())
def test_no_history_breaks_the_machine(seed: int, is_safe: bool) -> None:  # noqa: FBT001 - drawn, not called
    """One live attempt per job, final jobs unchanged, intents before acts, outputs only with done,
    one alert each.
    """
    machine = Machine(is_safe=is_safe)
    for how in history(seed):
        machine.step(how)
    assert machine.published <= 1
    assert machine.alerts <= machine.record.renewals + 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_planning_is_a_function(seed: int) -> None:
    """The same situation gives the same actions, and what it was given is not changed."""
    machine = Machine(is_safe=True)
    for how in history(seed):
        machine.step(how)
        before = machine.situation
        copy = before._replace(tasks=list(before.tasks), observed_jobs=dict(before.observed_jobs))
        assert plan(before) == plan(copy)
        assert before == copy


def test_the_walk_reaches_every_end() -> None:
    """A plain history starts, finishes and publishes: the checks above are not vacuous."""
    machine = Machine(is_safe=True)
    good = ObservedJob("h", JobReport(JobStatus.DONE), result(0), (file(),))
    plain = Step(said=(good,) * 4, parts=2)
    for _ in range(3):
        machine.step(plain)
    assert machine.record.status is TaskStatus.DONE
    assert machine.published == 1
    assert apply_records(machine.situation.tasks, [machine.record]) == []
