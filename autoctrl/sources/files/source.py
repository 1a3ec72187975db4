"""Runs as their raw files appear and close."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError
from autoctrl.model.names import SOURCES
from autoctrl.ports import Seen
from autoctrl.sources.files.inspection import Inspection, InspectionStopped
from autoctrl.sources.files.memory import Memory, learn, look_again
from autoctrl.sources.files.pattern import Pattern, join_path
from autoctrl.sources.values import typed_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autoctrl.config import Settings
    from autoctrl.model.run import Value
    from autoctrl.sources.files.memory import KnownFile
    from autoctrl.sources.files.pattern import FoundFile
    from autoctrl.sources.files.settings import FilesSourceSettings

SETTLED_S = 5.0
RETRY_S = 600.0


class FilesSource:
    """Raw files below one folder, one or several per run.

    A run is closed when the end of the run was seen in each of its files, or that file was quiet. A
    file that cannot be used leaves its run out; it becomes a problem once it is quiet, for a file
    that is being written may be anything.
    """

    def __init__(
        self,
        name: str,
        root: str,
        pattern: Pattern,
        section: FilesSourceSettings,
        *,
        types: Mapping[str, str],
        memory: Memory,
        inspection: Inspection | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Look for ``pattern`` below ``root``; ``now`` returns seconds since 1970."""
        self.name = name
        self._root, self._pattern, self._section = root, pattern, section
        self._types, self._memory, self._inspection, self._now = types, memory, inspection, now
        self._times = [attribute for attribute, kind in types.items() if kind == "time"]
        self._problems: list[str] = []

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about what could not be read in the last ``discover``."""
        return tuple(self._problems)

    def discover(self) -> list[Seen]:
        """Return all runs whose files are there, by number; inspects only files that have
        changed.
        """
        self._problems = []
        now = self._now()
        before = self._memory.load()
        found = sorted(
            self._pattern.find(self._root, self._problems.append),
            key=lambda file: (file.run, file.path),
        )
        known = {file.path: look_again(file, before.get(file.path), now) for file in found}
        if self._inspection is not None:
            self._inspect(self._inspection, found, known, now)
        if known != before:
            self._save(known)
        return self._runs(found, known, now)

    def _inspect(
        self,
        inspection: Inspection,
        found: Sequence[FoundFile],
        known: dict[str, KnownFile],
        now: float,
    ) -> None:
        waiting = {
            join_path(self._root, file.path): file
            for file in found
            if self._is_due(known[file.path], now)
        }
        try:
            for answers in inspection.ask(list(waiting)):
                for path, answer in answers.items():
                    file = waiting.pop(path)
                    known[file.path] = learn(known[file.path], file, answer, self._types, now)
                if len(answers) > 1:
                    self._save(known)
        except InspectionStopped as error:
            self._problems.append(f"{error}; {len(waiting)} raw files wait to be inspected")

    def _is_due(self, file: KnownFile, now: float) -> bool:
        if file.is_current:
            return bool(file.problem) and now - file.asked >= RETRY_S
        is_settled = file.age_s(now) >= SETTLED_S
        return not file.asked or is_settled or now - file.asked >= self._section.inspect_every_s

    def _runs(
        self, found: Sequence[FoundFile], known: Mapping[str, KnownFile], now: float
    ) -> list[Seen]:
        runs: dict[int, Seen] = {}
        left_out: set[int] = set()
        for file in found:
            state = known[file.path]
            is_quiet = state.age_s(now) >= self._section.quiet_s
            if self._is_usable(state):
                seen = self._see(file, state, is_quiet=is_quiet)
                runs[file.run] = _merge(runs[file.run], seen) if file.run in runs else seen
                continue
            left_out.add(file.run)
            if state.problem and is_quiet:
                self._problems.append(f"{file.path} cannot be used: {state.problem}")
        return [seen for number, seen in runs.items() if number not in left_out]

    def _is_usable(self, state: KnownFile) -> bool:
        """Say whether a file has no problem, and has been inspected if anything inspects files."""
        return not state.problem and (self._inspection is None or bool(state.asked))

    def _see(self, file: FoundFile, state: KnownFile, *, is_quiet: bool) -> Seen:
        self._problems += state.remarks
        has_ended = state.is_closed and state.is_current
        return Seen(file.run, self._attributes(file, state), is_quiet or has_ended)

    def _attributes(self, file: FoundFile, state: KnownFile) -> dict[str, Value]:
        attributes = dict(state.attributes)
        for name in self._times:
            if name in attributes:
                attributes[name] = typed_value(name, attributes[name], self._types)
        for name, text in file.values.items():
            try:
                attributes[name] = typed_value(name, text, self._types)
            except UsageError as error:
                self._problems.append(f"{file.path}: {error.message}")
        return attributes

    def _save(self, known: dict[str, KnownFile]) -> None:
        problem = self._memory.save(known)
        if problem and problem not in self._problems:
            self._problems.append(problem)


def make_source(name: str, section: FilesSourceSettings, settings: Settings) -> FilesSource:
    """Return the file source of this section; its memory lies beside the project's store."""
    where = f"[sources.{name}]"
    root = settings.path(settings.inputs.root)
    pattern = Pattern(section.pattern, settings.attributes, where)
    inspection = None
    if section.inspect:
        inspection = Inspection(section.inspect, settings.folder, section.inspect_limit_s, where)
    meaning = json.dumps(
        [str(root), section.pattern, section.inspect, sorted(settings.attributes.items())]
    )
    file = f"{settings.environment}.{name}.json".lstrip(".")
    memory = Memory(
        settings.state_folder / SOURCES / file,
        hashlib.sha256(meaning.encode()).hexdigest(),
    )
    return FilesSource(
        name,
        str(root),
        pattern,
        section,
        types=settings.attributes,
        memory=memory,
        inspection=inspection,
    )


def _merge(first: Seen, second: Seen) -> Seen:
    """Return a run of two files: events are added, the first file's attributes win, closed when
    both are.
    """
    attributes = {**second.attributes, **first.attributes}
    events = [seen.attributes.get("events") for seen in (first, second)]
    if all(isinstance(count, int) for count in events):
        attributes["events"] = sum(count for count in events if isinstance(count, int))
    return Seen(first.number, attributes, first.is_closed and second.is_closed)
