"""What the data-quality plots read: a run in chunks, so that its length costs no memory."""

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
# How long the stages of the reconstruction took is not looked at.
NEEDED = tuple(name for name in BRANCHES if not name.startswith("t_"))
ROUND_RATIO, ROUND_LENGTH = 1.4, 80.0


@dataclass(frozen=True)
class About:
    """What a report is about: the run and its start, the sensor, its pedestal, the exposure in s.

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
        """Return what a report is about; raises DataError for one of another detector."""
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
    """The event that is shown: its entry of ``Events``, and its light.

    ``image`` is in counts per pixel, averaged over blocks of 4 x 4 pixels.
    """

    entry: Any
    image: NDArray[np.float64]


@dataclass(frozen=True)
class RunData:
    """Some events of a run: entries of ``Events`` with pixel lists, and of ``Friends`` if any.

    What belongs to the whole run comes once: ``pedestal`` with the first event, ``shown`` with the
    event of most clusters.  ``residuals`` are the raw frames of every fifth event minus the
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
        return flatten(self.events[name])

    def friend(self, name: str) -> NDArray[Any] | None:
        """Return a branch of the friends in the same way, None where there is none."""
        if self.friends is None or name not in self.friends.fields:
            return None
        return flatten(self.friends[name])


def flatten(values: Any) -> NDArray[Any]:  # noqa: ANN401 - an awkward array
    """Return all values, one after the other."""
    found: NDArray[Any] = ak.to_numpy(ak.flatten(values, axis=None))
    return found


def is_round(data: RunData) -> NDArray[np.bool_]:
    """Return which clusters are round spots: as wide as long within 40 %, and short."""
    along, across, length = (
        data.column(f"sc_{name}") for name in ("lfullrms", "tfullrms", "length")
    )
    is_as_wide_as_long = (along < ROUND_RATIO * across) & (across < ROUND_RATIO * along)
    chosen: NDArray[np.bool_] = is_as_wide_as_long & (length < ROUND_LENGTH)
    return chosen


@dataclass(frozen=True)
class RunFiles:
    """The files of a run; friends and raw may be missing."""

    reco: Path
    pedestal: Path
    friends: Path | None = None
    raw: Path | None = None


def make_empty(about: About, branches: list[str]) -> RunData:
    """Return no events of a run: from them a plot says what its sums over parts amount to."""
    empty = {name: np.empty((0, 0)) if "_" in name else np.empty(0) for name in branches}
    return RunData(about, ak.Array(empty))


class Run:
    """A reconstructed run with its pedestal, and its friends and raw frames where they are given.

    Raises DataError when it has no entries, the friend file is not aligned, the pedestal is of
    another sensor, or the raw file is of another run.
    """

    def __init__(self, files: RunFiles) -> None:
        """Read what the run is, and which event is shown."""
        self.files, self.pedestal = files, read_pedestal(files.pedestal)
        with open_file(files.reco) as file:
            tree = get_tree(file, "Events")
            check_branches(tree, NEEDED)
            keys = tree.arrays(["run", "event", "nSc", "lost"], library="np")
            shape = _stored_shape(get_tree(file, PARAMETERS_TREE))
        self.entries = len(keys["run"])
        if not self.entries:
            message = f"{files.reco} has no entries: there is nothing to judge."
            raise DataError(message)
        self._refuse_other_sensor(shape)
        self.numbers, self.clusters = keys["event"], keys["nSc"]
        self.lost = frozenset(keys["event"][keys["lost"] > 0].tolist())
        self.about = About(int(keys["run"][0]), *shape, self.pedestal.run)
        if files.raw is not None:
            self._read_head(files.raw)
        if files.friends is not None:
            check_alignment(files.reco, files.friends)

    def _refuse_other_sensor(self, shape: tuple[int, int]) -> None:
        if self.pedestal.mean.shape != shape:
            here, there = (f"{rows} x {cols}" for rows, cols in (self.pedestal.mean.shape, shape))
            made_of = f"{self.files.reco} was made of {there}"
            message = f"{self.files.pedestal} has {here} pixels, {made_of}."
            raise DataError(message, hint="Take the pedestal of the same camera.")

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
        """Yield the entries ``first <= entry < last`` in chunks; an empty one if there is none."""
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
        events: Any,  # noqa: ANN401 - awkward arrays
        begin: int,
        fullest: int,
        frames: Iterator[tuple[int, Frame | None]],
    ) -> RunData:
        """Return some entries, from ``begin`` on, with what the raw frames tell of them."""
        residuals, shown = [], None
        sampled = (slice(None, None, SHOWN_BLOCK),) * 2
        for entry in range(begin, begin + len(events)):
            event = int(self.numbers[entry])
            frame = next((frame for number, frame in frames if number == event), None)
            if entry == fullest:
                record = events[entry - begin]
                shown = Shown(record, self._image(record, frame))
            if frame is not None and event % SAMPLED == 0:
                residuals.append(frame[sampled] - self.pedestal.mean[sampled])
        return RunData(
            self.about,
            events,
            friends=self._friends(begin, begin + len(events)),
            pedestal=self.pedestal if begin == 0 else None,
            residuals=tuple(residuals),
            shown=shown,
        )

    def _frames(self, first: int, last: int) -> Iterator[tuple[int, Frame | None]]:
        """Yield the raw frames of some entries, None for one that the reconstruction lost, too."""
        if self.files.raw is None:
            return
        begin, end = int(self.numbers[first]), int(self.numbers[last - 1]) + 1
        for number, frame in read_events(self.files.raw, begin, end):
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
        where = f"tree {tree.name} of {tree.file.file_path}"
        message = f"{where} does not say how many pixels the sensor has."
        raise DataError(message, hint="Take a file that autoctrl-camera reco wrote.") from error
    return rows, cols


def block_means(image: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return an image averaged over square blocks; pixels that do not fill a block are left out."""
    rows, cols = (length // side for length in image.shape)
    cut = image[: rows * side, : cols * side].astype(np.float64)
    averaged: NDArray[np.float64] = cut.reshape(rows, side, cols, side).mean(axis=(1, 3))
    return averaged
