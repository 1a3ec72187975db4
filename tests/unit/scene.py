"""A small store with a campaign, workflows, runs and tasks, for the tests of verbs and views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.model.actor import Actor
from autoctrl.model.campaign import Campaign
from autoctrl.model.job import JobKey, JobRecord, JobSpec
from autoctrl.model.output import LocationState, MarkRecord, OutputRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import JobStatus, Role, TaskStatus
from autoctrl.model.task import InputRef, TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from autoctrl.testing import FakeClock
from autoctrl.verbs import Outcome, Request
from tests.unit.stamped import StampedStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.ports import Store

ANNA = Actor("anna", "cli")
SOURCE = Actor("table", "source")
SPEC = JobSpec(
    ("reco", "--fast"), {}, {}, {}, memory_mb=2000, time_limit_s=3600, cpus=1, executor="local"
)
TO = {
    TaskStatus.NEW: (),
    TaskStatus.PROCESSING: (TaskStatus.PROCESSING,),
    TaskStatus.DONE: (TaskStatus.PROCESSING, TaskStatus.DONE),
    TaskStatus.FAILED: (TaskStatus.PROCESSING, TaskStatus.FAILED),
    TaskStatus.SKIPPED: (TaskStatus.SKIPPED,),
}


class Scene:
    """A store in memory with the campaign ``prompt``, and ways to put things into it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store: Store = StampedStore("mirror", clock=self.clock)
        self.slept: list[float] = []
        self.campaign(Campaign("prompt", follow=True))

    def request(self, reason: str = "because", **changes: Any) -> Request:
        """Return a request of anna's; its waiting moves the clock."""
        plain = Request(
            self.store, self.clock, ANNA, reason, environment="mirror", sleep=self._sleep
        )
        return plain._replace(**changes)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def campaign(self, campaign: Campaign) -> None:
        """Write a campaign down."""
        self.mark("campaign", campaign.name, campaign.name, campaign.values())

    def workflow(self, name: str, campaign: str = "prompt", **values: Any) -> None:
        """Write down what a workflow declared."""
        self.mark(
            "workflow",
            campaign,
            name,
            {"position": self.store.runs(numbers=()).position, "after": [], **values},
        )

    def mark(
        self, kind: str, campaign: str, name: str, values: Mapping[str, Any], reason: str = ""
    ) -> None:
        """Write a mark down, after the ones that it replaces."""
        before = next(
            (mark for mark in self.store.marks(kind, campaign) if mark.name == name), None
        )
        sequence = 1 if before is None else before.sequence + 1
        now = self.clock.now()
        self.store.append(
            [MarkRecord(kind, campaign, name, values, now, ANNA, reason, sequence=sequence)]
        )

    def runs(self, *numbers: int, is_closed: bool = True, **attributes: Any) -> None:
        """Register runs, or change known ones."""
        known = {run.number: run for run in self.store.runs(numbers=numbers).records}
        for number in numbers:
            sequence = known[number].sequence + 1 if number in known else 1
            run = RunRecord(number, attributes, is_closed, self.clock.now(), SOURCE, sequence)
            self.store.append([run])

    def task(
        self,
        unit: str | int,
        workflow: str = "reco",
        status: TaskStatus = TaskStatus.NEW,
        *,
        members: Sequence[int] = (),
        campaign: str = "prompt",
        reads: Sequence[tuple[TaskKey, int]] = (),
        **changes: Any,
    ) -> TaskKey:
        """Bring a task forth and move it to a status; ``changes`` come with the last record."""
        key = TaskKey(campaign, workflow, str(unit))
        inputs = tuple(
            InputRef("in", "/x", 1, "", None, k.workflow, k.unit, version, k.campaign)
            for k, version in reads
        )
        records = [new_task(key, tuple(members) or (int(unit),), self.clock.now())]
        for step in TO[status]:
            records.append(records[-1].moved(step, self.clock.now(), inputs=inputs))
        records[-1] = records[-1]._replace(**changes)
        self.store.append(records)
        return key

    def move(self, key: TaskKey, *statuses: TaskStatus, **changes: Any) -> None:
        """Move a task through statuses; ``changes`` come with each."""
        task = self.newest(key)
        for status in statuses:
            task = task.moved(status, self.clock.now(), **changes)
            self.store.append([task])

    def newest(self, key: TaskKey) -> TaskRecord:
        """Return a task's newest record."""
        return self.store.tasks(Selection(key.campaign, (key.workflow,), (key.unit,)))[0]

    def output(
        self,
        key: TaskKey,
        version: int = 1,
        name: str = "output",
        content: str = "aa",
        url: str = "",
    ) -> None:
        """Publish an output of a task."""
        task = self.newest(key)
        place = url or f"/data/{key.workflow}/{key.unit}/v{version}/{name}.root"
        record = OutputRecord(
            key,
            version,
            name,
            place,
            LocationState.PRESENT,
            10,
            {"sha256": content},
            {"Events": 5},
            task.members,
            "",
            task.time,
        )
        self.store.append([record])

    def job(self, key: TaskKey, *statuses: JobStatus, index: int = 0, **changes: Any) -> JobRecord:
        """Give a task a job, submitted and then moved through statuses; ``changes`` come with the
        last.
        """
        task = self.newest(key)
        role = Role.MERGE if index < 0 else Role.PART
        job = JobRecord(
            JobKey(key, task.version, index), role, 1, JobStatus.SUBMITTING, self.clock.now(), SPEC
        )
        records = [job]
        for status in statuses:
            records.append(records[-1].moved(status, self.clock.now(), handle="7.0"))
        records[-1] = records[-1]._replace(**changes)
        self.store.append(records)
        return records[-1]


def scene_of_a_chain() -> Scene:
    """Return a scene with two physics runs and the workflows reco and friends, which comes after
    it.
    """
    made_scene = Scene()
    made_scene.runs(1, 2, kind="physics")
    made_scene.workflow("reco")
    made_scene.workflow("friends", after=["reco"])
    return made_scene


def refusals(outcome: Outcome) -> list[str]:
    """Return the texts of what was refused."""
    return [answer.refusal for answer in outcome.refused]
