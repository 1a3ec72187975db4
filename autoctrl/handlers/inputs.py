"""Where a version's inputs are found: raw files, or outputs of other workflows."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from autoctrl.errors import WorkflowError
from autoctrl.locks.gates import newest_before
from autoctrl.locks.lock import Wait
from autoctrl.model.output import LocationState
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef
from autoctrl.model.unit import spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.output import OutputRecord
    from autoctrl.model.task import Task
    from autoctrl.model.unit import TaskKey


class Found(NamedTuple):
    """The files of one input, or the reason why there is none yet."""

    files: tuple[InputRef, ...]
    wait: Wait | None = None


class Resolver(Protocol):
    """Finds the files of one input for one task."""

    def find(self, name: str, task: Task, look: Lookup, latest: frozenset[str]) -> Found:
        """Return the files of input ``name``; ``latest`` names the workflows of which the newest is
        meant.
        """


class Friend(NamedTuple):
    """An output whose trees are friends of the trees of an input: ``Friend("reco_Friend.root",
    of="reco")``.
    """

    name: str
    of: str


class Files:
    """``Files("run{run:05d}.mid.gz")``: files on disk, below ``inputs.root``; ``*`` and ``?`` stand
    for any characters.

    The number of events is taken from the run's attribute ``events``, if it has one.
    """

    def __init__(self, pattern: str, *, events: str = "events") -> None:
        """Find what ``pattern`` names; ``events`` is the run attribute that counts events."""
        try:
            pattern.format(run=1)
        except (LookupError, ValueError) as error:
            message = f"Files('{pattern}') is no pattern: {error}."
            raise WorkflowError(
                message, hint="Only {run} may stand in it, e.g. {run:05d}."
            ) from error
        self.pattern, self.events = pattern, events

    def find(self, name: str, task: Task, look: Lookup, latest: frozenset[str]) -> Found:  # noqa: ARG002 - the contract's signature
        """Look on disk for the files of every run of the unit."""
        found: list[InputRef] = []
        for number in task.members:
            wanted = look.inputs / self.pattern.format(run=number)
            is_pattern = glob.has_magic(self.pattern)
            paths = sorted(map(Path, glob.glob(str(wanted)))) if is_pattern else [wanted]  # noqa: PTH207 - absolute patterns too
            present = [path for path in paths if path.is_file()]
            if not present:
                return Found((), Wait(f"waits for file {self.pattern.format(run=number)}"))
            events = task.runs[number].attributes.get(self.events) if number in task.runs else None
            count = events if isinstance(events, int) and len(present) == 1 else None
            found += [
                InputRef(name, str(path), path.stat().st_size, events=count) for path in present
            ]
        return Found(tuple(found))


class Output:
    """``Output("camera-pedestal")``: what another workflow published.

    The same unit's outputs; for a group those of all its members; for a workflow named in the lock
    ``Latest``, those of the newest run at or before. ``name`` chooses one output where the workflow
    has several.
    """

    def __init__(
        self, workflow: str, name: str = "", *, tree: str = "Events", skipped: bool = False
    ) -> None:
        """Find what ``workflow`` published; the entries of ``tree`` count its events.

        ``skipped=True`` passes over members of a group whose task was skipped, as long as one is
        left.
        """
        self.workflow, self.name, self.tree, self.skipped = workflow, name, tree, skipped

    def find(self, name: str, task: Task, look: Lookup, latest: frozenset[str]) -> Found:
        """Look up the newest published version of each upstream task."""
        if self.workflow in latest:
            record = newest_before(self.workflow, task, look)
            keys = [record.key] if record is not None else []
        else:
            keys = look.upstream_keys(self.workflow, task) or []
        found: list[InputRef] = []
        for key in keys:
            records = look.tasks([key])
            if self.skipped and key in records and records[key].status is TaskStatus.SKIPPED:
                continue
            if key not in records or records[key].status is not TaskStatus.DONE:
                return Found((), Wait(f"waits for {self.workflow} of {spoken(key.unit)}"))
            files = self._published(name, key, records[key].version, look)
            if not files:
                what = f"output '{self.name}'" if self.name else "output"
                return Found(
                    (), Wait(f"{self.workflow} of {spoken(key.unit)} has no {what} that is present")
                )
            found += files
        if not found:
            why = ": all its tasks were skipped" if self.skipped and keys else ""
            return Found((), Wait(f"waits for {self.workflow}{why}"))
        return Found(tuple(found))

    def _published(self, name: str, key: TaskKey, version: int, look: Lookup) -> list[InputRef]:
        return [
            InputRef(
                name=name,
                url=output.url,
                bytes=output.bytes,
                checksum=next((f"{kind}:{value}" for kind, value in output.checksums.items()), ""),
                events=output.entries.get(self.tree),
                workflow=key.workflow,
                unit=key.unit,
                version=output.version,
                campaign=key.campaign,
            )
            for output in present_copies(look.outputs(key), version)
            if self.name in {"", output.name}
        ]


def present_copies(outputs: Iterable[OutputRecord], version: int) -> list[OutputRecord]:
    """Return one present copy of each file of a version, in the order of registration."""
    return [
        output
        for output in outputs
        if output.version == version and output.state is LocationState.PRESENT
    ]


class Called:
    """Any callable ``task -> paths`` as an input."""

    def __init__(self, function: Callable[[Task], Iterable[str | Path | InputRef]]) -> None:
        """Keep the callable."""
        self.function = function

    def find(self, name: str, task: Task, look: Lookup, latest: frozenset[str]) -> Found:  # noqa: ARG002 - the contract's signature
        """Ask the callable; paths are relative to ``inputs.root``."""
        try:
            refs = tuple(_ref(name, answer, look) for answer in self.function(task))
        except Exception as error:  # noqa: BLE001 - whatever an author's resolver raises is a reason to wait
            return Found((), Wait(f"input {name} raised {type(error).__name__}: {error}"))
        return Found(refs) if refs else Found((), Wait(f"waits for input {name}"))


def _ref(name: str, answer: str | Path | InputRef, look: Lookup) -> InputRef:
    if isinstance(answer, InputRef):
        return answer._replace(name=name)
    place = look.inputs / answer
    return InputRef(name, str(place), place.stat().st_size)


def as_resolver(where: str, name: str, value: object) -> Resolver:
    """Return a resolver for what an author wrote. Raises ``WorkflowError`` if it is none."""
    finds = hasattr(value, "find")
    if finds and not isinstance(value, str | bytes | type):
        return cast("Resolver", value)
    if callable(value) and not finds:
        return Called(value)
    message = f"{where}: input '{name}' is {value!r}, which finds no files."
    raise WorkflowError(
        message,
        hint='Write Files("run{run:05d}.mid.gz"), Output("reco"), or a function of the task.',
    )


def resolve(
    inputs: Mapping[str, Resolver], task: Task, look: Lookup, latest: frozenset[str]
) -> Found:
    """Find all inputs of a task; the first that is missing is the reason to wait."""
    files: list[InputRef] = []
    for name, resolver in inputs.items():
        found = resolver.find(name, task, look, latest)
        if found.wait is not None:
            return found
        files += found.files
    return Found(tuple(files))
