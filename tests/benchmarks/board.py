"""How long a table of runs takes in Grafana: the newest 200 runs of a store that holds many.

``python -m tests.benchmarks.board FOLDER`` starts an InfluxDB 2.7 there, writes the board of 10,000
runs in 20 workflows, and prints the time of the table beside that of an empty query of the same
server, by turns, medians of 30.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from autoctrl.model.actor import CYCLE
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.operations.grafana.questions import VARIABLES, fill_in, question
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.board import Cell, Row, board_lines
from autoctrl.stores.influx.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.model.run import Value

ROOT = Path(__file__).parents[2]
RUNS, WORKFLOWS, TIMES, AT_ONCE = 10_000, 20, 30, 500
SERVICE, BUCKET = "influxdb2", "board"
EMPTY = (
    'from(bucket: "{bucket}") |> range(start: -1s) |> filter(fn: (r) => r._measurement == "none")'
)


def services(verb: str, folder: Path) -> dict[str, str]:
    """Start or stop the server; return what its start said."""
    words = [str(ROOT / "scripts" / "services"), verb, SERVICE, str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def rows() -> Iterator[str]:
    """Yield the points of every run."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1, RUNS + 1):
        start = began + timedelta(minutes=10 * number)
        known: dict[str, Value] = {"fill": number // 20, "lumi": number / 7, "tag": "GT_2026"}
        times = {"start": start, "end": start + timedelta(minutes=9)}
        run = RunRecord(number, {**known, **times}, is_closed=True, time=start, actor=CYCLE)
        cells = [Cell(f"workflow-{each}", TaskStatus.DONE) for each in range(WORKFLOWS)]
        yield from board_lines(Row("prompt", number), run, cells)


def measure(server: Server, bucket: str) -> tuple[float, float]:
    """Return the medians of the table and of an empty query, s."""
    table = fill_in(question("runs").flux, VARIABLES, bucket=bucket)
    empty = EMPTY.format(bucket=bucket)
    took: dict[str, list[float]] = {table: [], empty: []}
    for _ in range(TIMES):
        for text, times in took.items():
            began = time.perf_counter()
            found = server.tables(text)
            times.append(time.perf_counter() - began)
            assert len(found) == (200 if text == table else 0)
    return median(took[table]), median(took[empty])


def main() -> None:
    """Fill the board of a server in the folder on the command line, and print the ratio."""
    folder = Path(sys.argv[1])
    facts = services("start", folder)
    try:
        token = folder / "token"
        token.write_text(facts["TOKEN"])
        place = f"{facts['URL'].removeprefix('http')}/{facts['ORG']}/{facts['BUCKET']}"
        address = parse_address(f"influxdb{place}?token_file={token}")
        with closing(Server(address, facts["TOKEN"])) as server:
            server.write([*rows()], patience_s=60)
            table, empty = measure(server, address.bucket)
        print(
            f"table of 200 runs of {RUNS}: {table * 1000:.1f} ms; empty query: "
            f"{empty * 1000:.1f} ms; ratio {table / empty:.1f}"
        )
    finally:
        services("stop", folder)


if __name__ == "__main__":
    main()
