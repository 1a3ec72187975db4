"""The figures of the camera: the whole event and its steps on one core, threads, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.benchmarks.camera_data import COMMAND, LONG_RUNS, PEDESTAL, raw_run
from tests.benchmarks.contenders import environment
from tests.benchmarks.field import ROOT
from tests.benchmarks.measuring import measure
from tests.benchmarks.report import say

if TYPE_CHECKING:
    from pathlib import Path

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
THREAD_ROUNDS = 3


def measure_camera(work: Path, rounds: int) -> dict[str, Any]:
    """Return the figures of the camera; ``work`` is a folder that may be filled."""
    folder = work / "camera"
    folder.mkdir(parents=True)
    say("camera: making the runs")
    run_ours("tests.benchmarks.camera_data", folder)
    say(f"camera: {rounds} rounds on one core")
    steps: dict[str, Any] = json.loads(run_ours("tests.benchmarks.camera_steps", folder, str(rounds)))
    say("camera: threads and memory")
    counts = sorted({1, 2, os.cpu_count() or 1})
    # in turns, so that a busy minute meets all of them
    samples = [
        (threads, measure_command(folder, LONG_RUNS[0], threads)) for _ in range(THREAD_ROUNDS) for threads in counts
    ]
    best = {threads: max(rate for number, (rate, _) in samples if number == threads) for threads in counts}
    peaks = {LONG_RUNS[0]: max(peak for number, (_, peak) in samples if number == 1)}
    peaks |= {events: measure_command(folder, events, 1)[1] for events in LONG_RUNS[1:]}
    peaks_two = max(peak for number, (_, peak) in samples if number == 2)
    return {**steps, "events_per_s": best, "peak_mib": peaks, "peak_mib_2_threads": peaks_two}


def run_ours(module: str, folder: Path, *words: str) -> str:
    """Return what a module of ours prints, run in a process of its own. Raises ``RuntimeError`` with its last words."""
    command = [sys.executable, "-m", module, str(folder), *words]
    surroundings = environment(folder) | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=surroundings, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"{module} ended with {done.returncode}: {done.stderr.strip()[-1000:]}"
        raise RuntimeError(message)
    return done.stdout


def measure_command(folder: Path, events: int, threads: int) -> tuple[float, float]:
    """Return events per second, without the start of the process, and its peak memory in MiB."""
    fields = folder / "fields.json"
    words = ["reco", raw_run(events), "--pedestal", PEDESTAL, "--threads", str(threads), "--output", "reco.root"]
    sample = measure([COMMAND, *words], folder, environment(folder) | ONE_THREAD | {"AUTOCTRL_FIELDS": str(fields)})
    return events / json.loads(fields.read_text())["seconds"], sample.peak_mib
