"""Writes simulated raw runs as the DAQ would: a raw file, the truth beside it, a line in the run
table.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from autoctrl.errors import UsageError
from autoctrl.files import replacing
from autoctrl.science.camera.raw.writers import DEFAULT_FORM, FORMS, Writer
from autoctrl.science.camera.simulation.light import FULL_SIZE, Content
from autoctrl.science.camera.simulation.sensor import sensor_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

TABLE = "runs.csv"
COLUMNS = (
    "run",
    "kind",
    "start",
    "end",
    "fill",
    "events",
    "hv_state",
    "pedestal_run",
    "exposure_s",
)
FIRST_START = datetime(2026, 1, 1, tzinfo=UTC)
RUN_SPACING = timedelta(minutes=10)
RUNS_PER_FILL = 4
NOISE_DRAW, LIGHT_DRAW = 1, 2


@dataclass(frozen=True)
class RunPlan:
    """One run to be simulated; every pixel of it follows from these values.

    ``size`` is the sensor's width in pixels and ``height`` its height, None for a square.
    """

    run: int
    kind: str
    events: int
    seed: int = 1
    size: int = FULL_SIZE
    content: Content = field(default_factory=Content)
    exposure_s: float = 0.3
    fill: int | None = None
    height: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the sensor."""
        return (self.size if self.height is None else self.height), self.size

    @property
    def is_pedestal(self) -> bool:
        """Say whether the run is taken without high voltage, for the pedestal."""
        return self.kind == "pedestal"

    @property
    def start(self) -> datetime:
        """When the run begins: ten minutes after the run before it."""
        return FIRST_START + self.run * RUN_SPACING

    @property
    def end(self) -> datetime:
        """When the last exposure ends."""
        return self.start + timedelta(seconds=self.events * self.exposure_s)

    def row(self, *, is_over: bool = True) -> dict[str, Any]:
        """Return the run's line of the run table; ``end`` and ``events`` stay empty while the run
        is taken.
        """
        return {
            "run": self.run,
            "kind": self.kind,
            "start": timestamp(self.start),
            "end": timestamp(self.end) if is_over else "",
            "fill": 1000 + self.run // RUNS_PER_FILL if self.fill is None else self.fill,
            "events": self.events if is_over else "",
            "hv_state": int(not self.is_pedestal),
            "pedestal_run": int(self.is_pedestal),
            "exposure_s": self.exposure_s,
        }


def timestamp(moment: datetime) -> str:
    """Return a time as ``2026-01-01T00:00:00.000000Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def settings_text(plan: RunPlan, *, is_over: bool) -> str:
    """Return the dump of the settings that begins and ends a run."""
    row = plan.row()
    times = {"Run number": plan.run, "Start time": row["start"]} | (
        {"Stop time": row["end"]} if is_over else {}
    )
    parameters = {
        name: row[name] for name in ("kind", "fill", "hv_state", "pedestal_run", "exposure_s")
    }
    rows, cols = plan.shape
    dump = {
        "Runinfo": times,
        "Experiment": {"Name": "camera", "Run Parameters": parameters | {"seed": plan.seed}},
        "Equipment": {"Camera": {"Settings": {"Width": cols, "Height": rows}}},
    }
    return json.dumps(dump, indent=1)


def draw_frames(plan: RunPlan) -> Iterator[tuple[NDArray[np.uint16], list[dict[str, Any]]]]:
    """Yield every event's working frame and its truth."""
    sensor = sensor_of(plan.shape)
    for event in range(plan.events):
        noise = (plan.seed, plan.run, event, NOISE_DRAW)
        if plan.is_pedestal:
            yield sensor.draw_pedestal(noise), []
        else:
            yield sensor.draw_event(noise, (plan.seed, plan.run, event, LIGHT_DRAW), plan.content)


def _draw_ahead(plan: RunPlan) -> Iterator[tuple[NDArray[np.uint16], list[dict[str, Any]]]]:
    """Yield what ``draw_frames`` yields, with one event drawn in a thread while the one before is
    compressed.
    """
    drawing = draw_frames(plan)
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, drawing, None)
        while (drawn := coming.result()) is not None:
            coming = pool.submit(next, drawing, None)
            yield drawn


def write_run(
    plan: RunPlan, folder: Path, form: str = DEFAULT_FORM, *, pause_s: float | None = None
) -> Path:
    """Write one run with its truth and its line in the run table, and return the raw file.

    The file appears when it is complete; with ``pause_s`` it grows in place, that many seconds per
    event.  Raises ``UsageError`` for a form that cannot grow.
    """
    chosen = FORMS[form]
    path = folder / chosen.pattern.format(run=plan.run)
    folder.mkdir(parents=True, exist_ok=True)
    if pause_s is None:
        with replacing(path) as temporary, closing(chosen.open(temporary, plan.run)) as writer:
            truth = _write_events(plan, writer, 0.0)
    elif not chosen.grows:
        message = f"a run in the form {form} cannot be read before it is complete."
        raise UsageError(message, hint="Leave --live out, or take --format mid.gz or mid.")
    else:
        update_table(folder, plan.row(is_over=False))
        with closing(chosen.open(path, plan.run)) as writer:
            truth = _write_events(plan, writer, pause_s)
    with replacing(path.with_name(f"run{plan.run:05d}.truth.json")) as temporary:
        temporary.write_text(
            json.dumps({"schema": 1, "plan": asdict(plan), "events": truth}), encoding="utf-8"
        )
    update_table(folder, plan.row())
    return path


def _write_events(plan: RunPlan, writer: Writer, pause_s: float) -> list[list[dict[str, Any]]]:
    """Write begin of run, every frame, end of run; returns the truth of every event."""
    truth = []
    seconds = int(plan.start.timestamp())
    writer.begin(seconds, settings_text(plan, is_over=False))
    for event, (frame, objects) in enumerate(_draw_ahead(plan)):
        truth.append(objects)
        writer.add(frame, seconds + int(event * plan.exposure_s))
        if pause_s:
            writer.flush()
            time.sleep(pause_s)
    writer.end(int(plan.end.timestamp()), settings_text(plan, is_over=True))
    return truth


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Let one process at a time change the folder's run table."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def update_table(folder: Path, row: dict[str, Any]) -> None:
    """Put one run's line into ``runs.csv``, replacing an older one; readers see the old table or
    the new one.
    """
    table = folder / TABLE
    with _exclusive(folder):
        rows: dict[int, dict[str, Any]] = {}
        if table.exists():
            with table.open(newline="", encoding="utf-8") as file:
                rows = {int(line["run"]): line for line in csv.DictReader(file)}
        rows[row["run"]] = row
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[run] for run in sorted(rows))
        with replacing(table) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8")
