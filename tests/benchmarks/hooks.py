"""How long it takes from the end of a run until its job is submitted, told by a hook or not.

``python -m tests.benchmarks.hooks [RUNS]`` prints a line for each way, and what a loop costs that
sleeps.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.hooking import SETTINGS, a_listener, deliver, make_told_project
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RUNS = 30
EVERY_S = 10
MOST_PAUSE_S = 4.0
IDLE_S = 30.0
TABLE = "[sources.table]\ntype = 'table'\npath = 'runs.csv'\nclosed_column = 'end'\n"
HANDLER = """
import sys
from autoctrl import BatchHandler

handler = BatchHandler("note", argv=["true"])
if __name__ == "__main__":
    sys.exit(handler())
"""


def command(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start ``autoctrl`` in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "autoctrl.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def a_loop(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a loop in a folder."""
    process = command(folder, "loop", "--every", f"{EVERY_S}s", "--format", "json")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def make(folder: Path) -> Path:
    """Make a project whose runs come from a hook or a table, and want one small job each."""
    make_told_project(folder)
    text = SETTINGS.replace("[runs.attributes]", '[runs.attributes]\nend = "time"') + TABLE
    (folder / "autoctrl.toml").write_text(text)
    (folder / "runs.csv").write_text("run,end\n")
    handler = folder / "workflows/note/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(HANDLER)
    return folder


def end_runs(runs: int, tell: Callable[[int, str], None]) -> None:
    """Let runs end at odd times."""
    for number in range(1, runs + 1):
        time.sleep(random.uniform(0, MOST_PAUSE_S))
        tell(number, datetime.now(UTC).isoformat())


def stages(folder: Path) -> dict[tuple[str, str], list[float]]:
    """Return number, median and 95 % of each stage, as ``autoctrl latency`` says."""
    out, _ = command(folder, "latency", "--format", "json").communicate()
    return {
        (row["begin"], row["end"]): [row["tasks"], row["median_s"], row["p95_s"]]
        for row in json.loads(out)["stages"]
    }


def show(what: str, folder: Path, runs: int) -> None:
    """Wait until all runs are done, and print what they took."""
    while (found := stages(folder))["end of run", "collected"][0] < runs:
        time.sleep(1)
    for pair in (("end of run", "submitted"), ("end of run", "collected")):
        tasks, median_s, p95_s = found[pair]
        print(f"{what:12} {' → '.join(pair):26} {tasks} runs  {median_s:.2f} s  {p95_s:.2f} s")


def measure_told(runs: int) -> None:
    """Tell of each run by the hook."""
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name))
        with a_loop(folder), a_listener(folder) as listener:

            def tell(number: int, end: str) -> None:
                answer = deliver(listener.port, {"run": number, "attributes": {"end": end}})
                assert answer.status == 202, answer

            end_runs(runs, tell)
            show("hook", folder, runs)


def measure_found(runs: int) -> None:
    """Write each run into a table, which the loop finds by itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = make(Path(name))

        def tell(number: int, end: str) -> None:
            with (folder / "runs.csv").open("a") as table:
                table.write(f"{number},{end}\n")

        with a_loop(folder):
            end_runs(runs, tell)
            show("no hook", folder, runs)


def measure_idle() -> None:
    """Print what share of a processor a sleeping loop takes."""
    with tempfile.TemporaryDirectory() as name, a_loop(make(Path(name))) as process:
        time.sleep(EVERY_S / 2)
        before = processor_s(process.pid)
        time.sleep(IDLE_S)
        share = (processor_s(process.pid) - before) / IDLE_S
        print(f"idle loop, every {EVERY_S} s: {100 * share:.2f} % of a processor")


def processor_s(pid: int) -> float:
    """Return the processor time of a process and its children that have ended, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    measure_idle()
    measure_told(asked)
    measure_found(asked)
