"""Workflows whose work is done by jobs: one command, or several whose outputs are merged."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autoctrl.errors import WorkflowError
from autoctrl.handlers.handler import Handler, Resources
from autoctrl.handlers.run_line import (
    NotKnownYet,
    fill_line,
    only_placeholder,
    parse_line,
)
from autoctrl.locks.lock import Wait
from autoctrl.model.job import JobSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.handlers.run_line import Filling, Piece
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import InputRef, Task, TaskRecord

MERGE_COMMAND = (sys.executable, "-m", "autoctrl.science.rootio", "merge")


class BatchHandler(Handler):
    """A workflow that runs a command as a job.

    ``run_line`` is split into words, then each word's placeholders are filled: inputs and outputs
    by name, ``{run}``, ``{unit}``, ``{first}``, ``{last}``, ``{campaign.<setting>}``,
    ``{run.<attribute>}`` and more. ``argv`` is the same, split already; ``jobs`` is a function of
    the task that returns one list of words per job. ``split_events`` makes one job per that many
    events; the parts are merged by ``merge_line``, in which ``{parts}`` stands for all parts' files
    (of the only output; else ``{<output>_parts}``). A single ROOT file is merged without it.
    """

    def __init__(
        self,
        workflow: str,
        run_line: str | None = None,
        *,
        argv: Sequence[str] | None = None,
        jobs: Callable[[Task], Iterable[Sequence[str]]] | None = None,
        split_events: int | None = None,
        merge_line: str | None = None,
        environment: Mapping[str, str] | None = None,
        **declaration: Any,  # noqa: ANN401 - checked by the handler it is passed to
    ) -> None:
        """Declare a workflow of jobs; see ``Handler`` for the rest.

        Raises ``WorkflowError`` as it does.
        """
        self.split_events = split_events
        super().__init__(workflow, **declaration)
        self._check_ways(run_line, argv, jobs)
        self.jobs = jobs
        self.environment = dict(environment or {})
        self.line = run_line if run_line is not None else tuple(argv or ())
        self.words = [] if jobs is not None else self._parse_line()
        self.merge_line = merge_line
        self.merge_words = [] if merge_line is None else self._parse_merge(merge_line)
        if split_events is not None:
            self._check_split(split_events)

    def _check_ways(self, *ways: object) -> None:
        given = sum(way is not None for way in ways)
        if given != 1:
            message = (
                f"{self.workflow}: a batch workflow has one of run_line, argv and jobs; "
                f"{given} are given."
            )
            raise WorkflowError(message, hint="Write run_line='mytool {raw} --output {output}'.")

    def _parse_line(self) -> list[list[Piece]]:
        known = self.scalar_names | self.inputs.keys() | self.outputs.keys()
        return parse_line(f"{self.workflow}: run_line", self.line, known)

    def _parse_merge(self, merge_line: str) -> list[list[Piece]]:
        where = f"{self.workflow}: merge_line"
        parts = {"parts"} | {f"{name}_parts" for name in self.outputs}
        known = (self.scalar_names | parts | self.outputs.keys()) - {"first", "last"}
        words = parse_line(where, merge_line, known)
        for pieces in words:
            for name in (piece.name for piece in pieces if piece.name is not None):
                if "." in name:
                    message = f"{where} cannot use {{{name}}}."
                    hint = "A merge knows its parts, its output and its unit."
                    raise WorkflowError(message, hint=hint)
                if name in parts and only_placeholder(pieces) != name:
                    message = f"{where}: {{{name}}} stands for several files."
                    raise WorkflowError(message, hint="Let it be a word of its own.")
        return words

    def _check_split(self, size: int) -> None:
        if size < 1:
            message = f"{self.workflow}: split_events={size} makes no parts."
            raise WorkflowError(message, hint="Give the number of events of one job, e.g. 200.")
        if not self.inputs:
            message = f"{self.workflow}: split_events needs an input whose events are counted."
            raise WorkflowError(message, hint='Declare inputs={"raw": Files(…)}.')
        if self.outputs and not self._can_merge:
            outputs = ", ".join(self.outputs)
            message = f"{self.workflow}: parts of {outputs} cannot be merged without a merge_line."
            raise WorkflowError(
                message, hint="Write merge_line='mytool merge {parts} --output {output}'."
            )

    @property
    def scalar_names(self) -> set[str]:
        """Placeholders with one value; a split workflow has its range of events besides."""
        return super().scalar_names | (
            {"first", "last"} if self.split_events is not None else set()
        )

    @property
    def _can_merge(self) -> bool:
        """Whether there is a way to merge parts: a line, or a single ROOT file."""
        names = list(self.outputs.values())
        return bool(self.merge_words) or (len(names) == 1 and names[0].endswith(".root"))

    def specs(
        self, task: Task, resources: Resources, inputs: Sequence[InputRef], *, is_closed: bool
    ) -> list[JobSpec] | Wait:
        """Return one specification per part. Raises ``CannotFill`` if a value does not fit."""
        try:
            values = self.values(task, resources)
            if self.jobs is not None:
                return self._listed(self.jobs, task, resources, values)
            if self.split_events is None:
                return [self._spec(None, values, task, resources)]
            return self._ranges(task, resources, inputs, values, is_closed=is_closed)
        except NotKnownYet as error:
            return Wait(str(error))

    def _listed(
        self,
        jobs: Callable[[Task], Iterable[Sequence[str]]],
        task: Task,
        resources: Resources,
        values: Mapping[str, Filling],
    ) -> list[JobSpec] | Wait:
        named = task._replace(outputs=self.output_names(values))
        try:
            commands = [tuple(map(str, words)) for words in jobs(named)]
        except Exception as error:  # noqa: BLE001 - whatever an author's function raises is a reason to wait
            return Wait(f"jobs raised {type(error).__name__}: {error}")
        if not commands:
            return Wait("jobs lists nothing to do yet")
        return [self._spec(words, values, task, resources) for words in commands]

    def _ranges(
        self,
        task: Task,
        resources: Resources,
        inputs: Sequence[InputRef],
        values: Mapping[str, Filling],
        *,
        is_closed: bool,
    ) -> list[JobSpec] | Wait:
        size = self.split_events or 1
        first_input = next(iter(self.inputs))
        counts = [ref.events for ref in inputs if ref.name == first_input]
        if len(counts) != 1 or counts[0] is None:
            return Wait(f"the number of events of input {first_input} is not known yet")
        events = counts[0] if is_closed else counts[0] - counts[0] % size
        if events == 0:
            return Wait(f"input {first_input} has no events yet")
        specs = []
        for first in range(0, events, size):
            last = min(first + size, events)
            part = self._spec(None, {**values, "first": first, "last": last}, task, resources)
            specs.append(part._replace(events=(first, last)))
        return specs

    def _spec(
        self,
        argv: tuple[str, ...] | None,
        values: Mapping[str, Filling],
        task: Task,
        resources: Resources,
    ) -> JobSpec:
        outputs = self.output_names(values)
        return JobSpec(
            argv=argv if argv is not None else fill_line(self.words, {**values, **outputs}),
            outputs=outputs,
            inputs=task.inputs,
            environment=self.environment,
            memory_mb=resources.memory_mb,
            time_limit_s=resources.time_limit_s,
            cpus=resources.cpus,
            executor=resources.executor,
            place=resources.place,
            setup=resources.setup,
        )

    def merge(self, record: TaskRecord, jobs: Sequence[JobRecord]) -> JobSpec | None:
        """Return the job that merges the parts' outputs, None if there is nothing to merge."""
        if not self.outputs or not self._can_merge:
            return None
        ordered = sorted(jobs, key=lambda job: job.key.index)
        spec = ordered[0].spec
        only = next(iter(self.outputs))
        parts = {name: _urls_of(ordered, name) for name in self.outputs}
        if self.merge_words:
            argv = fill_line(self.merge_words, self._merge_values(record, spec, parts))
        else:
            argv = (*MERGE_COMMAND, spec.outputs[only], *parts[only])
            spec = spec._replace(setup=())  # a command of ours, with its own Python
        events = _joined_range(ordered) or self._counted_range(ordered, only)
        return spec._replace(argv=argv, inputs={"parts": parts[only]}, events=events)

    def _merge_values(
        self, record: TaskRecord, spec: JobSpec, parts: Mapping[str, tuple[str, ...]]
    ) -> dict[str, Filling]:
        """Return the value of every placeholder of a merge line."""
        return {
            "unit": record.key.unit,
            "campaign": record.key.campaign,
            "workflow": self.workflow,
            "version": record.version,
            "python": sys.executable,
            "folder": str(self.folder),
            "cpus": spec.cpus,
            "memory_mb": spec.memory_mb,
            "run": record.members[0],
            "group": record.key.unit.partition(":")[2],
            "parts": next(iter(parts.values())),
            **{f"{name}_parts": urls for name, urls in parts.items()},
            **spec.outputs,
        }

    def _counted_range(self, jobs: Sequence[JobRecord], name: str) -> tuple[int, int] | None:
        """Return the range of entries that the merged output must have, None if it is not known."""
        counts = [
            file.entries.get(self.event_tree)
            for job in jobs
            for file in job.files
            if file.name == name
        ]
        known = [count for count in counts if count is not None]
        return (0, sum(known)) if len(known) == len(counts) == len(jobs) else None

    @property
    def description(self) -> dict[str, Any]:
        """What makes this workflow's versions, for provenance."""
        return {
            **super().description,
            "run_line": self.line,
            "split_events": self.split_events,
            "merge_line": self.merge_line,
            "environment": self.environment,
        }


def _urls_of(jobs: Iterable[JobRecord], name: str) -> tuple[str, ...]:
    """Return where the jobs' files of one output lie."""
    return tuple(file.url for job in jobs for file in job.files if file.name == name)


def _joined_range(jobs: Sequence[JobRecord]) -> tuple[int, int] | None:
    """Return the range of events of all jobs together, None if one has none."""
    ranges = [job.spec.events for job in jobs if job.spec.events is not None]
    return (ranges[0][0], ranges[-1][1]) if len(ranges) == len(jobs) else None
