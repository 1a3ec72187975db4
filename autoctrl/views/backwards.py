"""Outputs and custom fields some at a time, the last ones first: never are all of them held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.model.unit import unit_order
from autoctrl.views.columns import find_column, find_columns
from autoctrl.views.fields import FieldsLine, read_fields
from autoctrl.views.outputs import OutputLine, read_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from autoctrl.ports import Store
    from autoctrl.views.choice import Understood
    from autoctrl.views.columns import Column

Line = TypeVar("Line", OutputLine, FieldsLine)
Item = TypeVar("Item")
UNITS_AT_ONCE = 200


class Place(NamedTuple):
    """Which part is wanted.

    limit   at most so many lines, or those of one task
    before  only what comes before this task, as ``workflow/unit``; empty for the last ones
    """

    limit: int
    before: str = ""


class Part(NamedTuple, Generic[Line]):
    """Some lines, in the order of the whole.

    lines   of whole tasks
    before  the place before which there is more, empty if there is not
    """

    lines: list[Line]
    before: str


class Question(NamedTuple):
    """What is asked for.

    workflow    whose lines, empty for those of all
    chosen      which data
    superseded  outputs of older versions, too
    """

    workflow: str
    chosen: Understood
    superseded: bool = False


def part_of_outputs(store: Store, asked: Question, place: Place) -> Part[OutputLine]:
    """Return a part of what ``list_outputs`` returns. Raises ``UsageError`` as that does, and for
    what is no place.
    """

    def read(column: Column, units: Sequence[str]) -> list[OutputLine]:
        return read_outputs(store, column, units, asked.chosen, superseded=asked.superseded)

    columns = _columns_of(store, asked)
    return _collect(_walk_back(store, columns, asked.chosen, place.before), read, place.limit)


def part_of_fields(store: Store, asked: Question, place: Place) -> Part[FieldsLine]:
    """Return a part of what ``list_fields`` returns; raises as ``part_of_outputs``."""

    def read(column: Column, units: Sequence[str]) -> list[FieldsLine]:
        return read_fields(store, column, units, asked.chosen)

    columns = _columns_of(store, asked)
    return _collect(_walk_back(store, columns, asked.chosen, place.before), read, place.limit)


def _columns_of(store: Store, asked: Question) -> list[Column]:
    campaign = asked.chosen.campaign.name
    columns = find_columns(store, find_lineage(store, campaign))
    return [find_column(columns, campaign, asked.workflow)] if asked.workflow else columns


def _walk_back(
    store: Store, columns: Sequence[Column], chosen: Understood, before: str
) -> Iterator[tuple[Column, Sequence[str]]]:
    """Yield the units before a place that can be meant, the last ones first, some at a time."""
    workflow, _, end = before.partition("/")
    for column in reversed(_columns_before(columns, before)):
        units = [*filter(chosen.may_take, store.units(column.campaign, column.workflow))]
        if column.workflow == workflow:
            units = [unit for unit in units if unit_order(unit) < unit_order(end)]
        ordered = sorted(units, key=unit_order, reverse=True)
        for begin in range(0, len(ordered), UNITS_AT_ONCE):
            yield column, ordered[begin : begin + UNITS_AT_ONCE]


def _columns_before(columns: Sequence[Column], before: str) -> Sequence[Column]:
    """Return the workflows up to that of a place, all without one."""
    if not before:
        return columns
    workflow, _, unit = before.partition("/")
    names = [column.workflow for column in columns]
    if workflow not in names or not unit:
        message = f"'{before[:80]}' is no place in this list."
        raise UsageError(message, hint="Take the one that the answer before named.")
    return columns[: names.index(workflow) + 1]


def _collect(
    walk: Iterable[tuple[Column, Sequence[str]]],
    read: Callable[[Column, Sequence[str]], list[Line]],
    limit: int,
) -> Part[Line]:
    """Read on until there is more than is wanted."""
    found: list[Line] = []
    for column, units in walk:
        by_unit: dict[str, list[Line]] = {}
        for line in read(column, units):
            by_unit.setdefault(line.unit, []).append(line)
        for unit in units:
            lines = by_unit.get(unit, [])
            if found and lines and len(found) + len(lines) > limit:
                return Part(found[::-1], f"{found[-1].workflow}/{found[-1].unit}")
            found += reversed(lines)
    return Part(found[::-1], "")


def part_of(items: Sequence[Item], limit: int, before: int | None) -> tuple[Sequence[Item], int]:
    """Return the last ones of a list that only grows, of those before a position, and the position
    of the first of them.
    """
    end = len(items) if before is None else min(before, len(items))
    begin = max(0, end - limit)
    return items[begin:end], begin
