"""Reconstruction: raw frames of a run, with a pedestal, into the tree ``Events``."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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

    from autoctrl.science.camera.kernel import Measured

    Frame = NDArray[np.uint16]

CHUNK_EVENTS = 10
MAX_LISTED = 1_000_000
NOT_LISTED = -1.0
# What is not computed has a constant of the published program.
CONSTANTS = {"energy": -1.0, "pathlength": -1.0, "pearson": 999.0}


@dataclass
class Reconstruction:
    """What stays the same for all frames of a run; ``vignetting`` is a factor by block of pixels,
    None for 1.
    """

    run: int
    pedestal: Pedestal
    parameters: Parameters = field(default_factory=Parameters)
    vignetting: NDArray[np.float64] | None = None

    def reconstruct(self, event: int, frame: Frame | None) -> EventResult:
        """Return the clusters of one frame, brightest first; a discharge or a lost frame gives an
        entry without any.

        The same frame gives the same result in any job and any thread. Raises ``DataError`` for a
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
            message = (
                f"run {self.run} event {event} has {here} pixels, the pedestal of run "
                f"{self.pedestal.run} {there}."
            )
            raise DataError(message, hint="Take the pedestal of the same camera.")
        if kernel.frame_sum(frame) > self.pedestal.geometry.veto_sum:
            return EventResult(values | {"spark": 1})
        return self._reconstruct(values, frame)

    def _reconstruct(self, values: dict[str, float], frame: Frame) -> EventResult:
        begun = time.perf_counter()
        images = kernel.coarse_images(frame, self.pedestal, self.parameters)
        imaged = time.perf_counter()
        kernel.reduce_noise(images.edge, self.parameters.min_neighbors_average)
        cells, weights = kernel.find_seeds(images.edge, images.light)
        reduced = time.perf_counter()
        seed = np.random.SeedSequence([self.run, int(values["event"])]).generate_state(
            1, np.uint64
        )[0]
        labels, tracks = kernel.cluster(
            cells, weights, images.edge.shape, self.parameters, int(seed)
        )
        ordered, offsets, kept = by_label(cells, labels)
        grouped = time.perf_counter()
        measured = kernel.measure(
            frame, self.pedestal, ordered, offsets, self.parameters, vignetting=self.vignetting
        )
        result = listed(values, measured, kept < tracks, self.parameters)
        mean = images.sum / frame.size
        values |= {
            "cmos_integral": images.sum,
            "cmos_mean": mean,
            "cmos_rms": max(0.0, images.squares / frame.size - mean * mean) ** 0.5,
            "lp_len": len(cells),
            "t_pedsub": imaged - begun,
            "t_noisered": reduced - imaged,
            "t_DBSCAN": grouped - reduced,
            "t_variables": time.perf_counter() - grouped,
        }
        return result


def by_label(
    cells: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells of all clusters, one after the other, where each begins and ends, and their
    labels.

    A cluster of a single cell is none.
    """
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels[labels >= 0])
    kept = np.flatnonzero(counts > 1)
    chosen = order[np.isin(labels[order], kept)]
    return cells[chosen], np.concatenate([[0], np.cumsum(counts[kept])]), kept


def listed(
    values: dict[str, float],
    measured: Measured,
    directional: NDArray[np.bool_],
    parameters: Parameters,
) -> EventResult:
    """Return clusters brightest first, and the pixels of those that are bright enough.

    Of a cluster without active pixels, or of a huge one, only the middle pixel is listed.
    """
    columns = {name: measured.values[:, number] for number, name in enumerate(measured.names)}
    columns |= {name: np.full(len(directional), value) for name, value in CONSTANTS.items()}
    columns |= {
        "redpixIdx": np.full(len(directional), NOT_LISTED),
        "directional": directional.astype(np.float64),
    }
    order = np.argsort(-columns["integral"], kind="stable")
    ends = np.cumsum(columns["size"]).astype(np.int64)
    is_listed = columns["integral"] > parameters.redpix_min_integral
    is_listed &= columns["length"] < parameters.redpix_max_length
    pieces, count = [], 0
    for number in order[is_listed[order]]:
        size = int(columns["size"][number])
        piece = slice(ends[number] - size, ends[number])
        if not columns["nhits"][number] or size >= MAX_LISTED:
            piece = slice(piece.start + size // 2, piece.start + size // 2 + 1)
        columns["redpixIdx"][number] = count
        count += piece.stop - piece.start
        pieces.append(piece)
    result = EventResult(values, np.stack([columns[name][order] for name in CLUSTER], axis=1))
    if pieces:
        result.rows = np.concatenate([measured.rows[piece] for piece in pieces])
        result.cols = np.concatenate([measured.cols[piece] for piece in pieces])
        light = np.concatenate([measured.light[piece] for piece in pieces])
        result.light = (np.rint(10 * light) / 10).astype(np.float32)
    return result


@dataclass(frozen=True)
class Counts:
    """What a reconstruction wrote, for the log and the custom fields; lost events and sparks are
    among the events.
    """

    events: int
    sparks: int
    lost_events: int
    clusters: int
    seconds: float


def reconstruct_run(
    raw: Path,
    pedestal: Pedestal,
    output: Path,
    chosen: tuple[int, int | None],
    version: str,
    *,
    threads: int = 1,
    tolerate: int = 0,
    **settings: Any,  # noqa: ANN401
) -> Counts:
    """Reconstruct the events ``first <= event < last`` of a raw run into a file that appears when
    it is complete.

    ``threads`` events are worked at side by side; the file does not depend on how many.
    ``tolerate`` events may be lost, and have an entry without clusters.  ``settings`` are further
    fields of Reconstruction.

    Raises DataError for damaged input and for missing events; the entries before are kept under
    ``partial_path``.
    """
    begin = time.perf_counter()
    job = Reconstruction(read_head(raw).run, pedestal, **settings)
    losses = Losses(tolerate)
    first, last = chosen
    entries = sparks = clusters = 0
    partial = partial_path(output)
    with new_file(partial) as file:
        writer = TreeWriter(file, events.TREE, events.LAYOUT)
        for results in in_chunks(
            in_threads(job, losses.passing(read_events(raw, first, last)), threads)
        ):
            writer.append(events.to_columns(results))
            entries += len(results)
            sparks += sum(result.values["spark"] == 1 for result in results)
            clusters += sum(len(result.clusters) for result in results)
        if losses.problem and entries == losses.lost:
            raise losses.problem
        write_parameters(file, job)
        seconds = time.perf_counter() - begin
        file["gitHash"] = version
        file["total_time"] = f"{seconds:.3f}"
    if losses.problem:
        good = entries - losses.lost
        message = f"{good} good events are kept in {partial.name}, then: {losses.problem.message}"
        raise DataError(message, hint=losses.problem.hint) from losses.problem
    if last is not None and entries != last - first:
        message = f"{entries} entries were written for the events {first}:{last} of {raw}."
        raise DataError(message)
    partial.replace(output)
    return Counts(entries, sparks, losses.lost, clusters, round(seconds, 3))


def partial_path(output: Path) -> Path:
    """Return where the entries of a run are that could not be reconstructed to its end."""
    return output.with_suffix(f".partial{output.suffix}")


def in_threads(
    job: Reconstruction, frames: Iterable[tuple[int, Frame | None]], threads: int
) -> Iterator[EventResult]:
    """Yield the results of frames in their order; no more frames are held than there are threads,
    and one.
    """
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
