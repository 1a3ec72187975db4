"""The figures of the camera: the whole event and its steps on one core, threads, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.benchmarks.camera_data import COMMAND, LONG_RUNS, PEDESTAL, raw_run
from tests.benchmarks.camera_report import PAIR
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
    steps: dict[str, Any] = json.loads(
        run_ours("tests.benchmarks.camera_steps", folder, str(rounds))
    )
    say("camera: threads and memory")
    return {**steps, **measure_commands(folder)}


def measure_commands(folder: Path) -> dict[str, Any]:
    """Return events per second by number of threads, and of two processes at once; and peak memory
    in MiB.
    """
    short, *long = LONG_RUNS
    counts = sorted({1, 2, os.cpu_count() or 1})
    rates: dict[str, float] = {}
    peaks = dict.fromkeys(map(str, counts), 0.0)
    for _ in range(THREAD_ROUNDS):  # in turns, so that a busy minute meets all of them
        for threads in map(str, counts):
            rate, peak_mib = measure_command(folder, short, threads)
            rates[threads] = max(rates.get(threads, 0.0), rate)
            peaks[threads] = max(peaks[threads], peak_mib)
        with ThreadPoolExecutor(2) as pool:
            both = [
                pool.submit(measure_command, folder, short, "1", f"process{number}")
                for number in range(2)
            ]
            rates[PAIR] = max(rates.get(PAIR, 0.0), sum(each.result()[0] for each in both))
    by_events = {short: peaks["1"]} | {
        events: measure_command(folder, events, "1")[1] for events in long
    }
    return {"events_per_s": rates, "peak_mib": by_events, "peak_mib_2_threads": peaks["2"]}


def run_ours(module: str, folder: Path, *words: str) -> str:
    """Return what a module of ours prints, run in a process of its own. Raises ``RuntimeError``
    with its last words.
    """
    command = [sys.executable, "-m", module, str(folder), *words]
    surroundings = environment(folder) | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=surroundings, check=False, capture_output=True, text=True
    )
    if done.returncode:
        message = f"{module} ended with {done.returncode}: {done.stderr.strip()[-1000:]}"
        raise RuntimeError(message)
    return done.stdout


def measure_command(
    folder: Path, events: int, threads: str, name: str = "reco"
) -> tuple[float, float]:
    """Return events per second, without the start of the process, and its peak memory in MiB."""
    fields = folder / f"{name}.json"
    words = [
        "reco",
        raw_run(events),
        "--pedestal",
        PEDESTAL,
        "--threads",
        threads,
        "--output",
        f"{name}.root",
    ]
    sample = measure(
        [COMMAND, *words],
        folder,
        environment(folder) | ONE_THREAD | {"AUTOCTRL_FIELDS": str(fields)},
    )
    return events / json.loads(fields.read_text())["seconds"], sample.peak_mib
