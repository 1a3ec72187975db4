"""How long a table of runs takes in Grafana: the newest 200 runs of a store that holds many.

Each of the two servers gets the board of 10,000 runs in 20 workflows, and is asked for the table
and an empty query by turns, in Flux and in InfluxQL.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from autoctrl.model.actor import CYCLE
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.operations.grafana.questions import VARIABLES, fill_in, question
from autoctrl.operations.grafana.wanted import FLUX, LANGUAGES
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.board import Cell, Row, board_lines
from autoctrl.stores.influx.server import Server
from autoctrl.stores.influx.tables import BucketTables
from tests.benchmarks.production import or_reason
from tests.benchmarks.report import say
from tests.benchmarks.servers import started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from autoctrl.model.run import Value

RUNS, WORKFLOWS, TIMES, SHOWN = 10_000, 20, 30, 200
SERVERS = ("influxdb1", "influxdb2")
EMPTY = {
    True: 'from(bucket: "{bucket}") |> range(start: -1s) |> filter(fn: (r) => r._field == "none")',
    False: 'SELECT * FROM "none" WHERE time > now() - 1s',
}


def measure_boards(work: Path) -> dict[str, Any]:
    """Return the figures of each server, or why there are none; ``work`` is a folder that may be
    filled.
    """
    return {name: or_reason(lambda n=name: _measure(n, work / n)) for name in SERVERS}  # type: ignore[misc]


def _measure(name: str, work: Path) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    with started(name, work / "server") as facts:
        token = work / "token"
        token.write_text(facts["TOKEN"])
        token.chmod(0o600)
        address = parse_address(address_of(facts, token))
        say(f"writing the board of {RUNS} runs to {name}")
        with closing(Server(address, facts["TOKEN"])) as server:
            server.write([*rows()], patience_s=60)
        with closing(BucketTables(address)) as tables:
            return {name: time_queries(tables, is_flux=name == FLUX) for name in LANGUAGES}


def address_of(facts: Mapping[str, str], token: Path) -> str:
    """Return the address of the bucket that a server has from its start."""
    place = f"{facts['URL'].removeprefix('http')}/{facts['ORG']}/{facts['BUCKET']}"
    return f"influxdb{place}?token_file={token}"


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


def time_queries(tables: BucketTables, *, is_flux: bool) -> dict[str, Any]:
    """Return the medians of the table and of an empty query, ms, and how they compare.

    Raises ``RuntimeError`` if the table has not the runs that it should have.
    """
    asked = question("runs").texts(is_flux=is_flux)
    table = [fill_in(text, VARIABLES, bucket=tables.bucket) for text in asked]
    empty = [EMPTY[is_flux].format(bucket=tables.bucket)]
    took: dict[str, list[float]] = {"table": [], "empty": []}
    for _ in range(TIMES):
        for name, texts in (("table", table), ("empty", empty)):
            began = time.perf_counter()
            found = [row for text in texts for row in tables.ask(text, is_flux=is_flux)]
            took[name].append(time.perf_counter() - began)
            if len(found) != (SHOWN if name == "table" else 0):
                message = f"The query of the {name} gave {len(found)} rows."
                raise RuntimeError(message)
    table_ms, empty_ms = (median(times) * 1000 for times in took.values())
    return {
        "table_ms": round(table_ms, 2),
        "empty_ms": round(empty_ms, 2),
        "ratio": round(table_ms / empty_ms, 2),
    }
