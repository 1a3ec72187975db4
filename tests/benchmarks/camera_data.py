"""The raw runs on which the camera is measured: ``python -m tests.benchmarks.camera_data FOLDER``
makes them.

It is a process of its own, as it is larger than what is measured.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.science.camera.raw.midas import EVENT_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sys.executable).with_name("autoctrl-camera")
PEDESTAL_RUN, RUN = 1, 2
EVENTS, PEDESTAL_EVENTS = 20, 25
LONG_RUNS = (30, 300)
PEDESTAL = "pedestal.root"


def raw_run(events: int = EVENTS) -> str:
    """Return the name of the run with so many events."""
    return f"run{RUN:05d}.mid.gz" if events == EVENTS else f"long{events}.mid.gz"


def make_runs(folder: Path) -> None:
    """Simulate a run for the pedestal and a run of 20 events, and make longer ones out of the
    events of the latter.
    """
    words = [
        "simulate",
        f"--runs={PEDESTAL_RUN}-{RUN}",
        f"--events={EVENTS}",
        f"--pedestal-events={PEDESTAL_EVENTS}",
    ]
    subprocess.run([COMMAND, *words, "--output=."], cwd=folder, check=True, capture_output=True)
    words = ["pedestal", f"run{PEDESTAL_RUN:05d}.mid.gz", f"--output={PEDESTAL}"]
    subprocess.run([COMMAND, *words], cwd=folder, check=True, capture_output=True)
    begin, *frames, end = (gzip.compress(event, 1) for event in split_events(folder / raw_run()))
    for events in LONG_RUNS:
        with (folder / raw_run(events)).open("wb") as file:
            file.write(begin + b"".join(frames[number % EVENTS] for number in range(events)) + end)


def split_events(path: Path) -> Iterator[bytes]:
    """Yield the events of a raw run, begin and end of run among them, each with its header."""
    with gzip.open(path) as stream:
        while header := stream.read(EVENT_HEADER.size):
            yield header + stream.read(EVENT_HEADER.unpack(header)[-1])


if __name__ == "__main__":
    make_runs(Path(sys.argv[1]))
