"""Reconstruction: raw frames of a run, with a pedestal, into the tree ``Events``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.camera import events
from autoctrl.camera.clustering import split_clusters
from autoctrl.camera.events import EventResult, PixelList
from autoctrl.camera.frames import read_frames
from autoctrl.camera.parameters import Geometry, Parameters, stored_parameters
from autoctrl.camera.pixels import collect_pixels
from autoctrl.camera.preprocess import Clock, Images, Pedestal, is_spark, preprocess
from autoctrl.camera.rawfile import read_head
from autoctrl.camera.variables import measure_cluster
from autoctrl.errors import DataError
from autoctrl.rootio import Layout, TreeWriter, new_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from autoctrl.camera.pixels import Pixels, Vignetting

CHUNK_EVENTS = 10
MAX_LISTED = 1_000_000


@dataclass
class Reconstruction:
    """What stays the same for all frames of a run."""

    run: int
    pedestal: Pedestal
    parameters: Parameters = field(default_factory=Parameters)
    vignetting: Vignetting = None

    def reconstruct(self, event: int, frame: NDArray[np.uint16]) -> EventResult:
        """Return the clusters of one frame, brightest first; a discharge gives an entry without clusters."""
        if frame.shape != self.pedestal.mean.shape:
            message = (
                f"run {self.run} event {event} is {frame.shape[0]} pixels wide, "
                f"the pedestal of run {self.pedestal.run} {len(self.pedestal.mean)}."
            )
            raise DataError(message, hint="Take the pedestal of the same camera.")
        geometry = Geometry(len(frame))
        values: dict[str, float] = dict.fromkeys(events.LAYOUT.scalars, 0.0)
        values |= {"run": self.run, "event": event, "pedestal_run": self.pedestal.run}
        if is_spark(frame, geometry):
            return EventResult(values | {"spark": 1})
        clock = Clock()
        images = preprocess(frame, self.pedestal, self.parameters, geometry, clock)
        values |= camera_values(images)
        result = EventResult(values)
        self._add_clusters(result, images, clock)
        values |= {f"t_{stage}": seconds for stage, seconds in clock.seconds.items()}
        return result

    def _add_clusters(self, result: EventResult, images: Images, clock: Clock) -> None:
        with clock.measure("DBSCAN"):
            clusters = split_clusters(images.seeds, self.parameters)
        with clock.measure("variables"):
            measured = []
            for cells in clusters:
                pixels = collect_pixels(cells, images, self.parameters.rebin, self.vignetting)
                measured.append((measure_cluster(pixels), pixels))
            measured.sort(key=lambda pair: -pair[0]["integral"])
            for variables, pixels in measured:
                variables["redpixIdx"] = list_pixels(result.pixels, variables, pixels, self.parameters)
                result.clusters.append(variables)


def camera_values(images: Images) -> dict[str, float]:
    """Return sum, mean and standard deviation of the suppressed image, and the number of seeds."""
    image = images.suppressed
    return {
        "cmos_integral": float(image.sum()),
        "cmos_mean": float(image.mean()),
        "cmos_rms": float(image.std()),
        "lp_len": len(images.seeds.cells),
    }


def list_pixels(target: PixelList, variables: dict[str, float], pixels: Pixels, parameters: Parameters) -> int:
    """Append a cluster's pixels to the event's list and return the index of the first, or -1 for a faint cluster.

    Of a cluster without active pixels, or of a huge one, only the middle pixel is kept.
    """
    is_listed = variables["integral"] > parameters.redpix_min_integral
    if not is_listed or variables["length"] >= parameters.redpix_max_length:
        return -1
    kept = slice(None)
    if not pixels.active or len(pixels.rows) >= MAX_LISTED:
        middle = len(pixels.rows) // 2
        kept = slice(middle, middle + 1)
    return target.append(pixels.rows[kept], pixels.cols[kept], pixels.light[kept])


@dataclass(frozen=True)
class Counts:
    """What a reconstruction wrote, for the log and the custom fields."""

    events: int
    sparks: int
    clusters: int
    seconds: float


def reconstruct_run(
    raw: Path,
    pedestal: Pedestal,
    output: Path,
    chosen: tuple[int, int | None],
    version: str,
    **settings: Any,  # noqa: ANN401
) -> Counts:
    """Reconstruct the events ``first <= event < last`` of a raw run into a file that appears when it is complete.

    ``settings`` are further fields of Reconstruction.  Raises DataError for damaged input and for missing events.
    """
    begin = time.perf_counter()
    job = Reconstruction(read_head(raw).run, pedestal, **settings)
    first, last = chosen
    entries = sparks = clusters = 0
    with new_file(output) as file:
        writer = TreeWriter(file, events.TREE, events.LAYOUT)
        for results in _in_chunks(job, raw, first, last):
            writer.append(events.to_columns(results))
            entries += len(results)
            sparks += sum(result.values["spark"] == 1 for result in results)
            clusters += sum(len(result.clusters) for result in results)
        if last is not None and entries != last - first:
            message = f"{entries} entries were written for the events {first}:{last} of {raw}."
            raise DataError(message)
        write_parameters(file, job)
        seconds = time.perf_counter() - begin
        file["gitHash"] = version
        file["total_time"] = f"{seconds:.3f}"
    return Counts(entries, sparks, clusters, seconds)


def _in_chunks(job: Reconstruction, raw: Path, first: int, last: int | None) -> Iterator[list[EventResult]]:
    """Yield the results of some events at a time, so that memory stays bounded."""
    chunk: list[EventResult] = []
    for event, frame in read_frames(raw, first, last):
        chunk.append(job.reconstruct(event, frame))
        if len(chunk) == CHUNK_EVENTS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def write_parameters(file: Any, job: Reconstruction) -> None:  # noqa: ANN401 - uproot has no type hints
    """Write parameters and geometry as the one entry of ``Reco_params``."""
    stored = stored_parameters(job.parameters, Geometry(len(job.pedestal.mean)))
    layout = Layout({name: "int32" if isinstance(value, int) else "float32" for name, value in stored.items()})
    writer = TreeWriter(file, events.PARAMETERS_TREE, layout)
    writer.append({name: np.array([value]) for name, value in stored.items()})
