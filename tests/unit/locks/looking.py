"""A store with runs, workflows and tasks in it, and a look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.locks import Lookup
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import LocationState, MarkRecord, OutputRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.stores import open_store
from tests.unit.given import NOW, task

if TYPE_CHECKING:
    from autoctrl.model.run import RunRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Store


class World:
    """A memory store with the campaign prompt, filled a statement at a time."""

    def __init__(self, *campaigns: Campaign) -> None:
        self.store: Store = open_store("memory:")
        for campaign in (Campaign("prompt", follow=True), *campaigns):
            self.store.append(
                [MarkRecord("campaign", campaign.name, campaign.name, campaign.values(), NOW)]
            )

    def has_runs(self, *runs: RunRecord) -> World:
        self.store.append(runs)
        return self

    def declares(self, workflow: str, campaign: str = "prompt", **values: Any) -> World:
        position = self.store.runs()[1]
        given = {"position": position, "group_by": None, **values}
        self.store.append([MarkRecord("workflow", campaign, workflow, given, NOW)])
        return self

    def has(
        self, workflow: str, unit: str, status: TaskStatus = TaskStatus.DONE, **fields: Any
    ) -> TaskRecord:
        members = (int(unit),) if unit.isdecimal() else ()
        values = {
            "members": members,
            **fields,
            "key": TaskKey(fields.pop("campaign", "prompt"), workflow, unit),
        }
        values.pop("campaign", None)
        record = task(status, **values)
        self.store.append([record])
        return record

    def publishes(self, of: TaskRecord, name: str, url: str, **fields: Any) -> None:
        values = {"state": LocationState.PRESENT, "version": of.version, "entries": {}, **fields}
        record = OutputRecord(
            of.key,
            name=name,
            url=url,
            bytes=7,
            checksums={"sha256": "ab"},
            members=of.members,
            friend_of="",
            time=NOW,
            **values,
        )
        self.store.append([record])

    def look(self, campaign: str = "prompt", **fields: Any) -> Lookup:
        return Lookup(
            self.store, campaign, fields.pop("now", NOW), folder=Path("/project"), **fields
        )
