"""Where a version's inputs are found: raw files, files of the workflow, outputs of others."""

from __future__ import annotations

import glob
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from autoctrl.errors import WorkflowError
from autoctrl.locks.gates import After, Newest, check_pattern
from autoctrl.locks.lock import InTurn, Lock, Open, Wait
from autoctrl.model.output import LocationState
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef
from autoctrl.model.unit import spell_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.output import OutputRecord
    from autoctrl.model.task import Task, TaskRecord
    from autoctrl.model.unit import TaskKey


class Found(NamedTuple):
    """The files of one input, or the reason why there is none yet."""

    files: tuple[InputRef, ...]
    wait: Wait | None = None


class Resolver(Protocol):
    """Finds the files of one input for one task.

    One that reads what other workflows made has a ``lock`` besides, which waits for them.
    """

    def find(self, name: str, task: Task, look: Lookup) -> Found:
        """Return the files of input ``name``, or why there are none yet."""


class Friend(NamedTuple):
    """``Friend("reco_Friend.root", of="reco")``: an output that is a friend of an input.

    Each of its trees has an entry for every entry of the input's tree.
    """

    name: str
    of: str


class Files:
    """``Files("run{run:05d}.mid.gz")``: files on disk, below ``inputs.root``.

    ``*`` and ``?`` stand for any characters. The number of events is taken from the run's
    attribute ``events``, if it has one.
    """

    def __init__(self, pattern: str, *, events: str = "events") -> None:
        """Find what ``pattern`` names; ``events`` is the run attribute that counts events."""
        check_pattern("Files", pattern)
        self.pattern, self.events = pattern, events

    def find(self, name: str, task: Task, look: Lookup) -> Found:
        """Look on disk for the files of every run of the unit."""
        found: list[InputRef] = []
        for number in task.members:
            wanted = self.pattern.format(run=number)
            paths = _present_files(look.inputs, wanted)
            if not paths:
                return Found((), Wait(f"waits for file {wanted}"))
            events = self._count_events(task, number) if len(paths) == 1 else None
            found += [InputRef(name, str(path), path.stat().st_size, "", events) for path in paths]
        return Found(tuple(found))

    def _count_events(self, task: Task, number: int) -> int | None:
        """Return the events of a run as its attribute says, None if it does not."""
        run = task.runs.get(number)
        events = None if run is None else run.attributes.get(self.events)
        return events if isinstance(events, int) else None


class Beside:
    """``Beside("limits.toml")``: files of the workflow's folder, beside ``handler.py``.

    ``*`` and ``?`` stand for any characters. They are recorded with their checksum, so a task is
    stale as soon as one of them changes.
    """

    def __init__(self, pattern: str) -> None:
        """Find what ``pattern`` names."""
        self.pattern = pattern

    def find(self, name: str, task: Task, look: Lookup) -> Found:  # noqa: ARG002 - the contract's signature
        """Look for the files; they are the same for every task."""
        paths = _present_files(look.workflow_folder, self.pattern)
        if not paths:
            return Found((), Wait(f"waits for file {look.workflow_folder / self.pattern}"))
        return Found(tuple(_measure(name, path) for path in paths))


def _present_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files that a pattern, which may be absolute, names, in order."""
    wanted = folder / pattern
    if not glob.has_magic(pattern):
        return [wanted] if wanted.is_file() else []
    matches = sorted(map(Path, glob.glob(str(wanted))))  # noqa: PTH207 - absolute patterns too
    return [path for path in matches if path.is_file()]


def _measure(name: str, path: Path) -> InputRef:
    content = path.read_bytes()
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return InputRef(name, str(path), len(content), checksum)


class Output:
    """``Output("camera-reco")``: what another workflow published.

    The same unit's outputs; for a group those of all its members. A task waits for them as behind
    the lock ``After``, and its workflow comes after the other.
    """

    def __init__(
        self, workflow: str, name: str = "", *, tree: str = "Events", skipped: bool = False
    ) -> None:
        """Find what ``workflow`` published; ``name`` chooses one output where it has several.

        The entries of ``tree`` count its events. ``skipped=True`` passes over members of a group
        whose task was skipped, as long as one is left.
        """
        self.workflow, self.name, self.tree, self.skipped = workflow, name, tree, skipped
        self.lock = After(workflow, skipped=skipped)

    def find(self, name: str, task: Task, look: Lookup) -> Found:
        """Look up the newest published version of each upstream task."""
        wait = self.lock.reason(task, look)
        if wait is not None:
            return Found((), wait)
        records = look.tasks(look.upstream_keys(self.workflow, task) or ())
        done = [record for record in records.values() if record.status is TaskStatus.DONE]
        if not done:
            return Found((), Wait(f"waits for {self.workflow}: all its tasks were skipped"))
        return _find_published(self, name, done, look)


class Latest:
    """``Latest("camera-pedestal")``: what another workflow published for its newest run so far.

    That is its highest run at or before the task's. A task waits until the other workflow is done
    with that run, and its workflow comes after the other.
    """

    def __init__(self, workflow: str, name: str = "", *, tree: str = "Events") -> None:
        """Find what ``workflow`` published; the rest means the same as in ``Output``."""
        self.workflow, self.name, self.tree = workflow, name, tree
        self.lock = Newest(workflow)

    def find(self, name: str, task: Task, look: Lookup) -> Found:
        """Look up the newest published version of the newest task."""
        reason = self.lock.reason(task, look)
        if reason is not None:
            return Found((), Wait(reason))
        newest = look.newest_task(self.workflow, min(task.members))
        return _find_published(self, name, [newest] if newest is not None else [], look)


def _find_published(
    wanted: Output | Latest, name: str, records: Iterable[TaskRecord], look: Lookup
) -> Found:
    """Return the present files of these done tasks; the first that has none is waited for."""
    found: list[InputRef] = []
    for record in records:
        published = present_copies(look.outputs(record.key), record.version)
        files = [
            _refer(name, output, record.key, wanted.tree)
            for output in published
            if wanted.name in {"", output.name}
        ]
        if not files:
            what = f"output '{wanted.name}'" if wanted.name else "output"
            unit = spell_unit(record.key.unit)
            return Found((), Wait(f"{wanted.workflow} of {unit} has no {what} that is present"))
        found += files
    return Found(tuple(found))


def _refer(name: str, output: OutputRecord, key: TaskKey, tree: str) -> InputRef:
    checksums = [f"{kind}:{value}" for kind, value in output.checksums.items()]
    return InputRef(
        name=name,
        url=output.url,
        bytes=output.bytes,
        checksum=checksums[0] if checksums else "",
        events=output.entries.get(tree),
        workflow=key.workflow,
        unit=key.unit,
        version=output.version,
        campaign=key.campaign,
    )


def present_copies(outputs: Iterable[OutputRecord], version: int) -> list[OutputRecord]:
    """Return the copies of a version's outputs that are present, in the order of registration."""
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

    def find(self, name: str, task: Task, look: Lookup) -> Found:
        """Ask the callable; paths are relative to ``inputs.root``."""
        try:
            refs = tuple(_as_ref(name, answer, look) for answer in self.function(task))
        except Exception as error:  # noqa: BLE001 - whatever an author's resolver raises is a reason to wait
            return Found((), Wait(f"input {name} raised {type(error).__name__}: {error}"))
        return Found(refs) if refs else Found((), Wait(f"waits for input {name}"))


def _as_ref(name: str, answer: str | Path | InputRef, look: Lookup) -> InputRef:
    if isinstance(answer, InputRef):
        return answer._replace(name=name)
    path = look.inputs / answer
    return InputRef(name, str(path), path.stat().st_size)


def as_resolver(where: str, name: str, value: object) -> Resolver:
    """Return a resolver for what an author wrote. Raises ``WorkflowError`` if it is not one."""
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


def lock_of(inputs: Iterable[Resolver], given: frozenset[str]) -> Lock:
    """Return the lock that waits for what other workflows must have made before.

    Workflows that are ``given``, because another lock waits for them, need not be waited for twice.
    """
    locks: list[Lock] = [resolver.lock for resolver in inputs if hasattr(resolver, "lock")]
    needed = [lock for lock in locks if not lock.after or lock.after - given]
    return InTurn(*needed) if needed else Open()


def resolve(inputs: Mapping[str, Resolver], task: Task, look: Lookup) -> Found:
    """Find all inputs of a task; the first that is missing is the reason to wait."""
    files: list[InputRef] = []
    for name, resolver in inputs.items():
        found = resolver.find(name, task, look)
        if found.wait is not None:
            return found
        files += found.files
    return Found(tuple(files))
