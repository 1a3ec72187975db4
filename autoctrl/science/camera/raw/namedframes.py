"""Raw runs whose frames are named ``pic_run<run>_ev<event>``: what those in HDF5 and in ROOT have
in common.

Such a file is complete, or it cannot be opened at all.  Every object can be read alone, so that a
damaged one, or one that is missing between others, is lost alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.camera.raw.rawfile import RunSummary, parse_settings, refuse_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]

NAME = re.compile(r"pic_run(\d+)_ev(\d+)")
SETTINGS = "settings"
HINT = "Fetch the raw file again."


def frame_name(run: int, event: int) -> str:
    """Return the name under which a frame is kept."""
    return f"pic_run{run}_ev{event}"


class NamedWriter:
    """Writes a run's frames under their names into ``file``, and its settings at the end, when they
    are whole.
    """

    def __init__(self, file: Any, run: int) -> None:  # noqa: ANN401 - the container's
        """Begin the run."""
        self._file, self._run, self._events = file, run, 0

    def begin(self, time_s: int, settings: str) -> None:
        """Do nothing yet."""

    def add(self, frame: Frame, time_s: int) -> None:  # noqa: ARG002 - frames have no time of their own here
        """Write the next event's frame."""
        self.keep(frame_name(self._run, self._events), frame)
        self._events += 1

    def keep(self, name: str, frame: Frame) -> None:
        """Write a frame under a name."""
        raise NotImplementedError

    def flush(self) -> None:
        """Do nothing: nobody reads the file before it is complete."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def as_counts(picture: NDArray[Any]) -> Frame:
    """Return a picture's values as 16-bit counts; raises ValueError for anything else."""
    if picture.ndim != 2:  # noqa: PLR2004 - rows and columns
        message = f"it has {picture.ndim} dimensions"
        raise ValueError(message)
    with np.errstate(invalid="ignore"):
        counts = picture.astype(np.uint16, copy=False)
    if counts is not picture and not np.array_equal(counts, picture):
        message = "it holds values that are not 16-bit counts"
        raise ValueError(message)
    return counts


class Container(Protocol):
    """An open file that holds frames by name."""

    def names(self) -> Iterable[str]:
        """Return the names of everything in it."""

    def settings(self) -> str:
        """Return the dump of the run's settings, empty without one."""

    def read(self, name: str) -> Frame:
        """Return a working frame of 16-bit counts; raises whatever is raised for a damaged one."""

    def offset(self, name: str) -> int | None:
        """Return where a frame's data begin in the file, if that is known."""

    def close(self) -> None:
        """Close the file."""


class NamedFrames:
    """A raw run in a container; use it as a context manager."""

    def __init__(self, path: Path, container: Container) -> None:
        """Find the frames; raises DataError when there is none, when they are of several runs, or
        damaged.
        """
        self.path, self._container = path, container
        try:
            names, settings = container.names(), container.settings().encode()
        except Exception as error:
            container.close()
            message = f"{path} is corrupt: what it holds cannot be read ({error})."
            raise DataError(message, hint=HINT) from error
        named = [(name, match) for name in names if (match := NAME.fullmatch(name))]
        self._names: Mapping[int, str] = {int(match[2]): name for name, match in named}
        runs = {int(match[1]) for _, match in named}
        if len(runs) != 1:
            container.close()
            found = (
                f"frames of the runs {sorted(runs)}"
                if runs
                else "no frame named pic_run<run>_ev<event>"
            )
            message = f"{path} is not a raw run: it holds {found}."
            raise DataError(message)
        self.run = runs.pop()
        self.attributes = parse_settings(settings)

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._container.close()

    @property
    def _count(self) -> int:
        return max(self._names) + 1

    def summarise(self) -> RunSummary:
        """Say which frames there are; they are not read, and those missing between others are
        lost.
        """
        missing = sorted(set(range(self._count)) - self._names.keys())
        state = "corrupt" if missing else "closed"
        problem = str(self._missing(missing[0])) if missing else ""
        return RunSummary(self.run, self.attributes, self._count, state, problem, len(missing))

    def events(self, first: int, last: int | None) -> Iterator[tuple[int, Frame | DataError]]:
        """Yield (event, working frame), or why it is lost, for ``first <= event < last``."""
        refuse_range(self.path, self._count, first, last)
        for event in range(first, self._count if last is None else last):
            try:
                yield event, self._read(event)
            except DataError as error:
                yield event, error

    def _missing(self, event: int) -> DataError:
        message = (
            f"{self.path} is corrupt: it has no {frame_name(self.run, event)}, but later events."
        )
        return DataError(message, hint=HINT)

    def _read(self, event: int) -> Frame:
        name = self._names.get(event)
        if name is None:
            raise self._missing(event)
        try:
            return self._container.read(name)
        except Exception as error:  # noqa: BLE001 - the libraries below raise dozens of kinds for damaged bytes
            self._refuse(event, f"{name} cannot be read ({error})", error)

    def _refuse(self, event: int, reason: str, cause: Exception | None = None) -> NoReturn:
        offset = None
        with suppress(Exception):  # what is damaged may be what says where it lies
            offset = self._container.offset(self._names[event])
        where = "" if offset is None else f" at byte {offset}"
        message = f"{self.path} is corrupt{where}, event {event}: {reason}."
        raise DataError(message, hint=HINT) from cause
