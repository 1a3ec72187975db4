"""The parameters of friend modules: read from TOML files, each valid for a range of runs."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError, nearest
from autoctrl.model.task import InputRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from autoctrl.model.view import Task

KEYS = frozenset({"first", "last", "comment", "parameters"})


class Source(NamedTuple):
    """A calibration file as it was read: where, how many bytes, ``sha256:hex``."""

    path: Path
    bytes: int
    checksum: str


@dataclass(frozen=True)
class ValidRange:
    """Parameters of friend modules that hold for some runs.

    ``last`` is included, None means all later runs.  ``parameters`` are the values by name, by module.
    """

    first: int
    last: int | None
    source: Source
    comment: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

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

    def parameters_for(self, module: str, names: Sequence[str]) -> Mapping[str, Any]:
        """Return what a module needs; raises DataError when a parameter is missing."""
        known = self.parameters.get(module, {})
        missing = [name for name in names if name not in known]
        if missing:
            message = f"the range {self.runs} of {self.source.path} has no parameter {missing[0]} for module {module}."
            raise DataError(message, hint=nearest(missing[0], known) or f"It needs {', '.join(names)}.")
        return known


@dataclass(frozen=True)
class Calibration:
    """All ranges of a file or a folder of files, by first run; none overlap."""

    place: Path
    ranges: tuple[ValidRange, ...]

    def valid_for(self, run: int) -> ValidRange:
        """Return the one range that covers a run; raises DataError, naming the ranges that there are."""
        for valid in self.ranges:
            if valid.covers(run):
                return valid
        known = ", ".join(valid.runs for valid in self.ranges)
        message = f"run {run} has no calibration in {self.place}: its ranges are {known}."
        raise DataError(message, hint="Add a range that covers the run.")


def read_calibration(place: Path) -> Calibration:
    """Read a calibration file, or every ``*.toml`` of a folder.

    Raises DataError when one cannot be read, says something unknown, or when two ranges share a run.
    """
    files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
    return _read_files(place, tuple((path, _age(path)) for path in files))


def _age(path: Path) -> tuple[int, int]:
    """Return what changes whenever a file is written, so that one read before need not be read again."""
    try:
        found = path.stat()
    except OSError as error:
        message = f"the calibration {path} cannot be read: {error.strerror or error}."
        raise DataError(message) from error
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=16)
def _read_files(place: Path, files: tuple[tuple[Path, tuple[int, int]], ...]) -> Calibration:
    ranges = sorted((valid for path, _ in files for valid in _read_file(path)), key=lambda valid: valid.first)
    if not ranges:
        message = f"the calibration {place} has no range of runs."
        raise DataError(message, hint="Write [[range]] with first, last and parameters into a file that ends in .toml.")
    for one, other in pairwise(ranges):
        if one.covers(other.first):
            message = f"the ranges {one} and {other} of the calibration {place} overlap."
            raise DataError(message, hint="One run has one calibration: end the first before the second begins.")
    return Calibration(place, tuple(ranges))


def _read_file(path: Path) -> Iterable[ValidRange]:
    try:
        content = path.read_bytes()
        known = tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        message = f"the calibration {path} cannot be read: {error}."
        raise DataError(message) from error
    source = Source(path, len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    ranges = known.pop("range", [])
    if known or not isinstance(ranges, list) or not all(isinstance(entry, dict) for entry in ranges):
        message = f"the calibration {path} may contain [[range]] alone" + (f", not {min(known)!r}." if known else ".")
        raise DataError(message)
    return [_make_range(entry, source) for entry in ranges]


def _make_range(entry: Mapping[str, Any], source: Source) -> ValidRange:
    values = {"last": None, "comment": "", "parameters": {}, **entry}
    problem = _problem_of(values)
    if problem:
        message = f"a range of the calibration {source.path} {problem}."
        raise DataError(message, hint=f"A range is made of {', '.join(sorted(KEYS))}.")
    return ValidRange(source=source, **values)


def _problem_of(values: Mapping[str, Any]) -> str:
    unknown = sorted(values.keys() - KEYS)
    if unknown:
        return f"has a value {unknown[0]!r}, which means nothing"
    first, last, parameters = values.get("first"), values["last"], values["parameters"]
    if type(first) is not int or (last is not None and type(last) is not int):
        return f"goes from {first!r} to {last!r}; both are run numbers, and only the last may be left out"
    if first < 0 or (last is not None and last < first):
        return f"goes from {first} to {last}"
    if not isinstance(values["comment"], str):
        return f"has the comment {values['comment']!r}, which is no text"
    if not isinstance(parameters, dict) or not all(isinstance(table, dict) for table in parameters.values()):
        return "has parameters that are no tables, one for each module"
    named = {f"{module}.{name}": value for module, table in parameters.items() for name, value in table.items()}
    odd = [f"{name} = {value}" for name, value in named.items() if isinstance(value, float) and not isfinite(value)]
    return f"has the parameter {odd[0]}, which is no number" if odd else ""


class Calibrations:
    """``Calibrations(folder)`` as an input of a workflow: the calibration file that is valid for the task's run.

    The file is recorded with its checksum, so the task is stale as soon as the file changes.  A campaign may name
    another place in its setting ``calibrations``, counted from the folder in which this one lies.
    """

    def __init__(self, place: Path) -> None:
        """Look in a file or a folder of files."""
        self.place = place

    def __call__(self, task: Task) -> list[InputRef]:
        """Return the file; raises DataError, and so makes the task wait, while none covers the run."""
        place = self.place.absolute().parent / str(task.settings.get("calibrations", self.place.name))
        path, size, checksum = read_calibration(place).valid_for(task.run).source
        return [InputRef("calibration", str(path), size, checksum)]
