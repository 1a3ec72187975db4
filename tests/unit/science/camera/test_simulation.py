"""Simulated runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.science.camera.raw.frames import read_frames
from autoctrl.science.camera.raw.rawfile import summarise
from autoctrl.science.camera.simulation.daq import RunPlan, draw_frames, update_table, write_run
from autoctrl.science.camera.simulation.light import Content, content_for, deposit, draw_scene

if TYPE_CHECKING:
    from pathlib import Path

PLAN = RunPlan(4501, "physics", 2, size=64, content=Content(1, 0, 1, 0))


def test_a_run_follows_from_its_plan(tmp_path: Path) -> None:
    """The same plan gives the same bytes, another seed other ones."""
    first = write_run(PLAN, tmp_path / "a").read_bytes()
    assert write_run(PLAN, tmp_path / "b").read_bytes() == first
    assert write_run(replace(PLAN, seed=2), tmp_path / "b").read_bytes() != first


def test_a_written_run_reads_back(tmp_path: Path) -> None:
    """Frames, settings and truth of a written run are those that were drawn."""
    path = write_run(PLAN, tmp_path)
    drawn = list(draw_frames(PLAN))
    assert all((frame == drawn[event][0]).all() for event, frame in read_frames(path))
    summary = summarise(path)
    assert (summary.run, summary.events, summary.is_closed) == (4501, 2, True)
    assert summary.attributes["kind"] == "physics"
    truth = json.loads((tmp_path / "run04501.truth.json").read_text())
    assert [[thing["kind"] for thing in event] for event in truth["events"]] == [
        ["spot", "muon"]
    ] * 2


def test_a_live_run_shows_before_it_ends(tmp_path: Path) -> None:
    """A run that grows in place is in the table at its begin, without an end, and complete
    afterwards.
    """
    path = write_run(PLAN, tmp_path, pause_s=0.001)
    assert summarise(path).is_closed
    update_table(tmp_path, replace(PLAN, run=4502).row(is_over=False))
    with (tmp_path / "runs.csv").open() as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert (rows["4501"]["events"], rows["4502"]["events"], rows["4502"]["end"]) == ("2", "", "")


def test_the_table_keeps_one_line_per_run_in_order(tmp_path: Path) -> None:
    """Writing a run again replaces its line; lines are ordered by run."""
    for run in (12, 11, 12):
        update_table(tmp_path, RunPlan(run, "pedestal", 3).row())
    with (tmp_path / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["11", "12"]
    assert {(row["kind"], row["hv_state"], row["pedestal_run"]) for row in rows} == {
        ("pedestal", "0", "1")
    }


def test_a_spot_keeps_its_light() -> None:
    """A spot in the middle of the sensor deposits all its counts, one at the edge half of them, one
    outside none.
    """
    light = np.zeros((128, 128))
    assert deposit(light, 64, 64, 8000, 5) == pytest.approx(8000, rel=1e-6)
    assert light.sum() == pytest.approx(8000, rel=1e-6)
    assert deposit(light, -0.5, 64, 8000, 5) == pytest.approx(4000, rel=1e-3)
    assert deposit(light, -500, 64, 8000, 5) == 0


def test_an_event_has_the_content_that_was_asked_for() -> None:
    """Objects come in the order spots, alphas, muons, electrons, with paths as long as their
    kind.
    """
    scene = draw_scene(np.random.default_rng(1), (2304, 2304), Content(2, 1, 1, 1))
    assert [thing["kind"] for thing in scene.truth] == ["spot", "spot", "alpha", "muon", "electron"]
    assert [thing["length"] for thing in scene.truth[2:]] == [320, 2250, 420]
    assert content_for((576, 576)).spots < content_for((2304, 2304)).spots == 6
