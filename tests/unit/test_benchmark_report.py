"""The table of the benchmark judges what it shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.bench import summarise
from tests.benchmarks.field import Timing
from tests.benchmarks.influx import place_of
from tests.benchmarks.measuring import Sample
from tests.benchmarks.picture import panels
from tests.benchmarks.production import summarise as summarise_services
from tests.benchmarks.production_report import as_services_table
from tests.benchmarks.report import FIGURES, IDLE, IDLE_MORE, as_table
from tests.benchmarks.watching import about


def timing(row: str, name: str, wall_s: float, peak_mib: float = 30) -> Timing:
    return Timing(row, name, Sample(wall_s, wall_s / 2, peak_mib))


def result(**changes: Any) -> dict[str, Any]:
    """Return a result in which every figure is just reached."""
    first = [timing(figure.row, "autoctrl", figure.bound) for figure in FIGURES]
    rows = summarise([[*first, timing(IDLE, "luigi", 1), timing("adding", "autoctrl", 1)]])
    fixed = {
        "many": 1_000_000,
        "rows": rows,
        "steps": {"1": 9, "2": 9},
        "append_us": 1.0,
        "open_tasks_us": 1.0,
    }
    return {
        **fixed,
        "lines": {"autoctrl": 10, "luigi": 17, "Snakemake": 10, "Parsl": 18},
        **changes,
    }


def test_a_filled_server_is_named_after_what_writes_it() -> None:
    """All the files that its name depends on are there."""
    assert place_of(7).name.startswith("influx-7-")


def test_figures_that_are_just_reached() -> None:
    """A time equal to its figure is good enough."""
    table, is_reached = as_table(result())
    assert is_reached
    assert "MISSED" not in table
    assert "nothing to do, 1,000,000 runs done" in table


@pytest.mark.parametrize("row", [figure.row for figure in FIGURES])
def test_a_missed_time_is_said(row: str) -> None:
    """One row above its figure makes the whole run miss, and its line says so."""
    slow = result()
    slow["rows"][row]["autoctrl"]["ratio"] += 0.01
    table, is_reached = as_table(slow)
    assert not is_reached
    assert table.count("MISSED") == 1


def test_other_misses_are_said() -> None:
    """Too much memory, too many lines and unequal steps miss as well."""
    large = result()
    large["rows"][IDLE_MORE]["autoctrl"]["peak_mib"] = 40.1
    assert not as_table(large)[1]
    assert not as_table(result(lines={"autoctrl": 11, "luigi": 17, "Snakemake": 10, "Parsl": 18}))[
        1
    ]
    assert "NOT EQUAL" in as_table(result(steps={"1": 9, "2": 10}))[0]


def test_each_round_is_its_own_measure() -> None:
    """A round in which the machine was slow counts like any other: its times are divided by luigi's
    of that round.
    """
    fast = [
        timing(IDLE, "luigi", 0.2),
        timing(IDLE, "autoctrl", 0.1, 25),
        timing(IDLE, "luigi", 0.4),
    ]
    slow = [timing(IDLE, "luigi", 3), timing(IDLE, "autoctrl", 1, 26)]
    ours = summarise([fast, slow, slow])[IDLE]["autoctrl"]
    assert ours == {"ratio": 0.3333, "wall_s": 1, "cpu_s": 0.5, "peak_mib": 26, "repetitions": 3}


def services(**changes: float) -> dict[str, Any]:
    """Return figures of services in which every limit is just kept, but for what is changed."""
    chosen = {
        "done": 1.7,
        "waiting": 1.7,
        "requests": 30,
        "data_writes": 1,
        "call": 1.3,
        "cycle": 2.0,
        "kib": 1.0,
    }
    chosen |= changes
    seconds = {
        "done": chosen["done"],
        "waiting": chosen["waiting"],
        "few": 1,
        "import": 0.5,
        "sqlite": 0.4,
        "scan": 9,
    }
    rows = summarise_services(
        [{name: Sample(value, value, 9) for name, value in {**seconds, "unit": 1.0}.items()}]
    )
    return {"influxdb2": influxdb(rows, chosen), "htcondor": htcondor(chosen)}


def influxdb(rows: object, chosen: dict[str, float]) -> dict[str, Any]:
    """Return the figures of the store."""
    counts = {"all": 30, "writes": 3, "connections": 5, "answered_bytes": 1}
    waiting = counts | {"all": chosen["requests"]}
    return {
        "rows": rows,
        "requests": {"done": counts, "waiting": waiting, "few": counts},
        "footprint": {"tasks": 10, "series": 20, "bytes": 30, "sqlite_bytes": 40},
        "transitions": {
            "influxdb_s": 1,
            "sqlite_s": 1,
            "data_writes": chosen["data_writes"],
            "writes": 4,
        },
    }


def htcondor(chosen: dict[str, float]) -> dict[str, Any]:
    """Return the figures of the executor."""
    calls = {
        "submit": 9,
        "raw_submit": 8,
        "submit_times": chosen["call"],
        "poll": 9,
        "raw_poll": 8,
        "poll_times": 1.0,
    }
    pair = {"ours": 9, "raw": 8, "times": chosen["cycle"], "kib": chosen["kib"]}
    return {
        "jobs": 10,
        "calls": {"shared": calls},
        "cycles": {"submit": pair, "poll": pair},
    }


def test_limits_of_the_services_that_are_just_kept() -> None:
    """Of a cycle in InfluxDB counts what is beyond importing its client, and equal to the limit is
    good enough.
    """
    table, is_reached = as_services_table(services())
    assert is_reached
    assert "MISSED" not in table
    assert "1.20" in table


@pytest.mark.parametrize(
    ("name", "value", "times"),
    [
        ("done", 1.8, 1), ("waiting", 1.8, 1), ("requests", 31, 1), ("data_writes", 2, 1),
        ("call", 1.4, 1), ("cycle", 2.1, 2), ("kib", 1.1, 2),
    ],
)  # fmt: skip
def test_a_missed_limit_of_a_service_is_said(name: str, value: float, times: int) -> None:
    """Each limit of a service is judged by itself."""
    table, is_reached = as_services_table(services(**{name: value}))
    assert not is_reached
    assert table.count("MISSED") == times


def test_services_that_are_not_installed() -> None:
    """Where a server is not installed its part says why, and misses nothing."""
    table, is_reached = as_services_table(
        {"influxdb2": {"missing": "needs go"}, "htcondor": {"missing": "no package"}}
    )
    assert is_reached
    assert "InfluxDB 2.7: not measured, needs go" in table
    assert "HTCondor: not measured, no package" in table


def test_a_service_that_fails() -> None:
    """A service whose measurement fails is a missed figure, and takes nothing from the others."""
    table, is_reached = as_services_table({**services(), "htcondor": {"failed": "no answer"}})
    assert not is_reached
    assert "HTCondor: no answer" in table
    assert table.count("reached") == 4


def test_the_picture_shows_what_was_measured() -> None:
    """Each part that was measured has a panel, and one that is missing has none."""
    absent = {"influxdb2": {"missing": "x"}, "htcondor": {"missing": "y"}}
    assert len(list(panels({**result(), "services": services()}))) == 3
    assert len(list(panels({**result(), "services": absent}))) == 1
    assert [len(bars) for _, bars in panels({"services": services()})] == [2, 4]


def test_what_requests_are_about() -> None:
    """A write is named by its measurements, a query by its streams and what they select."""
    assert about("/api/v2/write?bucket=b", b"journal,kind=task body=1 5\ntask\\,x,a=b y=1 5") == (
        "/api/v2/write 2 points: journal, task\\,x"
    )
    script = (
        rb'{"query": "a |> yield(name: \"words\")\n filter(r.kind == \"pause\") |> yield(name: '
        rb'\"marks\")\n"}'
    )
    assert about("/api/v2/query?org=o", script) == "/api/v2/query words, marks (pause)"
