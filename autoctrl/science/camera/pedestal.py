"""Pedestal maps: mean and noise of every pixel over light-free frames, exact in one pass."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.camera.histograms import make_histogram, read_image
from autoctrl.science.camera.kernel import frame_sum
from autoctrl.science.camera.parameters import Geometry, Pedestal
from autoctrl.science.camera.raw.frames import read_frames
from autoctrl.science.camera.raw.rawfile import read_head
from autoctrl.science.quality.report_schema import TEXT, WHOLE_NUMBER, Rule, check, is_object
from autoctrl.science.rootio import Layout, TreeWriter, new_file, open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DEFAULT_FRAMES = 100
MIN_FRAMES = 2
NOISY_FACTOR = 3
MEAN_MAP, RMS_MAP, METADATA, TREE = "pedmap", "pedmapsigma", "metadata", "Pedestal"
KIND = "a pedestal file"
STORED = Rule("an object", is_object, {"run": WHOLE_NUMBER, "checksum": TEXT})
COUNTS = ("run", "frames", "vetoed")
NUMBERS = ("mean", "mean_spread", "rms", "rms_spread", "noisy_fraction")
LAYOUT = Layout(dict.fromkeys(COUNTS, "int32") | dict.fromkeys(NUMBERS, "float64"))


class Sums:
    """Sum and sum of squares of every pixel, in 64-bit integers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Start with no frame."""
        self.frames = 0
        self._sum = np.zeros(shape, dtype=np.uint64)
        self._squares = np.zeros(shape, dtype=np.uint64)

    def add(self, frame: NDArray[np.uint16]) -> None:
        """Take in one frame; squares of 16-bit values are formed in 32 bits, where they fit."""
        wide = frame.astype(np.uint32)
        self._sum += wide
        wide *= wide
        self._squares += wide
        self.frames += 1

    def maps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and sample standard deviation; raises DataError with fewer than 2 frames."""
        n = self.frames
        if n < MIN_FRAMES:
            message = f"a pedestal needs at least {MIN_FRAMES} frames, there are {n}."
            raise DataError(message)
        mean = self._sum / np.float64(n)
        scaled = np.uint64(n) * self._squares - self._sum * self._sum
        return mean.astype(np.float32), np.sqrt(scaled / np.float64(n * (n - 1))).astype(np.float32)


@dataclass
class PedestalRun:
    """The maps of one pedestal run, and which frames were used and which were discharges."""

    pedestal: Pedestal
    used: list[int] = field(default_factory=list)
    vetoed: list[int] = field(default_factory=list)

    def numbers(self) -> dict[str, float]:
        """Return means and spreads of both maps, and the fraction of noisy pixels."""
        mean = self.pedestal.mean.astype(np.float64)
        rms = self.pedestal.rms.astype(np.float64)
        return {
            "run": self.pedestal.run,
            "frames": len(self.used),
            "vetoed": len(self.vetoed),
            "mean": float(mean.mean()),
            "mean_spread": float(mean.std()),
            "rms": float(rms.mean()),
            "rms_spread": float(rms.std()),
            "noisy_fraction": float(np.mean(rms > NOISY_FACTOR * np.median(rms))),
        }


def make_pedestal(raw: Path, frames: int = DEFAULT_FRAMES) -> PedestalRun:
    """Compute the maps from the first ``frames`` frames of a run, discharges left out and counted.

    Raises DataError for a corrupt file and for fewer than 2 usable frames.
    """
    head = read_head(raw)
    sums: Sums | None = None
    run = PedestalRun(
        Pedestal(np.empty((0, 0), np.float32), np.empty((0, 0), np.float32), head.run)
    )
    for number, frame in read_frames(raw):
        if number >= frames:
            break
        if frame_sum(frame) > Geometry(*frame.shape).veto_sum:
            run.vetoed.append(number)
            continue
        sums = sums or Sums(frame.shape)
        sums.add(frame)
        run.used.append(number)
    if sums is None or sums.frames < MIN_FRAMES:
        frames_there = f"{len(run.used)} usable frames ({len(run.vetoed)} vetoed)"
        message = f"{raw} has {frames_there}; a pedestal needs {MIN_FRAMES}."
        raise DataError(message)
    run.pedestal.mean, run.pedestal.rms = sums.maps()
    return run


def map_digest(pedestal: Pedestal) -> str:
    """Return the SHA-256 of both maps, mean first, as float32 in the working orientation."""
    digest = hashlib.sha256(np.ascontiguousarray(pedestal.mean).data)
    digest.update(np.ascontiguousarray(pedestal.rms).data)
    return f"sha256:{digest.hexdigest()}"


def write_pedestal(run: PedestalRun, output: Path, version: str) -> None:
    """Write both maps as TH2F, the quality numbers as a tree, how it was made as text."""
    metadata = {
        "schema": 1,
        "run": run.pedestal.run,
        "frames": run.used,
        "vetoed": run.vetoed,
        "size": list(run.pedestal.mean.shape),
        "orientation": "working frame W[row, column] = bin content at x = column, y = row",
        "version": version,
        "checksum": map_digest(run.pedestal),
    }
    numbers = run.numbers()
    with new_file(output) as file:
        file[MEAN_MAP] = make_histogram(run.pedestal.mean, "pedestal mean;column;row")
        file[RMS_MAP] = make_histogram(run.pedestal.rms, "pedestal rms;column;row")
        file[METADATA] = json.dumps(metadata)
        TreeWriter(file, TREE, LAYOUT).append({name: [numbers[name]] for name in LAYOUT.scalars})


def read_pedestal(path: Path) -> Pedestal:
    """Read maps that ``write_pedestal`` wrote; raises DataError if damaged or missing."""
    with open_file(path, object_cache=None, array_cache=None) as file:
        missing = {MEAN_MAP, RMS_MAP, METADATA} - set(file.keys(cycle=False))
        if missing:
            message = f"{path} is not a pedestal file: {', '.join(sorted(missing))} missing."
            raise DataError(message)
        run, checksum = _read_metadata(path, str(file[METADATA]))
        for name in (MEAN_MAP, RMS_MAP):
            kind = file.classname_of(name)
            if not kind.startswith("TH2"):
                message = f"{path} is not a pedestal file: {name} is not a map but a {kind}."
                raise DataError(message)
        maps = [np.ascontiguousarray(read_image(file, name)) for name in (MEAN_MAP, RMS_MAP)]
    pedestal = Pedestal(maps[0], maps[1], run)
    if map_digest(pedestal) != checksum:
        message = f"the maps in {path} do not have the checksum that was stored with them."
        raise DataError(message, hint="Make the pedestal of that run again.")
    return pedestal


def _read_metadata(path: Path, text: str) -> tuple[int, str]:
    """Return the run of a pedestal and the checksum of its maps."""
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{path} is not a pedestal file: its {METADATA} is not JSON ({error})."
        raise DataError(message) from error
    check(path, METADATA, metadata, STORED, KIND)
    return metadata["run"], metadata["checksum"]
