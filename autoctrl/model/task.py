"""A task: one unit in one workflow of one campaign, the record that the machine moves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from autoctrl.errors import UsageError, nearest
from autoctrl.model.actor import CYCLE, Actor
from autoctrl.model.status import OPEN_TASKS, TaskStatus, check_task
from autoctrl.model.succession import later
from autoctrl.model.unit import spell_unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autoctrl.model.run import RunRecord, Value
    from autoctrl.model.unit import TaskKey

Named = TypeVar("Named")


class InputRef(NamedTuple):
    """One input file as it was found when the version started.

    name      the handler's name for it
    url       where it was read
    bytes     its size
    checksum  ``algorithm:hex``, empty if nobody computed one
    events    entries or events in it, None if unknown
    workflow  the upstream workflow that made it, empty for a raw file
    unit      the upstream unit
    version   the upstream version, 0 for a raw file
    campaign  the campaign it was found in, empty for a raw file
    """

    name: str
    url: str
    bytes: int
    checksum: str = ""
    events: int | None = None
    workflow: str = ""
    unit: str = ""
    version: int = 0
    campaign: str = ""


class TaskRecord(NamedTuple):
    """One complete statement about a task; the newest by (epoch, sequence) is the task.

    key          campaign, workflow, unit
    status       where it stands
    time         when this was written, aware UTC, never before the previous record's
    members      the runs of the unit, frozen when the task was born
    version      how often the task went through the workflow, from 1
    reason       why it waits, failed or was moved; empty if there is nothing to say
    until        when the reason may pass by itself, None if unknown
    actor        who caused the record
    sequence     previous + 1, from 1
    epoch        epoch of the lease under which it was written
    environment  the settings' environment that wrote it
    since        when the present status began
    renewals     how often a person renewed the budget of attempts of this version
    stopping     a person asked to fail it; its jobs are being removed
    inputs       what the version reads, frozen in its first processing record
    provenance   digest of the body that describes what made the version
    log          address of the log worth reading, empty if none
    is_growing   its run is still open, so its list of jobs may grow
    """

    key: TaskKey
    status: TaskStatus
    time: datetime
    members: tuple[int, ...]
    version: int = 1
    reason: str = ""
    until: datetime | None = None
    actor: Actor = CYCLE
    sequence: int = 1
    epoch: int = 0
    environment: str = ""
    since: datetime | None = None
    renewals: int = 0
    stopping: bool = False
    inputs: tuple[InputRef, ...] = ()
    provenance: str = ""
    log: str = ""
    is_growing: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether the machine still has something to do for it."""
        return self.status in OPEN_TASKS

    def moved(self, status: TaskStatus, now: datetime, **changes: Any) -> TaskRecord:  # noqa: ANN401 - fields differ in type
        """Return the record that follows this one.

        ``reason``, ``until`` and ``actor`` start afresh; everything else is carried over unless
        named in ``changes``. Raises ``TransitionRefused`` if the table does not permit it.
        """
        check_task(str(self.key), self.status, status)
        time = later(now, self.time)
        fresh = {
            "reason": "",
            "until": None,
            "actor": CYCLE,
            "since": self.since if status == self.status else time,
        }
        return self._replace(
            **{**fresh, **changes}, status=status, time=time, sequence=self.sequence + 1
        )


def new_task(key: TaskKey, members: tuple[int, ...], now: datetime, **changes: Any) -> TaskRecord:  # noqa: ANN401 - as moved
    """Return the first record of a task: ``new``, version 1, its members frozen."""
    return TaskRecord(key, TaskStatus.NEW, now, members, since=now, **changes)


class Task(NamedTuple):
    """A task as workflow authors see it: one unit in one workflow, with what is known of its runs.

    key       campaign, workflow, unit
    version   the version that runs or would run, from 1
    members   the run numbers of the unit
    runs      the runs' records, by number
    settings  the campaign's settings
    inputs    addresses of the input files by name, empty until they are resolved
    outputs   file names by output name, relative to the job's folder; whole paths for a function
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
            message = (
                f"{spell_unit(self.unit)} is a group of {len(self.members)} runs; it has no single "
                "run number."
            )
            raise UsageError(message, hint="Use task.members.")
        return self.members[0]

    def input(self, name: str) -> Path:
        """Return the only file of an input. Raises ``UsageError`` if there are several."""
        paths = self.inputs_of(name)
        if len(paths) != 1:
            message = f"Input {name} of {self.key} has {len(paths)} files; there is no single path."
            raise UsageError(message, hint=f"Use task.inputs_of('{name}').")
        return paths[0]

    def inputs_of(self, name: str) -> tuple[Path, ...]:
        """Return the files of an input. Raises ``UsageError`` for a name that it does not have."""
        return tuple(Path(url) for url in _value_of(self.key, "input", name, self.inputs))

    def output(self, name: str) -> Path:
        """Return where to write an output. Raises ``UsageError`` for a name that it does not have.

        A function is given the whole path; for a job it is relative to the folder that it runs in.
        """
        return Path(_value_of(self.key, "output", name, self.outputs))

    @property
    def attributes(self) -> Mapping[str, Value]:
        """Attributes on which all runs of the unit agree."""
        records = [self.runs[number] for number in self.members if number in self.runs]
        if len(records) == 1:
            return records[0].attributes
        if not records:
            return {}
        first, rest = records[0].attributes, records[1:]
        return {
            name: value
            for name, value in first.items()
            if all(r.attributes.get(name) == value for r in rest)
        }


def _value_of(key: TaskKey, what: str, name: str, known: Mapping[str, Named]) -> Named:
    if name not in known:
        message = f"{key} has no {what} '{name}'. {nearest(name, known)}"
        raise UsageError(message)
    return known[name]
