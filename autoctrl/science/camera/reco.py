"""Reconstruction: raw frames of a run, with a pedestal, into the tree ``Events``."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autoctrl.errors import DataError
from autoctrl.science.camera import events, kernel
from autoctrl.science.camera.events import CLUSTER, EventResult
from autoctrl.science.camera.parameters import Parameters, Pedestal, stored_parameters
from autoctrl.science.camera.raw.frames import read_events
from autoctrl.science.camera.raw.rawfile import read_head
from autoctrl.science.camera.tolerance import Losses
from autoctrl.science.rootio import Layout, TreeWriter, new_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from autoctrl.science.camera.kernel import Coarse, Measured

    Frame = NDArray[np.uint16]

CHUNK_EVENTS = 10
MAX_LISTED = 1_000_000
NOT_LISTED = -1.0
# What is not computed has a constant of the published program.
CONSTANTS = {"energy": -1.0, "pathlength": -1.0, "pearson": 999.0}


@dataclass
class Reconstruction:
    """What stays the same for all frames of a run.

    ``vignetting`` is a factor by block of pixels, None for 1.
    """

    run: int
    pedestal: Pedestal
    parameters: Parameters = field(default_factory=Parameters)
    vignetting: NDArray[np.float64] | None = None

    def reconstruct(self, event: int, frame: Frame | None) -> EventResult:
        """Return the clusters of one frame, brightest first.

        A discharge, and a frame that is lost (None), gives an entry without any.  The same
        frame gives the same result in any job and any thread. Raises ``DataError`` for a
        frame of another sensor than the pedestal's.
        """
        values: dict[str, float] = dict.fromkeys(events.LAYOUT.scalars, 0.0)
        values |= {"run": self.run, "event": event, "pedestal_run": self.pedestal.run}
        if frame is None:
            return EventResult(values | {"lost": 1})
        if frame.shape != self.pedestal.mean.shape:
            here, there = (
                f"{rows} x {cols}" for rows, cols in (frame.shape, self.pedestal.mean.shape)
            )
            pedestal = f"the pedestal of run {self.pedestal.run} {there}"
            message = f"run {self.run} event {event} has {here} pixels, {pedestal}."
            raise DataError(message, hint="Take the pedestal of the same camera.")
        if kernel.frame_sum(frame) > self.pedestal.geometry.veto_sum:
            return EventResult(values | {"spark": 1})
        return self._reconstruct(values, frame)

    def _reconstruct(self, values: dict[str, float], frame: Frame) -> EventResult:
        watch = Stopwatch()
        images = kernel.coarse_images(frame, self.pedestal, self.parameters)
        watch.lap("t_pedsub")
        kernel.reduce_noise(images.edge, self.parameters.min_neighbors_average)
        cells, weights = kernel.find_seeds(images.edge, images.light)
        watch.lap("t_noisered")
        seed = self._seed_of(int(values["event"]))
        shape = images.edge.shape
        labels, tracks = kernel.cluster(cells, weights, shape, self.parameters, seed)
        grouped = group_cells(cells, labels)
        watch.lap("t_DBSCAN")
        measured = self._measure(frame, grouped)
        result = list_clusters(values, measured, grouped.labels < tracks, self.parameters)
        values |= _describe_frame(images, frame.size) | {"lp_len": len(cells)}
        watch.lap("t_variables")
        values |= watch.laps
        return result

    def _measure(self, frame: Frame, grouped: GroupedCells) -> Measured:
        return kernel.measure(
            frame,
            self.pedestal,
            grouped.cells,
            grouped.offsets,
            self.parameters,
            vignetting=self.vignetting,
        )

    def _seed_of(self, event: int) -> int:
        """Return where the random trials of an event begin, whatever job or thread works on it."""
        sequence = np.random.SeedSequence([self.run, event])
        return int(sequence.generate_state(1, np.uint64)[0])


class Stopwatch:
    """Takes the times of one stage after the other, in seconds."""

    def __init__(self) -> None:
        """Start."""
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Note how long it took since the last lap."""
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now


def _describe_frame(images: Coarse, pixels: int) -> dict[str, float]:
    """Return sum, mean and spread of a frame's suppressed pixels."""
    mean = images.sum / pixels
    variance = max(0.0, images.squares / pixels - mean * mean)
    return {"cmos_integral": images.sum, "cmos_mean": mean, "cmos_rms": variance**0.5}


class GroupedCells(NamedTuple):
    """The cells of all clusters, one after the other.

    ``offsets`` say where each cluster begins and ends, ``labels`` which it is.
    """

    cells: NDArray[np.int64]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int64]


def group_cells(cells: NDArray[np.int64], labels: NDArray[np.int64]) -> GroupedCells:
    """Return the cells of all clusters by label; a single cell is not a cluster."""
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels[labels >= 0])
    kept = np.flatnonzero(counts > 1)
    chosen = order[np.isin(labels[order], kept)]
    offsets = np.concatenate([[0], np.cumsum(counts[kept])])
    return GroupedCells(cells[chosen], offsets, kept)


def list_clusters(
    values: dict[str, float],
    measured: Measured,
    directional: NDArray[np.bool_],
    parameters: Parameters,
) -> EventResult:
    """Return clusters brightest first, and the pixels of those that are bright enough."""
    columns = _columns_of(measured, directional)
    order = np.argsort(-columns["integral"], kind="stable")
    is_listed = columns["integral"] > parameters.redpix_min_integral
    is_listed &= columns["length"] < parameters.redpix_max_length
    pixels = _choose_pixels(columns, order[is_listed[order]])
    result = EventResult(values, np.stack([columns[name][order] for name in CLUSTER], axis=1))
    if pixels:
        result.rows = np.concatenate([measured.rows[piece] for piece in pixels])
        result.cols = np.concatenate([measured.cols[piece] for piece in pixels])
        light = np.concatenate([measured.light[piece] for piece in pixels])
        result.light = (np.rint(10 * light) / 10).astype(np.float32)
    return result


def _columns_of(
    measured: Measured, directional: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Return the variables of clusters by name, those included that are not computed."""
    count = len(directional)
    columns = dict(zip(measured.names, measured.values.T, strict=True))
    columns |= {name: np.full(count, value) for name, value in CONSTANTS.items()}
    columns["redpixIdx"] = np.full(count, NOT_LISTED)
    columns["directional"] = directional.astype(np.float64)
    return columns


def _choose_pixels(
    columns: dict[str, NDArray[np.float64]], order: NDArray[np.int64]
) -> list[slice]:
    """Return which measured pixels are listed, and note in ``redpixIdx`` where each cluster's are.

    Of a cluster without active pixels, or of a huge one, only the middle pixel is listed.
    """
    ends = np.cumsum(columns["size"]).astype(np.int64)
    pieces, count = [], 0
    for number in order:
        size = int(columns["size"][number])
        first = ends[number] - size
        piece = slice(first, ends[number])
        if not columns["nhits"][number] or size >= MAX_LISTED:
            middle = first + size // 2
            piece = slice(middle, middle + 1)
        columns["redpixIdx"][number] = count
        count += piece.stop - piece.start
        pieces.append(piece)
    return pieces


@dataclass
class Counts:
    """What a reconstruction wrote, for the log and the custom fields.

    Lost events and sparks are among the events.
    """

    events: int = 0
    sparks: int = 0
    lost_events: int = 0
    clusters: int = 0
    seconds: float = 0.0

    def add(self, results: Iterable[EventResult]) -> None:
        """Count the results of some events."""
        for result in results:
            self.events += 1
            self.sparks += result.values["spark"] == 1
            self.lost_events += result.values["lost"] == 1
            self.clusters += len(result.clusters)


def reconstruct_run(
    raw: Path,
    pedestal: Pedestal,
    output: Path,
    chosen: tuple[int, int | None],
    version: str,
    *,
    threads: int = 1,
    tolerate: int = 0,
    **settings: Any,  # noqa: ANN401 - as Reconstruction declares them
) -> Counts:
    """Reconstruct the events ``first <= event < last`` of a raw run into a file.

    The file appears when it is complete.  ``threads`` events are worked at side by side; the file
    does not depend on how many.  ``tolerate`` events may be lost, and have an entry without
    clusters.  ``settings`` are further fields of Reconstruction.

    Raises DataError for damaged input and for missing events; the entries before are kept under
    ``partial_path``.
    """
    begin = time.perf_counter()
    job = Reconstruction(read_head(raw).run, pedestal, **settings)
    losses = Losses(tolerate)
    counts = Counts()
    partial = partial_path(output)
    frames = losses.passing(read_events(raw, *chosen))
    with new_file(partial) as file:
        _write_events(file, in_threads(job, frames, threads), counts)
        if losses.problem and counts.events == losses.lost:
            raise losses.problem
        write_parameters(file, job)
        counts.seconds = round(time.perf_counter() - begin, 3)
        file["gitHash"], file["total_time"] = version, f"{counts.seconds:.3f}"
    _refuse_incomplete(raw, partial, chosen, counts, losses)
    partial.replace(output)
    return counts


def _write_events(file: Any, results: Iterable[EventResult], counts: Counts) -> None:  # noqa: ANN401 - uproot has no type hints
    """Write the tree ``Events``, chunk by chunk, and count."""
    writer = TreeWriter(file, events.TREE, events.LAYOUT)
    for chunk in in_chunks(results):
        writer.append(events.to_columns(chunk))
        counts.add(chunk)


def _refuse_incomplete(
    raw: Path, partial: Path, chosen: tuple[int, int | None], counts: Counts, losses: Losses
) -> None:
    """Raise DataError for a file that does not have every event that was asked for."""
    if losses.problem:
        good = counts.events - counts.lost_events
        kept = f"{good} good events are kept in {partial.name}"
        message = f"{kept}, then: {losses.problem.message}"
        raise DataError(message, hint=losses.problem.hint) from losses.problem
    first, last = chosen
    if last is not None and counts.events != last - first:
        message = f"{counts.events} entries were written for the events {first}:{last} of {raw}."
        raise DataError(message)


def partial_path(output: Path) -> Path:
    """Return where a run's entries are kept if it could not be reconstructed to its end."""
    return output.with_suffix(f".partial{output.suffix}")


def in_threads(
    job: Reconstruction, frames: Iterable[tuple[int, Frame | None]], threads: int
) -> Iterator[EventResult]:
    """Yield the results of frames in order, holding one frame more than there are threads."""
    if threads == 1:
        yield from (job.reconstruct(event, frame) for event, frame in frames)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[EventResult]] = deque()
        for event, frame in frames:
            waiting.append(pool.submit(job.reconstruct, event, frame))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def in_chunks(results: Iterable[EventResult]) -> Iterator[list[EventResult]]:
    """Yield some results at a time, so that memory stays bounded."""
    chunk: list[EventResult] = []
    for result in results:
        chunk.append(result)
        if len(chunk) == CHUNK_EVENTS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def write_parameters(file: Any, job: Reconstruction) -> None:  # noqa: ANN401 - uproot has no type hints
    """Write parameters and geometry as the one entry of ``Reco_params``."""
    stored = stored_parameters(job.parameters, job.pedestal.geometry)
    layout = Layout(
        {name: "int32" if isinstance(value, int) else "float32" for name, value in stored.items()}
    )
    writer = TreeWriter(file, events.PARAMETERS_TREE, layout)
    writer.append({name: np.array([value]) for name, value in stored.items()})
