"""What every handler declares about its workflow, and the command that a handler module is."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from autoctrl.errors import WorkflowError, nearest
from autoctrl.handlers.inputs import Friend, as_resolver, lock_of, resolve
from autoctrl.handlers.run_line import ALWAYS, NotKnownYet, fill_word, parse_word
from autoctrl.locks.lock import Open, Wait, as_lock
from autoctrl.model.names import LONGEST_WORD
from autoctrl.model.run import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.handlers.inputs import Found, Resolver
    from autoctrl.handlers.run_line import Filling
    from autoctrl.locks.lock import Lock
    from autoctrl.locks.lookup import Lookup
    from autoctrl.model.job import JobRecord, JobSpec
    from autoctrl.model.task import InputRef, Task, TaskRecord

    Function = Callable[[Task], Mapping[str, Any] | None]

WORKFLOW_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")
INPUT_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
CYCLE_COMMAND = (sys.executable, "-P", "-m", "autoctrl.cli", "cycle")
SIGNALLED = 128  # a shell adds the signal that ended a process to this
RESOURCES = ("memory_mb", "time_limit_s", "cpus")


class Resources(NamedTuple):
    """What a job asks for, from settings and handler together."""

    executor: str
    memory_mb: int
    time_limit_s: int
    cpus: int
    place: str = ""
    setup: tuple[str, ...] = ()


class Handler:
    """A workflow: which runs it wants, what it waits for, what it reads and writes.

    Call it to make one cycle over its own workflow; a handler module ends with
    ``sys.exit(handler())``.

    executor_name  the executor of its jobs, empty for the one that the settings choose
    function       what its jobs call, None if they run commands
    """

    executor_name: ClassVar[str] = ""
    function: Function | None = None

    def __init__(
        self,
        workflow: str,
        *,
        runs: Where | None = None,
        group_by: str | None = None,
        locks: object = None,
        inputs: Mapping[str, object] | None = None,
        outputs: Mapping[str, str | Friend] | None = None,
        while_open: bool = False,
        resources: Mapping[str, int] | None = None,
        retry_exit_codes: Iterable[int] = (),
        event_tree: str = "Events",
    ) -> None:
        """Declare a workflow.

        ``runs`` filters runs, ``group_by`` names the attribute that groups them, ``locks`` hold a
        task, ``inputs`` and ``outputs`` are files by name. ``while_open`` lets a task begin while
        its run is open. ``resources`` are ``memory_mb``, ``time_limit_s``, ``cpus`` unless the
        settings say otherwise. ``event_tree`` is the tree whose entries are counted against events.
        Raises ``WorkflowError`` for anything that makes no sense.
        """
        _check_workflow_name(workflow)
        self.workflow = workflow
        self.where = runs or Where()
        self.group_by = group_by
        self.while_open = while_open
        self.resources = self._read_resources(resources or {})
        self.retry_exit_codes = frozenset(retry_exit_codes)
        self.event_tree = event_tree
        self.folder = Path(sys.argv[0]).absolute().parent  # until the module is loaded by its path
        self.inputs = self._read_inputs(inputs or {})
        self.friend_of: dict[str, str] = {}
        self.outputs = self._read_outputs(outputs or {})
        self.lock = self._read_locks(locks)
        self._check_names()

    @property
    def after(self) -> frozenset[str]:
        """The workflows that this one comes after: those that it waits for or reads from."""
        return self.lock.after

    def _read_inputs(self, inputs: Mapping[str, object]) -> dict[str, Resolver]:
        for name in inputs:
            self._check_file_name(name, "input")
        return {name: as_resolver(self.workflow, name, value) for name, value in inputs.items()}

    def _read_outputs(self, outputs: Mapping[str, str | Friend]) -> dict[str, str]:
        """Return the files' names by output, and note whose friends they are."""
        patterns: dict[str, str] = {}
        for name, value in outputs.items():
            self._check_file_name(name, "output")
            if isinstance(value, Friend):
                self._check_friend(name, value)
                self.friend_of[name] = value.of
            patterns[name] = value.name if isinstance(value, Friend) else value
            self._check_output(name, patterns[name])
        return patterns

    def _read_locks(self, locks: object) -> Lock:
        """Return what holds a task: the locks that were given, and what its inputs wait for."""
        given = as_lock(locks)
        implied = lock_of(self.inputs.values(), given.after)
        if isinstance(implied, Open):
            return given
        return implied if isinstance(given, Open) else given & implied

    def _check_file_name(self, name: str, what: str) -> None:
        if not INPUT_NAME.match(name):
            message = f"{self.workflow}: '{name}' is not a name for an {what}."
            raise WorkflowError(
                message, hint="Use small letters, digits and underscores; begin with a letter."
            )

    def _check_output(self, name: str, pattern: str) -> None:
        where = f"{self.workflow}: output '{name}'"
        parse_word(where, pattern, self.scalar_names)
        path = Path(pattern)
        if path.is_absolute() or ".." in path.parts or not pattern:
            message = f"{where} is '{pattern}', which lies outside the job's folder."
            raise WorkflowError(
                message, hint="Give a plain file name; autoctrl chooses the folder."
            )

    def _check_names(self) -> None:
        names = self.inputs.keys() | self.outputs.keys()
        taken = names & (ALWAYS | {"run", "group", "first", "last", "parts"})
        if taken:
            message = (
                f"{self.workflow}: '{min(taken)}' cannot name an input or output; it already "
                "stands for something else."
            )
            raise WorkflowError(message, hint="Give it another name.")
        both = self.inputs.keys() & self.outputs.keys()
        if both:
            message = f"{self.workflow}: '{min(both)}' names both an input and an output."
            raise WorkflowError(message, hint="Give one of them another name.")

    def _check_friend(self, name: str, friend: Friend) -> None:
        if friend.of not in self.inputs:
            message = (
                f"{self.workflow}: output '{name}' is a friend of '{friend.of}', which is not an "
                "input."
            )
            raise WorkflowError(message, hint=nearest(friend.of, self.inputs))

    def _read_resources(self, resources: Mapping[str, int]) -> dict[str, int]:
        for name in resources.keys() - RESOURCES:
            message = f"{self.workflow}: there is no resource '{name}'. {nearest(name, RESOURCES)}"
            raise WorkflowError(message)
        return dict(resources)

    @property
    def scalar_names(self) -> set[str]:
        """Placeholders with one value that every word of this workflow may use."""
        unit = {"group"} if self.group_by else {"run"}
        return unit | {"unit", "campaign", "workflow", "version"}

    def values(self, task: Task, resources: Resources) -> dict[str, Filling]:
        """Return the value of every placeholder that has one for this task."""
        settings = {f"campaign.{name}": str(value) for name, value in task.settings.items()}
        attributes = {f"run.{name}": _plain(value) for name, value in task.attributes.items()}
        group = task.unit.partition(":")[2]
        unit: dict[str, Filling] = {"group": group} if self.group_by else {"run": task.members[0]}
        return {
            "unit": task.unit,
            "campaign": task.key.campaign,
            "workflow": self.workflow,
            "version": task.version,
            "python": sys.executable,
            "folder": str(self.folder),
            "cpus": resources.cpus,
            "memory_mb": resources.memory_mb,
            **task.inputs,
            **settings,
            **attributes,
            **unit,
        }

    def output_names(self, values: Mapping[str, Filling]) -> dict[str, str]:
        """Return the file name of every output. Raises ``NotKnownYet`` if a value is missing."""
        where = self.workflow
        return {
            name: fill_word(parse_word(where, pattern, self.scalar_names), values)
            for name, pattern in self.outputs.items()
        }

    def find_inputs(self, task: Task, look: Lookup) -> Found:
        """Return the files of all inputs, or why the first one that is missing is missing."""
        return resolve(self.inputs, task, look)

    def specs(
        self, task: Task, resources: Resources, inputs: Sequence[InputRef], *, is_closed: bool
    ) -> list[JobSpec] | Wait:
        """Return the parts of a version, or the reason why they cannot be listed yet.

        Raises ``CannotFill`` if they never can: a value does not fit where the author wants it.
        """
        raise NotImplementedError

    def merge(self, record: TaskRecord, jobs: Sequence[JobRecord]) -> JobSpec | None:  # noqa: ARG002 - for handlers that split
        """Return the job that merges the parts, None if parts are not merged."""
        return None

    @property
    def description(self) -> dict[str, Any]:
        """What makes this workflow's versions, for provenance."""
        return {
            "workflow": self.workflow,
            "kind": type(self).__name__,
            "runs": repr(self.where),
            "group_by": self.group_by,
            "outputs": self.outputs,
            "resources": self.resources,
        }

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        """Call ``autoctrl cycle`` for this workflow in its project, and return the exit code.

        0 fine, 1 something failed for good in this cycle, 2 the cycle itself could not work.
        ``argv`` are further options, by default those of the command line.
        """
        import subprocess

        given = sys.argv[1:] if argv is None else argv
        chosen = ("--workflow", self.workflow, "--project", str(self.folder))
        sys.stdout.flush()
        with subprocess.Popen([*CYCLE_COMMAND, *chosen, *given]) as cycle:
            try:
                code = cycle.wait()
            except KeyboardInterrupt:  # the cycle was interrupted too, and ends in its own way
                code = cycle.wait()
        return code if code >= 0 else SIGNALLED - code


def _check_workflow_name(workflow: str) -> None:
    if len(workflow) > LONGEST_WORD:
        message = f"The name of the workflow '{workflow[:40]}…' has {len(workflow)} letters."
        raise WorkflowError(message, hint=f"It becomes a folder: use {LONGEST_WORD} at most.")
    if not WORKFLOW_NAME.match(workflow):
        message = f"'{workflow}' is not a name for a workflow."
        raise WorkflowError(
            message, hint="Use small letters, digits, dashes and underscores; begin with a letter."
        )


def _plain(value: object) -> Filling:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str | int | float) else str(value)


__all__ = ["Handler", "NotKnownYet", "Resources"]
