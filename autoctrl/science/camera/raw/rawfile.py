"""Raw runs in any container: what one says about itself, and its frames one after the other, with
bounded memory.

Which reader takes a file is decided by the bytes that it begins with.  Every refusal is a DataError
that names the file, the position and the event.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from autoctrl.errors import DataError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]

MAGIC_BYTES = 8
# (rows, columns) of the sensors in use, for runs that do not say theirs
KNOWN_SHAPES = ((2304, 2304), (2304, 4096))


class Truncated(DataError):
    """The stream ends before the run does: the run is still open, or the file was cut off."""


@dataclass(frozen=True)
class RunSummary:
    """What a raw run says about itself.

    ``events`` counts complete camera events, among them ``lost_events`` that are damaged inside;
    ``state`` is closed (nothing is missing), open (the stream just ends) or corrupt, with
    ``problem`` as the reason for the last two.
    """

    run: int
    attributes: dict[str, Any] = field(default_factory=dict)
    events: int = 0
    state: str = "open"
    problem: str = ""
    lost_events: int = 0

    @property
    def is_closed(self) -> bool:
        """Say whether the run is there from beginning to end."""
        return self.state == "closed"


class RawRun(Protocol):
    """A raw run that is open for reading, once, from front to back; use it as a context manager."""

    run: int
    attributes: dict[str, Any]

    def __enter__(self) -> Self:
        """Return the run itself."""

    def __exit__(self, *_: object) -> None:
        """Close the file."""

    def summarise(self) -> RunSummary:
        """Pass over the whole run and say what is in it."""

    def events(self, first: int, last: int | None) -> Iterator[tuple[int, Frame | DataError]]:
        """Yield (event, working frame) for ``first <= event < last``; of an event that is lost,
        why.

        ``last=None`` means all, and then the run must be closed.  Raises ``DataError`` when the run
        ends earlier or before the range begins, and when nobody can say how many events are lost.
        """


class Format(NamedTuple):
    """A container of raw runs: how its files begin, and the class that reads them, as
    ``module:class``.
    """

    begins: bytes
    reader: str


FORMATS = (
    Format(b"\x89HDF\r\n\x1a\n", "hdf5file:HDF5Run"),
    Format(b"root", "rootfile:RootRun"),
    Format(b"", "midasfile:MidasRun"),
)


def open_run(path: Path) -> RawRun:
    """Open a raw run, whatever it is called.

    Raises ``DataError`` when it cannot be read, ``MissingExtra`` when what reads it is not
    installed.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(MAGIC_BYTES)
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror}."
        raise DataError(message) from error
    module, _, name = next(
        form.reader for form in FORMATS if begin.startswith(form.begins)
    ).partition(":")
    try:
        reader = getattr(import_module(f"autoctrl.science.camera.raw.{module}"), name)
    except ModuleNotFoundError as error:
        what = f"Reading {path.name}"
        raise MissingExtra(what, "science") from error
    run: RawRun = reader(path)
    return run


def read_head(path: Path) -> RunSummary:
    """Return run number and attributes alone; no frame is read."""
    with open_run(path) as run:
        return RunSummary(run.run, run.attributes)


def summarise(path: Path) -> RunSummary:
    """Pass over the whole run once and say what is in it; raises DataError for another file."""
    with open_run(path) as run:
        return run.summarise()


def refuse_range(path: Path, events: int, first: int, last: int | None) -> None:
    """Raise DataError for a range that a run of so many events does not have; what begins at its
    end is empty.
    """
    if last is not None and last > events:
        message = f"{path} has {events} camera events; {first}:{last} asks for more."
        raise DataError(message)
    if first > events:
        message = f"{path} has {events} camera events; the range {first}: begins after them."
        raise DataError(message, hint=f"The last event is number {events - 1}." if events else "")


def parse_settings(data: bytes) -> dict[str, Any]:
    """Return the attributes in a dump of the settings: the run parameters, the start or stop time,
    the sensor's size.

    A dump in another format than JSON has none.
    """
    try:
        dump = json.loads(data.rstrip(b"\0").decode())
        attributes = dict(dump.get("Experiment", {}).get("Run Parameters", {}))
        times = dump.get("Runinfo", {})
        begin_end = ("start", "Start time"), ("end", "Stop time")
        attributes |= {name: times[key] for name, key in begin_end if times.get(key)}
        camera = dict(dump.get("Equipment", {}).get("Camera", {}).get("Settings", {}))
    except (ValueError, TypeError, AttributeError):
        return {}
    return attributes | {
        name.lower(): camera[name] for name in ("Width", "Height") if name in camera
    }


def frame_shape(pixels: int, attributes: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return (rows, columns) of a frame of so many pixels: as the run says, else a known sensor's,
    else a square.

    None when it is not a frame of that run.
    """
    stated = attributes.get("height"), attributes.get("width")
    if all(isinstance(length, int) for length in stated):
        shapes: tuple[Any, ...] = (stated,)
    else:
        shapes = (*KNOWN_SHAPES, (isqrt(pixels), isqrt(pixels)))
    return next(((rows, cols) for rows, cols in shapes if rows * cols == pixels > 0), None)
