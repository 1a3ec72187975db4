"""The camera's plots: whatever the chunks, the same bits; and what stands out is found."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.science.camera.parameters import Pedestal
from autoctrl.science.camera.plots import clusters, depth, display, raw_frames, spectra
from autoctrl.science.camera.plots.pictures import spell, spell_time, use_style
from autoctrl.science.camera.plots.rundata import About, RunData, Shown
from autoctrl.science.quality import PlotResult, evaluate

if TYPE_CHECKING:
    from autoctrl.science.quality.runner import Report

ABOUT = About(
    run=7, rows=96, cols=144, pedestal_run=6, start="2026-02-01T06:10:00Z", exposure_s=0.5
)
CLUSTER = ("integral", "length", "lfullrms", "tfullrms", "xmean", "ymean", "directional")
PLOTS: tuple[Any, ...] = (
    raw_frames.PedestalMaps(),
    raw_frames.NoisyPixels(),
    raw_frames.Frames(),
    display.EventDisplay(),
    clusters.Occupancy(),
    clusters.Multiplicity(),
    spectra.LightSpectrum(),
    spectra.Energy(),
    depth.Depth(),
)


def pedestal(*, hot: float = 0.0) -> Pedestal:
    random = np.random.default_rng(3)
    mean = random.normal(99, 0.3, (96, 144)).astype(np.float32)
    mean[32:48, 48:64] += hot
    return Pedestal(mean, random.uniform(1, 2, (96, 144)).astype(np.float32), 6)


def run_of(seed: int, events: int) -> RunData:
    """Return a run of random clusters, with friends and frames."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 5, events)
    columns: dict[str, Any] = {
        "event": np.arange(events),
        "pedestal_run": np.full(events, 6),
        "spark": random.integers(0, 2, events),
        "lp_len": random.uniform(0, 900, events),
        "nSc": counts,
        "lost": random.integers(0, 2, events),
    }
    number = int(counts.sum())
    highest = {
        "integral": 20_000,
        "length": 160,
        "lfullrms": 9,
        "tfullrms": 9,
        "xmean": 96,
        "ymean": 144,
    }
    for name in CLUSTER:
        values = random.uniform(1, highest.get(name, 2), number).astype(np.float32)
        columns[f"sc_{name}"] = ak.unflatten(
            values.astype(np.int32) if name == "directional" else values, counts
        )
    for name, top in (("ix", 96), ("iy", 144), ("iz", 300)):
        columns[f"redpix_{name}"] = ak.unflatten(random.integers(0, top, number * 3), counts * 3)
    friends = ak.Array(
        {
            "sc_regr_integral": columns["sc_integral"] * 1.1,
            "sc_z": ak.unflatten(random.uniform(-1, 50, number).astype(np.float32), counts),
        }
    )
    frames = tuple(random.normal(0.1, 1, (24, 36)).astype(np.float32) for _ in range(events))
    return RunData(ABOUT, ak.Array(columns), friends, pedestal(), frames)


def part(data: RunData, first: int, last: int) -> RunData:
    maps = data.pedestal if first == 0 else None
    return RunData(
        ABOUT, data.events[first:last], data.friends[first:last], maps, data.residuals[first:last]
    )


def contents(report: Report) -> dict[str, bytes]:
    assert report.failed == {}
    return {
        f"{plot}/{name}": histogram.view(flow=True).tobytes()
        for plot, named in report.histograms.items()
        for name, histogram in named.items()
    }


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(1, 30), st.lists(st.integers(0, 30), max_size=4))
def test_chunks_give_what_all_events_give(seed: int, events: int, cuts: list[int]) -> None:
    """Every plot of the camera gives the same histograms and numbers, bit for bit, whatever the
    chunks.
    """
    data = run_of(seed, events)
    ends = sorted({0, events, *(cut % (events + 1) for cut in cuts)})
    whole = evaluate(PLOTS, [data])
    chunked = evaluate(PLOTS, [part(data, first, last) for first, last in pairwise(ends)])
    assert contents(chunked) == contents(whole)
    assert repr(chunked.numbers) == repr(whole.numbers)


def test_every_plot_draws_a_run_and_nothing() -> None:
    """There is a picture of a run with clusters; a run without any draws or has nothing to draw,
    and fails nowhere.
    """
    for data in (run_of(1, 60), part(run_of(1, 60), 0, 0), run_of(2, 1)):
        report = evaluate(PLOTS, [data])
        assert report.failed == {}
        with use_style():
            figures = [
                result.figure() for result in report.results.values() if result.figure is not None
            ]
        assert all(figure.axes for figure in figures)


def test_a_hot_region_is_found() -> None:
    """Areas whose mean stands out are counted; the ordinary scatter is not."""
    data = RunData(ABOUT, run_of(1, 1).events, pedestal=pedestal())
    hot = RunData(ABOUT, run_of(1, 1).events, pedestal=pedestal(hot=5))
    assert raw_frames.PedestalMaps()(data).numbers["hot_fraction"] == 0
    numbers = raw_frames.PedestalMaps()(hot).numbers
    assert numbers["hot_fraction"] == pytest.approx(1 / 54)
    assert numbers["hot_counts"] == pytest.approx(5, abs=0.3)


def test_another_pedestal_is_told() -> None:
    """Clusters that were found with the pedestal of another run are noticed."""
    events = run_of(1, 4).events
    events["pedestal_run"] = np.array([6, 6, 5, 6])
    assert (
        raw_frames.PedestalMaps()(RunData(ABOUT, events, pedestal=pedestal())).numbers[
            "other_pedestal"
        ]
        == 1
    )


def test_a_drift_of_the_frames_is_measured() -> None:
    """The mean distance of the frames is found to its error, light left out."""
    numbers = raw_frames.Frames()(run_of(5, 30)).numbers
    assert numbers["pedestal_shift"] == pytest.approx(0.1, abs=5 * numbers["pedestal_shift_error"])
    assert numbers["frame_noise"] == pytest.approx(0.99, abs=0.1)


def test_lost_frames_are_counted() -> None:
    """The number of lost frames, and their part of all frames; none of a run without events."""
    events = run_of(1, 8).events
    events["lost"] = np.array([0, 1, 0, 0, 1, 0, 0, 0])
    numbers = clusters.Multiplicity()(RunData(ABOUT, events)).numbers
    assert (numbers["lost"], numbers["lost_fraction"]) == (2, 0.25)
    nothing = clusters.Multiplicity()(RunData(ABOUT, events[:0])).numbers
    assert (nothing["lost"], nothing["lost_fraction"]) == (0, 0)


def test_the_fullest_event_is_shown() -> None:
    """An event takes the place of one with fewer clusters, not of one with as many."""

    def shown(clusters: int) -> RunData:
        return RunData(ABOUT, None, shown=Shown({"sc_size": [16.0] * clusters}, np.zeros((24, 36))))

    plot = display.EventDisplay()
    first = plot(shown(2))
    assert plot(shown(2), first) is first
    assert plot(RunData(ABOUT, None), first) is first
    assert plot(shown(3), first).weight == 4
    assert plot(RunData(ABOUT, None)) == PlotResult()


def test_clusters_are_outlined() -> None:
    """The display draws clusters whose pixels are listed, and those of which only the extent is
    known.
    """
    values = {"xmin": 8, "xmax": 19, "ymin": 12, "ymax": 27, "integral": 900.5, "directional": 1}
    entry: dict[str, Any] = {f"sc_{name}": [value, value] for name, value in values.items()}
    rows, cols = (grid.ravel() for grid in np.mgrid[8:20, 12:28])
    entry |= {
        "event": 3,
        "sc_size": [192.0, 192.0],
        "sc_redpixIdx": [0.0, -1.0],
        "redpix_ix": rows,
        "redpix_iy": cols,
    }
    with use_style():
        figure = display.EventDisplay.draw(ABOUT, Shown(entry, np.ones((24, 36))))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["0: 900", "1: 900"]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (7812.4, 46.3, "7812 ± 46 cm"),
        (0.123456, 0.0012, "0.1235 ± 0.0012 cm"),
        (5.0, float("nan"), "5 cm"),
    ],
)
def test_values_are_written_with_their_errors(value: float, error: float, text: str) -> None:
    """The error has two digits, the value as many decimals."""
    assert spell(value, error, "cm") == text


def test_moments_are_written_for_people() -> None:
    """A moment is date, time and zone; what is none is nothing."""
    assert (spell_time("2026-02-01T06:10:00.000000Z"), spell_time("")) == (
        "2026-02-01 06:10 UTC",
        "",
    )
