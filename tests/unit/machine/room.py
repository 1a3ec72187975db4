"""A control room: a project in memory with a clock and a scripted executor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from autoctrl.config import parse_settings
from autoctrl.errors import SettingsError
from autoctrl.executors.inline import InlineExecutor
from autoctrl.handlers.batch import BatchHandler
from autoctrl.incidents import list_incidents
from autoctrl.machine.context import Context
from autoctrl.machine.cycle import Cycle
from autoctrl.model.campaign import Campaign
from autoctrl.model.job import JobRecord
from autoctrl.model.names import STATE_FOLDER
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from autoctrl.testing import FakeClock, ScriptedExecutor
from autoctrl.verbs import Request
from autoctrl.views.incidents import spell_title
from tests.unit.given import SOURCE
from tests.unit.stamped import StampedStore

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.handlers.handler import Handler
    from autoctrl.machine.summary import Summary
    from autoctrl.model.incident import Incident
    from autoctrl.model.output import OutputRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Executor, Store

PERSON = ("ada", "cli")
RECO = BatchHandler("reco", "tool {run} {output}", outputs={"output": "reco{run}.txt"})


class Room:
    """One project; executors are scripted, and named as the settings name them."""

    def __init__(self, folder: Path, text: str = "", campaign: str = "prompt") -> None:
        self.clock = FakeClock()
        self.settings = parse_settings(text, folder, environ={})
        self.store: Store = StampedStore(self.settings.environment, clock=self.clock)
        self.executors = {name: ScriptedExecutor(name) for name in self.settings.executors}
        self.jobs = self.executors["local"]
        self.context = Context(
            store=self.store,
            executor=self.executor,
            calls=partial(InlineExecutor, folder / STATE_FOLDER),
            clock=self.clock,
            settings=self.settings,
            campaign=campaign,
        )
        self.has_campaign(Campaign("prompt", follow=True))

    def executor(self, name: str) -> Executor:
        if name not in self.executors:
            message = f"There is no executor '{name}'."
            raise SettingsError(message)
        return self.executors[name]

    def has_campaign(self, campaign: Campaign) -> None:
        known = {mark.name: mark.sequence for mark in self.store.marks("campaign")}
        sequence = known.get(campaign.name, 0) + 1
        values = campaign.values()
        mark = MarkRecord(
            "campaign", campaign.name, campaign.name, values, self.clock.now(), sequence=sequence
        )
        self.store.append([mark])

    def has_run(self, number: int, *, is_closed: bool = True, **attributes: Any) -> None:
        """Let a source have seen a run; a known one gets what is given now."""
        known = self.store.runs(0, [number])[0]
        sequence = known[0].sequence + 1 if known else 1
        self.store.append(
            [RunRecord(number, attributes, is_closed, self.clock.now(), SOURCE, sequence)]
        )

    def cycle(self, handler: Handler, pass_s: float = 1.0) -> Summary:
        """Let time pass, then make one cycle."""
        self.clock.advance(pass_s)
        return Cycle(handler, self.context).run()

    def task(self, workflow: str, unit: str = "1") -> TaskRecord:
        (record,) = self.store.tasks(Selection(self.context.campaign, (workflow,), (unit,)))
        return record

    def history(self, workflow: str, unit: str = "1") -> list[JobRecord]:
        """Return all records of the task's jobs."""
        records = self.store.history(TaskKey(self.context.campaign, workflow, unit))
        return [record for record in records if isinstance(record, JobRecord)]

    def outputs(self, workflow: str) -> list[OutputRecord]:
        return self.store.find_outputs(Selection(self.context.campaign, (workflow,)))

    def request(self, reason: str = "wrong settings") -> Request:
        """Return what a person's verb needs."""
        from autoctrl.model.actor import Actor

        return Request(self.store, self.clock, Actor(*PERSON), reason, self.context.campaign)

    @property
    def incidents(self) -> list[Incident]:
        """What people are to be told, and what it has struck."""
        return list_incidents(self.store, self.context.campaign, with_closed=True)

    @property
    def alarms(self) -> list[str]:
        """The first lines of what people are to be told."""
        return [spell_title(one) for one in self.incidents]
