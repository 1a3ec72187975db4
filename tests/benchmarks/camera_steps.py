"""Each step of the reconstruction beside the usual way with NumPy, SciPy, scikit-learn, gzip and
uproot, on one core.

``python -m tests.benchmarks.camera_steps FOLDER ROUNDS`` prints JSON. Every time is divided by that
of a median filter, measured before and after it: ``scipy.ndimage.median_filter(frame, size=2)`` of
2304 x 2304 doubles.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import uproot
from scipy import ndimage
from scipy.optimize import curve_fit

from autoctrl.science.camera import events, kernel
from autoctrl.science.camera.parameters import Parameters
from autoctrl.science.camera.pedestal import read_pedestal
from autoctrl.science.camera.raw.frames import read_frames
from autoctrl.science.camera.reco import Reconstruction, group_cells, reconstruct_run
from autoctrl.science.camera.simulation.light import Content
from autoctrl.science.camera.simulation.sensor import Sensor
from autoctrl.science.rootio import TreeWriter, new_file
from tests.benchmarks.camera_data import EVENTS, PEDESTAL, RUN, raw_run
from tests.oracles.camera.clustering import cluster
from tests.oracles.camera.frame import average_cells, preprocess
from tests.oracles.camera.pixels import collect_pixels
from tests.oracles.camera.profiles import make_profile, profile_edges
from tests.oracles.camera.variables import (
    NEED_ACROSS,
    NEED_ALONG,
    measure_cluster,
    principal_axes,
    rotate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parents[1] / ".cache" / "bench-venv" / "bin" / "python"
NOTHING = {"spots": 0, "alphas": 0, "muons": 0, "electrons": 0}
CONTENTS = {
    "noise only": {},
    "1 spot": {"spots": 1},
    "5 spots": {"spots": 5},
    "20 spots": {"spots": 20},
    "50 spots": {"spots": 50},
    "1 alpha": {"alphas": 1},
    "5 alphas": {"alphas": 5},
    "1 muon": {"muons": 1},
    "3 muons": {"muons": 3},
    "6 spots, alpha, muon, 2 electrons": {"spots": 6, "alphas": 1, "muons": 1, "electrons": 2},
}
FRAMES_EACH = 3
LEAST_S = 0.05


class Times(dict[str, list[tuple[float, float, float]]]):
    """By row: wall time and processor time in units of the filter's next to it, and seconds of wall
    time.
    """

    @cached_property
    def frame(self) -> Any:
        """What the filter is given: noise."""
        return np.random.default_rng(1).normal(0.0, 1.6, (2304, 2304))

    def unit(self) -> tuple[float, float]:
        """Return wall and processor time of one median filter."""
        return timed(lambda: ndimage.median_filter(self.frame, size=2))

    def take(self, name: str, call: Callable[[], object], share: float = 1.0) -> None:
        """Measure a call between two filters; it does ``1 / share`` times what the row says."""
        before, (wall_s, cpu_s), after = self.unit(), repeated(call), self.unit()
        unit_wall, unit_cpu = (fmean(pair) for pair in zip(before, after, strict=True))
        self.add(name, (wall_s * share / unit_wall, cpu_s * share / unit_cpu, wall_s * share))
        self.add("unit", (1.0, 1.0, unit_wall))

    def add(self, name: str, found: tuple[float, float, float]) -> None:
        """Keep one measurement."""
        self.setdefault(name, []).append(found)

    def medians(self) -> dict[str, dict[str, float]]:
        """Return the median of each number over the rounds, and the least and largest ratio."""
        return {
            name: {
                "ratio": round(median(wall for wall, _, _ in found), 5),
                "cpu_ratio": round(median(cpu for _, cpu, _ in found), 5),
                "wall_s": round(median(seconds for _, _, seconds in found), 6),
                "least": round(min(cpu for _, cpu, _ in found), 5),
                "largest": round(max(cpu for _, cpu, _ in found), 5),
            }
            for name, found in self.items()
        }


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor time of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def repeated(call: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor time of a call, the mean of several if it is short."""
    first = timed(call)
    times = max(0, min(50, int(LEAST_S / max(first[0], 1e-6))))
    if not times:
        return first
    wall_s, cpu_s = timed(lambda: [call() for _ in range(times)])
    return wall_s / times, cpu_s / times


class Bench:
    """One event's data at each step, and the steps themselves, ours and the usual way."""

    def __init__(self, folder: Path) -> None:
        """Read the pedestal and the first frame of the run in ``folder``."""
        self.folder, self.raw = folder, folder / raw_run()
        self.pedestal, self.parameters = read_pedestal(folder / PEDESTAL), Parameters()
        self.frames = [frame for _, frame in read_frames(self.raw)]
        self.job = Reconstruction(RUN, self.pedestal)
        self.results = [
            self.job.reconstruct(number, frame) for number, frame in enumerate(self.frames)
        ]

    @cached_property
    def seeds(self) -> tuple[Any, Any]:
        """Cells and weights of the first frame."""
        images = kernel.coarse_images(self.frames[0], self.pedestal, self.parameters)
        kernel.reduce_noise(images.edge, self.parameters.min_neighbors_average)
        return kernel.find_seeds(images.edge, images.light)

    @cached_property
    def images(self) -> Any:
        """The first frame's images of the NumPy reference, which takes its time."""
        return preprocess(self.frames[0], self.pedestal, self.parameters)

    @cached_property
    def pieces(self) -> list[Any]:
        """The cells of each cluster of the first frame."""
        cells, offsets, _ = group_cells(self.seeds[0], self.clusters()[0])
        return [cells[begin:end] for begin, end in pairwise(offsets)]

    @cached_property
    def profiles(self) -> list[tuple[Any, Any, Any]]:
        """What Gaussians are fitted to in the first frame: centres, contents and errors, two for
        each cluster.
        """
        found = []
        for piece in self.pieces:
            pixels = collect_pixels(piece, self.images, 4, None)
            for place, need in zip(
                rotate(pixels, principal_axes(piece)[1]), (NEED_ALONG, NEED_ACROSS), strict=True
            ):
                profile = make_profile(
                    place - place.min(), pixels.light, profile_edges(place, need)
                )
                kept = profile.errors > 0
                found.append(
                    (
                        profile.centres[kept],
                        profile.contents[kept].astype(float),
                        profile.errors[kept],
                    )
                )
        return found

    def clusters(self, **changes: float) -> tuple[Any, Any]:
        """Return the labels of the first frame's seeds, and where each cluster's cells begin and
        end.
        """
        parameters = Parameters(**changes)  # type: ignore[arg-type]
        return kernel.cluster(*self.seeds, (576, 576), parameters, 1)

    def whole(self) -> None:
        """Do what the command does, from the raw file to the tree."""
        pedestal = read_pedestal(self.folder / PEDESTAL)
        reconstruct_run(self.raw, pedestal, self.folder / "whole.root", (0, EVENTS), "bench")

    def steps(
        self,
    ) -> Iterator[tuple[str, Callable[[], object], Callable[[], object] | None, float]]:
        """Yield name, ours, the usual way, and the share of an event that a call does (1 /
        events).
        """
        frame, pedestal, parameters = self.frames[0], self.pedestal, self.parameters
        images = kernel.coarse_images(frame, pedestal, parameters)
        cells, offsets, _ = group_cells(self.seeds[0], self.clusters()[0])
        yield (
            "unpacking",
            lambda: sum(1 for _ in read_frames(self.raw)),
            partial(unpack_plain, self.raw),
            1 / EVENTS,
        )
        yield (
            "frame to coarse images",
            lambda: kernel.coarse_images(frame, pedestal, parameters),
            lambda: plain_images(frame, pedestal),
            1.0,
        )
        yield "noise and seeds", lambda: our_seeds(images), lambda: plain_seeds(images), 1.0
        yield "clustering along tracks", self.clusters, None, 1.0
        yield (
            "variables with fits",
            lambda: kernel.measure(frame, pedestal, cells, offsets, parameters, vignetting=None),
            lambda: [
                measure_cluster(collect_pixels(piece, self.images, 4, None))
                for piece in self.pieces
            ],
            1.0,
        )
        yield "writing the tree", self.write, self.write_plain, 1 / EVENTS

    def write(self) -> None:
        """Write the results of all events as the reconstruction does."""
        with new_file(self.folder / "written.root") as file:
            TreeWriter(file, events.TREE, events.LAYOUT).append(events.to_columns(self.results))

    def write_plain(self) -> None:
        """Write the same values from lists, as uproot's documentation shows."""
        columns: dict[str, Any] = {
            name: [each.values[name] for each in self.results] for name in events.LAYOUT.scalars
        }
        lists = {
            name: [each.clusters[:, n].tolist() for each in self.results]
            for n, name in enumerate(events.CLUSTER)
        }
        columns["sc"] = ak.zip({name: ak.Array(values) for name, values in lists.items()})
        parts = {"ix": "rows", "iy": "cols", "iz": "light"}
        listed = {
            name: ak.Array([getattr(r, part).tolist() for r in self.results])
            for name, part in parts.items()
        }
        with uproot.recreate(self.folder / "plain.root") as file:
            file["Events"] = columns | {"redpix": ak.zip(listed)}

    def compare_dbscan(self, times: Times) -> bool:
        """Measure clustering by density alone beside scikit-learn's; return whether both find the
        same clusters.
        """
        np.savez(self.folder / "seeds.npz", cells=self.seeds[0], weights=self.seeds[1])
        times.take("clustering by density", partial(self.clusters, dir_minsamples=1e9))
        before = times.unit()
        command = [
            str(PEERS_PYTHON),
            str(HERE / "peers" / "dbscan.py"),
            str(self.folder / "seeds.npz"),
            "3",
        ]
        answer = json.loads(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout
        )
        after = times.unit()
        wall_s, cpu_s = median(answer["wall_s"]), median(answer["cpu_s"])
        unit_wall, unit_cpu = (fmean(pair) for pair in zip(before, after, strict=True))
        times.add(
            "clustering by density, usual way", (wall_s / unit_wall, cpu_s / unit_cpu, wall_s)
        )
        ours, _ = self.clusters(dir_minsamples=1e9)
        pairs = set(zip(ours.tolist(), answer["labels"], strict=True))
        return (
            len(pairs) == len({label for label, _ in pairs}) == len({label for _, label in pairs})
        )


def unpack_plain(raw: Path) -> int:
    """Unpack a raw run with the standard library."""
    with gzip.open(raw) as stream:
        return sum(len(piece) for piece in iter(lambda: stream.read(1 << 20), b""))


def plain_images(frame: Any, pedestal: Any) -> tuple[Any, Any]:
    """Return both coarse images with NumPy and SciPy's median filter."""
    subtracted = np.where(frame < 5000, frame, 0) - pedestal.mean.astype(float)
    light = np.where(subtracted > 0.6 * pedestal.rms.astype(float), subtracted, 0.0)
    light[:304], light[2054:] = 0.0, 0.0
    return average_cells(light, 4), average_cells(ndimage.median_filter(light, size=2), 4)


def our_seeds(images: Any) -> object:
    """Reduce the noise of a copy and find the seeds."""
    edge = images.edge.copy()
    kernel.reduce_noise(edge, 1.2)
    return kernel.find_seeds(edge, images.light)


def plain_seeds(images: Any) -> object:
    """Do nearly the same from the old image only, as can be done with SciPy's filters."""
    ring = np.ones((3, 3))
    neighbours = ndimage.convolve((images.edge != 0).astype(float), ring)
    ring[1, 1] = 0
    mean = ndimage.convolve(images.edge, ring / 8)
    edge = np.where(np.abs(images.edge - mean) > 10, mean, images.edge)
    edge[(mean < 1.2) | (neighbours < 3)] = 0
    cells = np.argwhere(np.rint(edge) != 0)
    return cells, np.maximum(1, images.light[tuple(cells.T)].astype(int))


def fit_plain(x: Any, y: Any, errors: Any) -> object:
    """Fit a Gaussian with SciPy's ``curve_fit``; where it gives up, so be it."""
    middle = float((x * y).sum() / y.sum())
    spread = float(np.sqrt(abs((y * (x - middle) ** 2).sum() / y.sum()))) or 1.0
    try:
        return curve_fit(gaussian, x, y, (float(y.max()), middle, spread), errors)
    except RuntimeError:
        return None


def gaussian(x: Any, amplitude: float, mean: float, sigma: float) -> Any:
    """Return a Gaussian."""
    return amplitude * np.exp(-((x - mean) ** 2) / (2 * sigma**2))


def drawn(content: Mapping[str, int]) -> list[Any]:
    """Return some frames with so many objects."""
    sensor = Sensor()
    return [
        sensor.draw_event((1, event), (2, event), Content(**{**NOTHING, **content}))[0]
        for event in range(FRAMES_EACH)
    ]


def measure_round(bench: Bench, times: Times, frames: Mapping[str, list[Any]]) -> None:
    """Measure everything once."""
    times.take("whole", bench.whole, 1 / EVENTS)
    for name, ours, usual, share in bench.steps():
        times.take(name, ours, share)
        if usual:
            times.take(f"{name}, usual way", usual, share)
    times.take(
        "the fits alone, usual way", lambda: [fit_plain(*profile) for profile in bench.profiles]
    )
    for name, several in frames.items():
        times.take(name, partial(reconstruct_all, bench.job, several), 1 / FRAMES_EACH)


def reconstruct_all(job: Reconstruction, frames: list[Any]) -> list[Any]:
    """Reconstruct frames that are in memory."""
    return [job.reconstruct(number, frame) for number, frame in enumerate(frames)]


def main() -> None:
    """Measure everything so many rounds, on one core, and print the medians."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    bench, times = Bench(folder), Times()
    assert bench.profiles  # made now, not while something is measured
    frames = {name: drawn(content) for name, content in CONTENTS.items()}
    same = True
    for _ in range(rounds):
        measure_round(bench, times, frames)
        same &= bench.compare_dbscan(times)
    times.take(
        "clustering along tracks, usual way", lambda: cluster(*bench.seeds, bench.parameters, 1)
    )
    found = {name: reconstruct_all(bench.job, several) for name, several in frames.items()}
    sizes = {
        name: {
            "seeds": fmean(result.values["lp_len"] for result in several),
            "pixels": fmean(float(result.clusters[:, 0].sum()) for result in several),
        }
        for name, several in found.items()
    }
    print(
        json.dumps(
            {"rounds": rounds, "rows": times.medians(), "contents": sizes, "same_clusters": same}
        )
    )


if __name__ == "__main__":
    main()
