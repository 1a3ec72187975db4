"""The figures, and the table that compares them with what was measured."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

START, IDLE, IDLE_MORE, IDLE_MANY, FRESH = "start", "idle", "idle_more", "idle_many", "fresh"
OURS = "autoctrl"
NAMES = (OURS, "luigi", "Snakemake", "Parsl")
PEAK_MIB, LINES = 40.0, 10
WIDTH = 46


class Figure(NamedTuple):
    """A bound on our time.

    row    key of the row
    title  what is done
    bound  in units of luigi's time for 1000 runs done
    """

    row: str
    title: str
    bound: float


FIGURES = (
    Figure(START, "1000 runs x 3 chained workflows, from nothing", 4.0),
    Figure(IDLE, "nothing to do, 1000 runs done", 0.8),
    Figure(IDLE_MORE, "nothing to do, 10,000 runs done", 0.8),
    Figure(IDLE_MANY, "nothing to do, {many:,} runs done", 1.0),
    Figure(FRESH, "10 new among 1000 runs", 1.2),
)


def say(text: str) -> None:
    """Tell on stderr how far we are."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def as_table(result: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table as people read it, and whether every figure was reached."""
    lines = [_line("in units of luigi's 'nothing to do, 1000'", "figure", NAMES)]
    verdicts: list[bool] = []
    for figure in FIGURES:
        found = result["rows"][figure.row]
        cells = [f"{found[name]['ratio']:.2f}" if name in found else "-" for name in NAMES]
        verdicts.append(found[OURS]["ratio"] <= figure.bound)
        lines.append(
            _line(
                figure.title.format(many=result["many"]),
                f"<= {figure.bound:g}",
                cells,
                verdicts[-1],
            )
        )
    rows = result["rows"]
    more = rows[IDLE_MORE]
    cells = [f"{more[name]['peak_mib']:.0f} MiB" if name in more else "-" for name in NAMES]
    verdicts.append(more[OURS]["peak_mib"] <= PEAK_MIB)
    lines.append(
        _line(
            "peak memory, nothing to do, 10,000 runs done",
            f"<= {PEAK_MIB:g} MiB",
            cells,
            verdicts[-1],
        )
    )
    verdicts.append(result["lines"][OURS] <= LINES)
    written = [str(result["lines"][name]) for name in NAMES]
    lines.append(_line("lines a user writes", f"<= {LINES}", written, verdicts[-1]))
    verdicts.append(len(set(result["steps"].values())) == 1)
    lines += ["", *_counted(result, is_equal=verdicts[-1])]
    return "\n".join(lines), all(verdicts)


def _counted(result: Mapping[str, Any], *, is_equal: bool) -> list[str]:
    """Return what is counted, or timed without the command line, a sentence each."""
    rows = result["rows"]
    counted = ", ".join(f"{name}: {number}" for name, number in result["steps"].items())
    return [
        (
            f"steps of SQLite in an idle cycle, by runs done: {counted} "
            f"({'equal' if is_equal else 'NOT EQUAL'})"
        ),
        (
            "adding 1000 runs on the command line, not in 'from nothing': "
            f"{rows['adding'][OURS]['ratio']:.2f} units"
        ),
        (
            f"store: append {result['append_us']:.1f} us per record, open_tasks "
            f"{result['open_tasks_us']:.1f} us per task"
        ),
        f"the unit: {rows[IDLE]['luigi']['wall_s']:.3f} s",
    ]


def _line(title: str, bound: str, cells: Iterable[str], *verdicts: bool) -> str:
    verdict = "".join("reached" if is_reached else "MISSED" for is_reached in verdicts)
    return (
        f"{title:<{WIDTH}}{bound:>10}{''.join(f'{cell:>11}' for cell in cells)}  {verdict}".rstrip()
    )
