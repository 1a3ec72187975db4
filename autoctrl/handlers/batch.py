"""Workflows whose work is done by jobs: one command, or one per range of events, merged at the
end.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autoctrl.errors import WorkflowError
from autoctrl.handlers.handler import Handler, Resources
from autoctrl.handlers.run_line import NotKnownYet, fill_line, parse_line
from autoctrl.locks.lock import Wait
from autoctrl.model.job import JobSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from autoctrl.handlers.run_line import Filling, Piece
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import InputRef, Task, TaskRecord


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
        given = [way for way in (run_line, argv, jobs) if way is not None]
        if len(given) != 1:
            message = (
                f"{workflow}: a batch workflow has one of run_line, argv and jobs; "
                f"{len(given)} are given."
            )
            raise WorkflowError(message, hint="Write run_line='mytool {raw} --output {output}'.")
        self.jobs, self.environment = jobs, dict(environment or {})
        self.line = run_line if run_line is not None else tuple(argv or ())
        known = self.scalar_names | self.inputs.keys() | self.outputs.keys()
        self.words = (
            [] if jobs is not None else parse_line(f"{workflow}: run_line", self.line, known)
        )
        self.merge_line = merge_line
        self.merge_words = self._parse_merge(merge_line)
        self._check_split()

    def _parse_merge(self, merge_line: str | None) -> list[list[Piece]]:
        if merge_line is None:
            return []
        parts = {"parts"} | {f"{name}_parts" for name in self.outputs}
        known = (self.scalar_names | parts | self.outputs.keys()) - {"first", "last"}
        words = parse_line(f"{self.workflow}: merge_line", merge_line, known)
        for piece in (piece for pieces in words for piece in pieces if "." in (piece.name or "")):
            message = f"{self.workflow}: merge_line cannot use {{{piece.name}}}."
            raise WorkflowError(message, hint="A merge knows its parts, its output and its unit.")
        return words

    def _check_split(self) -> None:
        if self.split_events is None and self.jobs is None:
            return
        if self.split_events is not None and self.split_events < 1:
            message = f"{self.workflow}: split_events={self.split_events} makes no parts."
            raise WorkflowError(message, hint="Give the number of events of one job, e.g. 200.")
        if self.split_events is not None and not self.inputs:
            message = f"{self.workflow}: split_events needs an input whose events are counted."
            raise WorkflowError(message, hint='Declare inputs={"raw": Files(…)}.')
        can_merge = self.merge_line or not self.outputs or self._is_one_root_file
        if self.split_events is not None and not can_merge:
            message = (
                f"{self.workflow}: parts of {', '.join(self.outputs)} cannot be merged without "
                "a merge_line."
            )
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
    def _is_one_root_file(self) -> bool:
        return len(self.outputs) == 1 and all(
            name.endswith(".root") for name in self.outputs.values()
        )

    def specs(
        self, task: Task, resources: Resources, inputs: Sequence[InputRef], *, is_closed: bool
    ) -> list[JobSpec] | Wait:
        """Return one specification per part."""
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
        ranges = [(first, min(first + size, events)) for first in range(0, events, size)]
        return [
            self._spec(
                None, {**values, "first": first, "last": last}, task, resources, (first, last)
            )
            for first, last in ranges
        ]

    def _spec(
        self,
        argv: tuple[str, ...] | None,
        values: Mapping[str, Filling],
        task: Task,
        resources: Resources,
        events: tuple[int, int] | None = None,
    ) -> JobSpec:
        outputs = self.output_names(values)
        filled = argv if argv is not None else fill_line(self.words, {**values, **outputs})
        return JobSpec(
            argv=filled,
            outputs=outputs,
            inputs=task.inputs,
            environment=self.environment,
            memory_mb=resources.memory_mb,
            time_limit_s=resources.time_limit_s,
            cpus=resources.cpus,
            executor=resources.executor,
            events=events,
            place=resources.place,
        )

    def merge(self, record: TaskRecord, jobs: Sequence[JobRecord]) -> JobSpec | None:
        """Return the job that merges the parts' outputs, None if there is nothing to merge."""
        first = min(jobs, key=lambda job: job.key.index)
        if not self.outputs or not (self.merge_words or self._is_one_root_file):
            return None
        ordered = sorted(jobs, key=lambda job: job.key.index)
        parts = {
            f"{name}_parts": tuple(
                file.url for job in ordered for file in job.files if file.name == name
            )
            for name in self.outputs
        }
        outputs = dict(first.spec.outputs)
        only = next(iter(self.outputs))
        values: dict[str, Filling] = {
            "unit": record.key.unit,
            "campaign": record.key.campaign,
            "workflow": self.workflow,
            "version": record.version,
            "python": sys.executable,
            "folder": str(self.folder),
            "cpus": first.spec.cpus,
            "memory_mb": first.spec.memory_mb,
            "run": record.members[0],
            "group": record.key.unit.partition(":")[2],
            "parts": parts[f"{only}_parts"],
            **parts,
            **outputs,
        }
        built_in = (
            sys.executable,
            "-m",
            "autoctrl.science.rootio",
            "merge",
            outputs[only],
            *parts[f"{only}_parts"],
        )
        argv = fill_line(self.merge_words, values) if self.merge_words else built_in
        ranges = [job.spec.events for job in ordered if job.spec.events is not None]
        events = (
            (ranges[0][0], ranges[-1][1])
            if len(ranges) == len(ordered)
            else self._counted(ordered, only)
        )
        return first.spec._replace(
            argv=argv, inputs={"parts": parts[f"{only}_parts"]}, events=events
        )

    def _counted(self, jobs: Sequence[JobRecord], name: str) -> tuple[int, int] | None:
        """Return the range of entries that the merged output must have, None if a part's are not
        known.
        """
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
