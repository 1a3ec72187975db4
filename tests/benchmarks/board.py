"""How long a table of runs takes in Grafana: the newest 200 runs of a store that holds many.

``python -m tests.benchmarks.board FOLDER [influxdb1]`` starts an InfluxDB 2.7 there, or a 1.8. It
writes the board of 10,000 runs in 20 workflows, and prints the time of the table beside that of an
empty query of the same server, by turns, medians of 30, in Flux and in InfluxQL.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.actor import CYCLE
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.operations.grafana.questions import VARIABLES, fill_in, question
from autoctrl.operations.grafana.wanted import FLUX, LANGUAGES
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.board import Cell, Row, board_lines
from autoctrl.stores.influx.server import Server
from autoctrl.stores.influx.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.model.run import Value
    from autoctrl.stores.influx.tables import BucketTables

ROOT = Path(__file__).parents[2]
RUNS, WORKFLOWS, TIMES, AT_ONCE = 10_000, 20, 30, 500
SERVICE = "influxdb2"
EMPTY = (
    'from(bucket: "{bucket}") |> range(start: -1s) |> filter(fn: (r) => r._measurement == "none")'
)
EMPTY_INFLUXQL = 'SELECT "run" FROM "none" WHERE time > now() - 1s'


def services(verb: str, name: str, folder: Path) -> dict[str, str]:
    """Start or stop a server; return what its start said."""
    words = [str(ROOT / "scripts" / "services"), verb, name, str(folder)]
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


class Pair(NamedTuple):
    """Medians, s, of the table and of an empty query in the same language."""

    table_s: float
    empty_s: float


def measure(tables: BucketTables, *, is_flux: bool) -> Pair:
    """Return how long the table and an empty query take, by turns."""
    (text,) = question("runs").texts(is_flux=is_flux)
    table = fill_in(text, VARIABLES, bucket=tables.bucket)
    empty = EMPTY.format(bucket=tables.bucket) if is_flux else EMPTY_INFLUXQL
    took: dict[str, list[float]] = {table: [], empty: []}
    for _ in range(TIMES):
        for asked, times in took.items():
            began = time.perf_counter()
            found = tables.ask(asked, is_flux=is_flux)
            times.append(time.perf_counter() - began)
            assert len(found) == (200 if asked == table else 0)
    return Pair(median(took[table]), median(took[empty]))


def main() -> None:
    """Fill the board of a server in the folder on the command line, and print the ratios."""
    folder, name = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else SERVICE
    facts = services("start", name, folder)
    try:
        token = folder / "token"
        token.write_text(facts["TOKEN"])
        place = f"{facts['URL'].removeprefix('http')}/{facts['ORG']}/{facts['BUCKET']}"
        url = f"influxdb{place}?token_file={token}"
        with closing(Server(parse_address(url), facts["TOKEN"])) as server:
            server.write([*rows()], patience_s=60)
        with open_tables(url) as tables:
            for language in LANGUAGES:
                found = measure(tables, is_flux=language == FLUX)
                ratio = found.table_s / found.empty_s
                print(
                    f"{name}, {language}: table of 200 runs of {RUNS}: "
                    f"{found.table_s * 1000:.1f} ms; empty query: "
                    f"{found.empty_s * 1000:.1f} ms; ratio {ratio:.1f}"
                )
    finally:
        services("stop", name, folder)


if __name__ == "__main__":
    main()
