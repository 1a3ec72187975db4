"""The table of the production services: what was measured, beside its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BEYOND_UNITS = 1.2
CALL_TIMES, CYCLE_TIMES, JOB_KIB = 1.3, 2.0, 1.0
DATA_WRITES = 1
TITLE, BOUND, CELL = 52, 10, 12


class Line(NamedTuple):
    """One line of the table.

    title    what is done
    bound    its limit as people read it, empty if it has none
    cells    what was measured
    verdict  whether the limit was kept, None if there is none
    """

    title: str
    bound: str = ""
    cells: tuple[str, ...] = ()
    verdict: bool | None = None

    def __str__(self) -> str:
        said = {True: "reached", False: "MISSED", None: ""}[self.verdict]
        cells = "".join(f"{cell:>{CELL}}" for cell in self.cells)
        return f"{self.title:<{TITLE}}{self.bound:>{BOUND}}{cells}  {said}".rstrip()


def as_services_table(services: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the table of the services, and whether no limit was missed; one that is not here
    misses none.
    """
    lines: list[Line] = []
    for key, name, tell in (
        ("influxdb2", "InfluxDB 2.7", influx_lines),
        ("htcondor", "HTCondor", condor_lines),
    ):
        if key in services:
            lines += [*_service_lines(name, services[key], tell), Line("")]
    return "\n".join(map(str, lines[:-1])), all(line.verdict is not False for line in lines)


def _service_lines(
    name: str, found: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], list[Line]]
) -> list[Line]:
    if "missing" in found:
        return [Line(f"{name}: not measured, {found['missing']}")]
    return [Line(f"{name}: {found['failed']}", verdict=False)] if "failed" in found else tell(found)


def influx_lines(found: Mapping[str, Any]) -> list[Line]:
    """Return the lines of InfluxDB: what is beyond the import of the client, beside SQLite and a
    plain query.
    """
    rows, requests = found["rows"], found["requests"]

    def units(name: str) -> str:
        return f"{rows[name]['ratio']:.2f}"

    def within(kind: str) -> Line:
        titles = {
            "done": "nothing to do, 10,000 x 3 done",
            "waiting": "the same after 20 tasks that wait",
        }
        is_kept = rows[kind]["ratio"] <= BEYOND_UNITS
        beside = (units("sqlite"), units("scan")) if kind == "done" else ()
        return Line(titles[kind], f"<= {BEYOND_UNITS:g}", (units(kind), *beside), is_kept)

    unit_s = rows["unit"]["wall_s"]
    is_equal = requests["waiting"]["all"] == requests["few"]["all"]
    both = f"{requests['waiting']['all']} and {requests['few']['all']}"
    one = requests["done"]
    return [
        Line(
            "in units of luigi's, beyond importing the client",
            "figure",
            ("InfluxDB", "SQLite", "plain scan"),
        ),
        within("done"),
        within("waiting"),
        Line("those 20 tasks alone", "", (units("few"),)),
        Line(f"importing the client: {units('import')} units; the unit: {unit_s:.3f} s"),
        Line(
            "seconds of our processor, and of the unit's",
            "",
            (
                f"{rows['done']['cpu_s']:.3f}",
                f"{rows['sqlite']['cpu_s']:.3f}",
                f"{rows['unit']['cpu_s']:.3f}",
            ),
        ),
        Line(f"requests of an idle cycle: {one['all']}, {one['writes']} of them writes"),
        Line(f"requests with 20 that wait, after others and alone: {both}", "equal", (), is_equal),
        *_kept_lines(found["footprint"]),
        *_transition_lines(found["transitions"], unit_s),
    ]


def _kept_lines(kept: Mapping[str, Any]) -> list[Line]:
    tasks = kept["tasks"]
    return [
        Line(f"series per task that is done, of {tasks:,}", "", (f"{kept['series'] / tasks:.1f}",)),
        Line(
            "bytes on the disk per task",
            "",
            (f"{kept['bytes'] / tasks:.0f}", f"{kept['sqlite_bytes'] / tasks:.0f}"),
        ),
    ]


def _transition_lines(moved: Mapping[str, Any], unit_s: float) -> list[Line]:
    cells = tuple(f"{moved[name] / unit_s:.2f}" for name in ("influxdb_s", "sqlite_s"))
    writes = f"{moved['data_writes']:g}"
    return [
        Line("1000 transitions, one append", "", cells),
        Line(
            f"writes of records for it; all writes: {moved['writes']:.1f}",
            f"<= {DATA_WRITES}",
            (writes,),
            moved["data_writes"] <= DATA_WRITES,
        ),
    ]  # fmt: skip


def condor_lines(found: Mapping[str, Any]) -> list[Line]:
    """Return the lines of HTCondor: seconds of ours and of the bindings alone, and how many times
    as long it takes.
    """
    jobs = found["jobs"]
    lines = [
        Line(
            f"{jobs:,} jobs in an HTCondor pool, seconds",
            "figure",
            ("autoctrl", "bindings", "times"),
        )
    ]
    lines += [
        _compared(
            f"Executor.{act}, {mode}",
            calls[act],
            calls[f"raw_{act}"],
            calls[f"{act}_times"],
            CALL_TIMES,
        )
        for mode, calls in found["calls"].items()
        for act in ("submit", "poll")
    ]
    for act, pair in found["cycles"].items():
        lines.append(
            _compared(
                f"the whole cycle that {act}s",
                pair["ours"],
                pair["raw"],
                pair["times"],
                CYCLE_TIMES,
            )
        )
    for act, pair in found["cycles"].items():
        title = f"memory per job beyond the bindings', cycle that {act}s"
        lines.append(
            Line(title, f"<= {JOB_KIB:g} KiB", (f"{pair['kib']:.2f} KiB",), pair["kib"] <= JOB_KIB)
        )
    return lines


def _compared(title: str, ours_s: float, raw_s: float, times: float, limit: float) -> Line:
    return Line(
        title, f"<= {limit:g} x", (f"{ours_s:.2f}", f"{raw_s:.2f}", f"{times:.2f}"), times <= limit
    )
