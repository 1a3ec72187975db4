"""The table of the benchmark judges what it shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.bench import summarise
from tests.benchmarks.field import Timing
from tests.benchmarks.measuring import Sample
from tests.benchmarks.report import FIGURES, IDLE, IDLE_MORE, as_table


def timing(row: str, name: str, wall_s: float, peak_mib: float = 30) -> Timing:
    return Timing(row, name, Sample(wall_s, wall_s / 2, peak_mib))


def result(**changes: Any) -> dict[str, Any]:
    """Return a result in which every figure is just reached."""
    first = [timing(figure.row, "autoctrl", figure.bound) for figure in FIGURES]
    rows = summarise([[*first, timing(IDLE, "luigi", 1), timing("adding", "autoctrl", 1)]])
    fixed = {"many": 1_000_000, "rows": rows, "steps": {"1": 9, "2": 9}, "append_us": 1.0, "open_tasks_us": 1.0}
    return {**fixed, "lines": {"autoctrl": 10, "luigi": 17, "Snakemake": 10, "Parsl": 18}, **changes}


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
    assert not as_table(result(lines={"autoctrl": 11, "luigi": 17, "Snakemake": 10, "Parsl": 18}))[1]
    assert "NOT EQUAL" in as_table(result(steps={"1": 9, "2": 10}))[0]


def test_each_round_is_its_own_measure() -> None:
    """A round in which the machine was slow counts like any other: its times are divided by luigi's of that round."""
    fast = [timing(IDLE, "luigi", 0.2), timing(IDLE, "autoctrl", 0.1, 25), timing(IDLE, "luigi", 0.4)]
    slow = [timing(IDLE, "luigi", 3), timing(IDLE, "autoctrl", 1, 26)]
    ours = summarise([fast, slow, slow])[IDLE]["autoctrl"]
    assert ours == {"ratio": 0.3333, "wall_s": 1, "cpu_s": 0.5, "peak_mib": 26, "repetitions": 3}
