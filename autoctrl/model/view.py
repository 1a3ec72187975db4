"""A task as workflow authors see it: in locks, in functions, in callables that list jobs or inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError
from autoctrl.model.unit import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.run import RunRecord, Value
    from autoctrl.model.unit import TaskKey


class Task(NamedTuple):
    """One unit in one workflow, with what is known of its runs.

    key       campaign, workflow, unit
    version   the version that runs or would run, from 1
    members   the run numbers of the unit
    runs      the runs' records, by number
    settings  the campaign's settings
    inputs    addresses of the input files by name, empty until they are resolved
    outputs   file names by output name, relative to the job's folder
    """

    key: TaskKey
    version: int
    members: tuple[int, ...]
    runs: Mapping[int, RunRecord]
    settings: Mapping[str, Any] = {}
    inputs: Mapping[str, tuple[str, ...]] = {}
    outputs: Mapping[str, str] = {}

    @property
    def unit(self) -> str:
        """``4521`` or ``fill:8222``."""
        return self.key.unit

    @property
    def campaign(self) -> str:
        """Name of the campaign."""
        return self.key.campaign

    @property
    def run(self) -> int:
        """Return the run number. Raises ``UsageError`` for a group of several runs."""
        if len(self.members) != 1:
            message = f"{spoken(self.unit)} is a group of {len(self.members)} runs; it has no single run number."
            raise UsageError(message, hint="Use task.members.")
        return self.members[0]

    @property
    def attributes(self) -> Mapping[str, Value]:
        """Attributes on which all runs of the unit agree."""
        records = [self.runs[number] for number in self.members if number in self.runs]
        if len(records) == 1:
            return records[0].attributes
        if not records:
            return {}
        first, rest = records[0].attributes, records[1:]
        return {name: value for name, value in first.items() if all(r.attributes.get(name) == value for r in rest)}
