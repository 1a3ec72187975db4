"""The tables of the page and of the board: what was measured, beside its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.benchmarks.production_report import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_RATIO, MOST_MIB, MOST_SLOWER, MOST_EMPTY = 3.0, 150.0, 1.1, 8.0
SERVERS = {"influxdb1": "InfluxDB 1.8", "influxdb2": "InfluxDB 2.7"}


def as_page_table(found: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table of the page, and whether no limit was missed."""
    overview, constant = found["overview_ms"], found["constant_ms"]
    lines = [
        Line(f"the page, {found['runs']:,} runs, {found['seconds']:.0f} s", "", ("p50", "p99")),
        Line("the overview, ms", "", (f"{overview['p50']:.1f}", f"{overview['p99']:.1f}")),
        Line("a constant page, ms", "", (f"{constant['p50']:.1f}", f"{constant['p99']:.1f}")),
        _line("p99 of the overview / of the constant page", MOST_RATIO, found["ratio"]),
        _line("answers that were none", 0, found["refused"], digits=0),
        _line("memory beyond imports, MiB", MOST_MIB, found["mib"], digits=0),
        _line("an idle cycle beside it / beside the constant page", MOST_SLOWER, found["slower"]),
        Line("the same in processor time", "", (f"{found['slower_cpu']:.2f}",)),
        Line("an idle cycle alone, s", "", (f"{found['cycle_alone_s']:.3f}",)),
        Line("beside the constant page, s", "", (f"{found['cycle_beside_constant_s']:.3f}",)),
        Line("beside the overview, s", "", (f"{found['cycle_s']:.3f}",)),
    ]
    return "\n".join(map(str, lines)), _is_reached(lines)


def as_board_table(boards: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table of the board, and whether no limit was missed; a server that is not here
    misses none.
    """
    lines = [line for name, found in boards.items() for line in _board_lines(SERVERS[name], found)]
    return "\n".join(map(str, lines)), _is_reached(lines)


def _board_lines(name: str, found: Mapping[str, Any]) -> list[Line]:
    if "missing" in found:
        return [Line(f"{name}: not measured, {found['missing']}")]
    if "failed" in found:
        return [Line(f"{name}: {found['failed']}", verdict=False)]
    return [
        Line(
            f"{name}, {language}: newest 200 of 10,000 x 20 / empty",
            f"<= {MOST_EMPTY:g}",
            (f"{one['ratio']:.1f}", f"{one['table_ms']:.1f} ms", f"{one['empty_ms']:.1f} ms"),
            one["ratio"] <= MOST_EMPTY,
        )
        for language, one in found.items()
    ]


def _line(title: str, bound: float, value: float, digits: int = 2) -> Line:
    return Line(title, f"<= {bound:g}", (f"{value:.{digits}f}",), value <= bound)


def _is_reached(lines: list[Line]) -> bool:
    return all(line.verdict is not False for line in lines)
