"""The parameters of friend modules: read from TOML files, each valid for a range of runs."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError, nearest
from autoctrl.model.task import InputRef
from autoctrl.science.friends.parameters import Mistake, find_problem, is_finite, spell_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from autoctrl.model.task import Task
    from autoctrl.science.friends.parameters import Wanted

KEYS = frozenset({"first", "last", "comment", "parameters"})
LARGEST_RUN = 1 << 63
EXAMPLE = (
    "Write [[range]], below it first = 4500, and for each module its parameters below "
    "[range.parameters.<module>]."
)


class CalibrationFile(NamedTuple):
    """A calibration file as it was read: where, how many bytes, ``sha256:hex``."""

    path: Path
    bytes: int
    checksum: str


@dataclass(frozen=True)
class ValidRange:
    """Parameters of friend modules that hold for some runs.

    ``last`` is included, None means all later runs.  ``parameters`` are the values by name, by
    module.  ``entry`` says which ``[[range]]`` of its file it is, from 1.
    """

    first: int
    last: int | None
    source: CalibrationFile
    comment: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    entry: int = 1

    @property
    def runs(self) -> str:
        """The range in words: ``4500-4999``, ``5000-``."""
        return f"{self.first}-{'' if self.last is None else self.last}"

    def __str__(self) -> str:
        """Name file and range."""
        return f"{self.source.path.name} {self.runs}"

    def covers(self, run: int) -> bool:
        """Say whether it holds for a run."""
        return self.first <= run and (self.last is None or run <= self.last)

    @property
    def description(self) -> str:
        """Where it stands, in words: the entry of its file, and its runs."""
        return (
            f"[[range]] number {self.entry} of the calibration {self.source.path} (runs "
            f"{self.runs})"
        )

    def parameters_for(self, module: str, wanted: Iterable[str] | Wanted) -> Mapping[str, Any]:
        """Return what a module needs; raises DataError when a parameter is missing, unknown or not
        what it must be.
        """
        problem = find_problem(module, wanted, self.parameters)
        if problem:
            message = f"{self.description} {problem.what}."
            raise DataError(message, hint=problem.hint)
        return self.parameters.get(module, {})


@dataclass(frozen=True)
class Calibration:
    """All ranges of a file or a folder of files, by first run; none overlap."""

    path: Path
    ranges: tuple[ValidRange, ...]

    def valid_for(self, run: int) -> ValidRange:
        """Return the one range that covers a run; raises DataError, naming the ranges that there
        are.
        """
        for valid in self.ranges:
            if valid.covers(run):
                return valid
        known = ", ".join(valid.runs for valid in self.ranges)
        message = f"run {run} has no calibration in {self.path}: its ranges are {known}."
        raise DataError(message, hint="Add a range that covers the run.")


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file, or every ``*.toml`` of a folder.

    Raises DataError when one cannot be read, says something unknown, or when two ranges share a
    run.
    """
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return _read_files(path, tuple((file, _age(file)) for file in files))


def _age(path: Path) -> tuple[int, int]:
    """Return what changes whenever a file is written, so that one read before need not be read
    again.
    """
    try:
        found = path.stat()
    except OSError as error:
        message = f"the calibration {path} cannot be read: {error.strerror or error}."
        raise DataError(message) from error
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=16)
def _read_files(path: Path, files: tuple[tuple[Path, tuple[int, int]], ...]) -> Calibration:
    ranges = sorted(
        (valid for file, _ in files for valid in _read_file(file)), key=lambda valid: valid.first
    )
    if not ranges:
        message = f"the calibration {path} has no range of runs."
        raise DataError(
            message, hint=f"{EXAMPLE} The files of a folder are those that end in .toml."
        )
    for one, other in pairwise(ranges):
        if one.covers(other.first):
            both = f"{one.description} and {other.description}"
            message = f"{both} overlap: both hold for run {other.first}."
            end = (
                f"write last = {other.first - 1} into the first of them"
                if one.first < other.first
                else "leave one out"
            )
            raise DataError(message, hint=f"One run has one calibration: {end}.")
    return Calibration(path, tuple(ranges))


def _read_file(path: Path) -> list[ValidRange]:
    try:
        content = path.read_bytes()
        known = tomllib.loads(content.decode())
    except (OSError, ValueError, RecursionError) as error:
        reason = isinstance(error, OSError) and error.strerror
        message = f"the calibration {path} cannot be read: {reason or error}."
        raise DataError(
            message, hint="" if reason else f"It must be TOML in UTF-8. {EXAMPLE}"
        ) from error
    source = CalibrationFile(path, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    ranges = known.pop("range", [])
    if known:
        message = f"the calibration {path} may contain only [[range]], not {min(known)!r}."
        raise DataError(message, hint=f"Move {min(known)!r} below a [[range]], or leave it out.")
    if not isinstance(ranges, list) or not all(isinstance(entry, dict) for entry in ranges):
        message = (
            f"the calibration {path} may contain only [[range]]; its range is "
            f"{spell_value(ranges)}."
        )
        raise DataError(message, hint=f"The brackets are double. {EXAMPLE}")
    return [_make_range(entry, number, source) for number, entry in enumerate(ranges, 1)]


def _make_range(entry: Mapping[str, Any], number: int, source: CalibrationFile) -> ValidRange:
    values = {"last": None, "comment": "", "parameters": {}, **entry}
    problem = _problem_of(values)
    if problem:
        message = f"[[range]] number {number} of the calibration {source.path} {problem.what}."
        raise DataError(message, hint=problem.hint)
    return ValidRange(source=source, entry=number, **values)


def _problem_of(values: Mapping[str, Any]) -> Mistake | None:
    """Return what is wrong with an entry, if anything."""
    unknown = sorted(values.keys() - KEYS)
    if unknown:
        what = f"has a value {unknown[0]!r}, which means nothing"
        return Mistake(what, nearest(unknown[0], KEYS))
    if "first" not in values:
        what = "does not say for which runs it holds"
        return Mistake(what, "Write first = 4500, and last = 4999 if it ends.")
    problem = _problem_of_runs(values["first"], values["last"])
    if problem is not None:
        return problem
    comment = values["comment"]
    if not isinstance(comment, str):
        what = f"has the comment {spell_value(comment)}, which is not text"
        return Mistake(what, 'Write comment = "why", in quotes.')
    return _problem_of_tables(values["parameters"])


def _problem_of_runs(first: object, last: object) -> Mistake | None:
    """Return what is wrong with the runs for which an entry holds, if anything."""
    for name, run in (("first", first), ("last", 0 if last is None else last)):
        if type(run) is not int or not 0 <= run < LARGEST_RUN:
            what = f"has {name} = {spell_value(run)}, which is not a run number"
            return Mistake(what, f"Write {name} as in {name} = 4500.")
    if isinstance(first, int) and isinstance(last, int) and last < first:
        what = f"goes from run {first} to run {last}"
        return Mistake(what, f"Write first = {last} and last = {first}.")
    return None


def _problem_of_tables(parameters: object) -> Mistake | None:
    """Return what is wrong with the parameters, whatever each module wants, if anything."""
    hint = (
        "Write [range.parameters.depth] for the module depth, and below it lines of name = value."
    )
    if not isinstance(parameters, dict):
        return Mistake(f"has parameters = {spell_value(parameters)}, which is not a table", hint)
    for module, table in parameters.items():
        if not isinstance(table, dict):
            found = f"{module} = {spell_value(table)}"
            what = f"has parameters that are not tables: {found} belongs to no module"
            return Mistake(what, hint)
        for name, value in table.items():
            if not is_finite(value):
                found = f"{module}.{name} = {spell_value(value)}"
                what = f"has the parameter {found}, which is not a number"
                return Mistake(what, f"Write a finite number, {name} = 1.5.")
    return None


class Calibrations:
    """``Calibrations(folder)`` as an input of a workflow: the calibration file that is valid for
    the task's run.

    The file is recorded with its checksum, so the task is stale as soon as the file changes.  A
    campaign may name another path in its setting ``calibrations``, counted from the folder in
    which this one lies.
    """

    def __init__(self, path: Path) -> None:
        """Look in a file or a folder of files."""
        self.path = path

    def __call__(self, task: Task) -> list[InputRef]:
        """Return the file; raises DataError, and so makes the task wait, while none covers the
        run.
        """
        name = str(task.settings.get("calibrations", self.path.name))
        chosen = self.path.absolute().parent / name
        path, size, checksum = read_calibration(chosen).valid_for(task.run).source
        return [InputRef("calibration", str(path), size, checksum)]
