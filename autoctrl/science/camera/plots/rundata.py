"""What the data-quality plots read: a run in chunks, so that memory does not grow with its
length.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import awkward as ak
import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.camera.events import BRANCHES, PARAMETERS_TREE, check_branches
from autoctrl.science.camera.parameters import LONGEST_SIDE, is_side
from autoctrl.science.camera.pedestal import read_pedestal
from autoctrl.science.camera.raw.frames import read_events
from autoctrl.science.camera.raw.rawfile import read_head
from autoctrl.science.quality.report_schema import (
    TEXT,
    WHOLE_NUMBER,
    Rule,
    check,
    is_number,
    is_object,
)
from autoctrl.science.rootio import STEP, check_alignment, get_tree, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.camera.parameters import Pedestal
    from autoctrl.science.quality.reports import Stored

    Frame = NDArray[np.uint16]

SAMPLED = 5
SHOWN_BLOCK = 4
NEEDED = tuple(
    name for name in BRANCHES if not name.startswith("t_")
)  # how long the stages took is nobody's affair


@dataclass(frozen=True)
class About:
    """What a report is about: the run, its start as text, the sensor's size, its pedestal, the
    exposure in s.

    ``start`` is empty and ``exposure_s`` 0 where no raw run was given that says them.
    """

    run: int
    rows: int
    cols: int
    pedestal_run: int
    start: str = ""
    exposure_s: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the sensor."""
        return self.rows, self.cols

    def as_json(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)

    @classmethod
    def from_report(cls, stored: Stored) -> Self:
        """Return what a report is about; raises DataError for a report of another detector, or a
        wrong value.
        """
        check(stored.path, "about", stored.about, ABOUT)
        return cls(**{name: stored.about[name] for name in FACTS})


SIDE = Rule(f"a number of pixels up to {LONGEST_SIDE}", is_side)
FACTS = {
    "run": WHOLE_NUMBER,
    "rows": SIDE,
    "cols": SIDE,
    "pedestal_run": WHOLE_NUMBER,
    "start": TEXT,
    "exposure_s": Rule(
        "a number of seconds from 0 on", lambda value: is_number(value) and value >= 0
    ),
}
ABOUT = Rule("an object", is_object, FACTS)


@dataclass(frozen=True)
class Shown:
    """The event that is shown: its entry of ``Events``, and its light in blocks of 4 x 4 pixels,
    counts per pixel.
    """

    entry: Any
    image: NDArray[np.float64]


@dataclass(frozen=True)
class RunData:
    """Some events of a run: entries of ``Events`` with pixel lists, and of ``Friends`` (None
    without).

    What belongs to the whole run comes once: ``pedestal`` with the first event, ``shown`` with the
    event of most
    clusters.  ``frames`` are the raw frames of every fifth event, each with its distance from the
               pedestal.
    """

    about: About
    events: Any
    friends: Any = None
    pedestal: Pedestal | None = None
    residuals: tuple[NDArray[np.float32], ...] = ()
    shown: Shown | None = None

    def column(self, name: str) -> NDArray[Any]:
        """Return a branch of the events, those of clusters or pixels one after the other."""
        return flat(self.events[name])

    def friend(self, name: str) -> NDArray[Any] | None:
        """Return a branch of the friends in the same way, None where there is none."""
        return (
            flat(self.friends[name])
            if self.friends is not None and name in self.friends.fields
            else None
        )


def flat(values: Any) -> NDArray[Any]:  # noqa: ANN401 - an awkward array
    """Return all values, one after the other."""
    found: NDArray[Any] = ak.to_numpy(ak.flatten(values, axis=None))
    return found


@dataclass(frozen=True)
class Files:
    """The files of a run; friends and raw may be missing."""

    reco: Path
    pedestal: Path
    friends: Path | None = None
    raw: Path | None = None


def nothing(about: About, branches: list[str]) -> RunData:
    """Return no events of a run: what is summed up from parts is told by a plot that takes in
    nothing.
    """
    return RunData(
        about,
        ak.Array({name: np.empty((0, 0)) if "_" in name else np.empty(0) for name in branches}),
    )


class Run:
    """A reconstructed run with its pedestal, and its friends and raw frames where they are given.

    Raises DataError when it has no entries, the friend file is not aligned, the pedestal is of
    another sensor, or the raw file is of another run.
    """

    def __init__(self, files: Files) -> None:
        """Read what the run is, and which event is shown."""
        self.files, self.pedestal = files, read_pedestal(files.pedestal)
        with open_file(files.reco) as file:
            tree = get_tree(file, "Events")
            check_branches(tree, NEEDED)
            keys = tree.arrays(["run", "event", "nSc", "lost"], library="np")
            stored = _stored_shape(get_tree(file, PARAMETERS_TREE))
        self.entries = len(keys["run"])
        if not self.entries:
            message = f"{files.reco} has no entries: there is nothing to judge."
            raise DataError(message)
        self.numbers, self.clusters = keys["event"], keys["nSc"]
        self.lost = frozenset(keys["event"][keys["lost"] > 0].tolist())
        rows, cols = self.pedestal.mean.shape
        if (rows, cols) != stored:
            message = (
                f"{files.pedestal} has {rows} x {cols} pixels, {files.reco} was made of "
                f"{stored[0]} x {stored[1]}."
            )
            raise DataError(message, hint="Take the pedestal of the same camera.")
        self.about = About(int(keys["run"][0]), rows, cols, self.pedestal.run)
        if files.raw is not None:
            self._read_head(files.raw)
        if files.friends is not None:
            check_alignment(files.reco, files.friends)

    def _read_head(self, raw: Path) -> None:
        head = read_head(raw)
        if head.run != self.about.run:
            message = f"{raw} is run {head.run}, {self.files.reco} is run {self.about.run}."
            raise DataError(message)
        start, exposure = head.attributes.get("start"), head.attributes.get("exposure_s")
        exposure_s = float(exposure) if isinstance(exposure, int | float) else 0.0
        self.about = replace(self.about, start=str(start or ""), exposure_s=exposure_s)

    def chunks(
        self, first: int = 0, last: int | None = None, step: str | int = STEP
    ) -> Iterator[RunData]:
        """Yield the entries ``first <= entry < last`` in chunks; one that is empty if there are
        none.
        """
        last = self.entries if last is None else min(last, self.entries)
        first = min(first, last)
        fullest = first + int(np.argmax(self.clusters[first:last])) if first < last else -1
        with open_file(self.files.reco) as file:
            tree = get_tree(file, "Events")
            if first == last:
                yield RunData(
                    self.about, tree.arrays(library="ak", entry_start=first, entry_stop=first)
                )
                return
            frames = self._frames(first, last)
            begin = first
            for events in tree.iterate(
                library="ak", step_size=step, entry_start=first, entry_stop=last
            ):
                yield self._chunk(events, begin, fullest, frames)
                begin += len(events)

    def _chunk(
        self,
        events: Any,  # noqa: ANN401
        begin: int,
        fullest: int,
        frames: Iterator[tuple[int, Frame | None]],
    ) -> RunData:
        end = begin + len(events)
        residuals, shown = [], None
        for entry in range(begin, end):
            is_shown, event = entry == fullest, int(self.numbers[entry])
            frame = next((frame for number, frame in frames if number == event), None)
            if is_shown:
                shown = Shown(events[entry - begin], self._image(events[entry - begin], frame))
            if frame is not None and event % SAMPLED == 0:
                residuals.append(
                    frame[::SHOWN_BLOCK, ::SHOWN_BLOCK]
                    - self.pedestal.mean[::SHOWN_BLOCK, ::SHOWN_BLOCK]
                )
        return RunData(
            self.about,
            events,
            self._friends(begin, end),
            self.pedestal if begin == 0 else None,
            tuple(residuals),
            shown,
        )

    def _frames(self, first: int, last: int) -> Iterator[tuple[int, Frame | None]]:
        """Yield the raw frames of some entries, None for one that the reconstruction, too, could
        not read.
        """
        if self.files.raw is None:
            return
        for number, frame in read_events(
            self.files.raw, int(self.numbers[first]), int(self.numbers[last - 1]) + 1
        ):
            if isinstance(frame, DataError) and number not in self.lost:
                raise frame
            yield number, None if isinstance(frame, DataError) else frame

    def _friends(self, begin: int, end: int) -> Any:  # noqa: ANN401 - an awkward array
        if self.files.friends is None:
            return None
        with open_file(self.files.friends) as file:
            return get_tree(file, "Friends").arrays(library="ak", entry_start=begin, entry_stop=end)

    def _image(self, entry: Any, frame: Frame | None) -> NDArray[np.float64]:  # noqa: ANN401 - an awkward record
        if frame is not None:
            return block_means(frame - self.pedestal.mean, SHOWN_BLOCK)
        image = np.zeros(self.about.shape)
        rows, cols, light = (np.asarray(entry[f"redpix_{part}"]) for part in ("ix", "iy", "iz"))
        image[rows, cols] = light
        return block_means(image, SHOWN_BLOCK)


def _stored_shape(tree: Any) -> tuple[int, int]:  # noqa: ANN401 - uproot has no type hints
    """Return rows and columns of the sensor that a run was reconstructed with."""
    try:
        rows, cols = (
            int(tree[name].array(library="np", entry_stop=1)[0]) for name in ("npixx", "npixy")
        )
    except (LookupError, TypeError, ValueError) as error:
        message = (
            f"tree {tree.name} of {tree.file.file_path} does not say of how many pixels the "
            "sensor is."
        )
        raise DataError(message, hint="Take a file that autoctrl-camera reco wrote.") from error
    return rows, cols


def block_means(image: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return an image averaged over square blocks of ``side`` pixels; what does not fill a block is
    left out.
    """
    rows, cols = (length // side for length in image.shape)
    cut = image[: rows * side, : cols * side].astype(np.float64)
    averaged: NDArray[np.float64] = cut.reshape(rows, side, cols, side).mean(axis=(1, 3))
    return averaged
