"""One point for each run of each campaign, derived from the records, for tables in Grafana; pure.

The store reads it only to see which cells are there no more, and it can be made anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.status import TaskStatus, combine_statuses
from autoctrl.model.task import TaskRecord
from autoctrl.model.unit import NO_RUN, group_unit, is_group, run_unit
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.points import NS_PER_S, field_text, line, readable_fields, tag_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autoctrl.model.run import RunRecord, Value
    from autoctrl.ports import Record

BOARD = "board"
# A Monday, so that one shard of a week holds what most experiments will ever have; a bucket that
# forgets after ten years keeps it.
FIRST_NS = round(datetime(2024, 1, 8, tzinfo=UTC).timestamp()) * NS_PER_S
ANY_RUN = range(NO_RUN)
ATTRIBUTE = "attr_"
OWN = frozenset({"run", "status", "open", "start", "start_s", "end", "end_s", "time"})
RUN_TIMES = ("start", "end")
_ODD_IN_KEY = re.compile(r"[^A-Za-z0-9_]")


class Row(NamedTuple):
    """Which point is meant: one run in one campaign."""

    campaign: str
    run: int


class RunSpan(NamedTuple):
    """When the data of a unit were taken.

    runs   its runs, sorted
    start  when the first of them began, None if unknown
    end    when the last of them ended, None if unknown
    """

    runs: Sequence[int]
    start: datetime | None
    end: datetime | None

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield the fields that custom fields carry: the run if it is one, and both times."""
        if len(self.runs) == 1:
            yield "run_number", f"{self.runs[0]}i"
        for name, moment in (("run_start_s", self.start), ("run_end_s", self.end)):
            if moment is not None:
                yield name, repr(moment.timestamp())


UNKNOWN_SPAN = RunSpan((), None, None)


class Cell(NamedTuple):
    """Where one run stands in one workflow."""

    workflow: str
    status: TaskStatus


def board_time(run: int) -> int:
    """Return the time of a run's point, ns since 1970: the runs in the order of their numbers."""
    return FIRST_NS + run


def run_at(time_ns: int) -> int:
    """Return the run whose point has this time."""
    return time_ns - FIRST_NS


def cell_name(workflow: str) -> str:
    """Return the field of a workflow: its name, unless the board has a field of that name."""
    name = tag_text(workflow)
    return f"{name}_" if name in OWN or name.startswith(ATTRIBUTE) else name


def is_cell(field: str) -> bool:
    """Whether a field of the board holds the status of one workflow."""
    return field not in OWN and not field.startswith(ATTRIBUTE)


def rows_of(records: Iterable[Record]) -> dict[str, set[int]]:
    """Return the runs whose points new tasks change, by campaign."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for record in records:
        if isinstance(record, TaskRecord):
            runs: tuple[int, ...] = record.members
            found[record.key.campaign].update(filter(has_place, runs))
    return dict(found)


def runs_of_unit(unit: str) -> tuple[int, ...]:
    """Return the run that a unit is, none for a group."""
    return (int(unit),) if unit.isascii() and unit.isdecimal() else ()


def has_place(run: int) -> bool:
    """Whether the board has a place for a run of this number."""
    return run in ANY_RUN


def units_of(runs: Iterable[RunRecord]) -> dict[str, list[int]]:
    """Return the units that these runs may belong to: themselves, and a group by each attribute."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for run in runs:
        found[run_unit(run.number)].append(run.number)
        for name, value in run.attributes.items():
            found[group_unit(name, value)].append(run.number)
    return dict(found)


def ask_statuses(
    bucket: str, units: Iterable[str], campaigns: Iterable[str] | None, upto: int
) -> str:
    """Ask for the last status of every task of these units, and for the last body of a group's.

    ``campaigns`` None means all.
    """
    listed = list(units)
    groups = [unit for unit in listed if is_group(unit)]
    wanted = 'r._field == "status"'
    if groups:
        wanted = f"({wanted} or ({flux.BODIES} and {flux.one_of('unit', groups)}))"
    conditions = [flux.measurement("task"), wanted, flux.one_of("unit", listed)]
    if campaigns is not None:
        conditions.append(flux.one_of("campaign", sorted(campaigns)))
    columns = ["campaign", "workflow", "unit"]
    span = flux.Positions(0, upto)
    return flux.select(bucket, "statuses", conditions, span, columns=columns, then=flux.LAST)


def ask_rows(bucket: str, runs: Iterable[int], campaign: str | None = None) -> str:
    """Ask for the points of the runs from the first to the last of these; None: all campaigns."""
    listed = list(runs)
    conditions = [flux.measurement(BOARD)]
    if campaign is not None:
        conditions.append(flux.equal("campaign", campaign))
    times_ns = board_time(min(listed)), board_time(max(listed)) + 1
    return flux.between(bucket, BOARD, conditions, times_ns, columns=["campaign"])


def board_lines(row: Row, run: RunRecord | None, cells: Iterable[Cell]) -> list[str]:
    """Return the points of a run that make one: where it stands, and what is known of it.

    They are two, since the server refuses one whole if an attribute's type has changed.
    """
    chosen = sorted(cells)
    status = combine_statuses(cell.status for cell in chosen)
    written = [
        ("run", f"{row.run}i"),
        ("status", field_text(status)),
        *((cell_name(cell.workflow), field_text(cell.status)) for cell in chosen),
    ]
    tags, time_ns = {"campaign": row.campaign}, board_time(row.run)
    found = [line(BOARD, tags, written, time_ns)]
    if run is not None:
        found.append(line(BOARD, tags, run_fields(run), time_ns))
    return found


def run_fields(run: RunRecord) -> Iterator[tuple[str, str]]:
    """Yield what is known of a run: a number stays one, and a time is both text and seconds."""
    yield "open", "false" if run.is_closed else "true"
    for name, value in run.attributes.items():
        yield from _value_fields(ATTRIBUTE + _ODD_IN_KEY.sub("_", name), value)
    yield from span_fields(run.attributes)


def span_fields(attributes: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield when a run started and ended, as far as its attributes say so."""
    for name in RUN_TIMES:
        value = attributes.get(name)
        if isinstance(value, datetime):
            yield from _value_fields(name, value)


def _value_fields(name: str, value: Value) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool):
        yield name, "true" if value else "false"
        return
    yield from readable_fields({name: value})
    if isinstance(value, datetime):
        yield f"{name}_s", repr(value.timestamp())


def blank_line(row: Row, names: Iterable[str]) -> str:
    """Return the point that empties cells which a run has no more."""
    fields = [(name, field_text("")) for name in sorted(names)]
    return line(BOARD, {"campaign": row.campaign}, fields, board_time(row.run))
