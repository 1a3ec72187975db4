"""The verb that registers runs and their attributes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.names import RUNS_LEASE
from autoctrl.model.run import RunRecord, parse_attribute
from autoctrl.model.succession import following
from autoctrl.model.unit import parse_runs
from autoctrl.verbs.request import hold, write

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from autoctrl.verbs.request import Request


class Registration(NamedTuple):
    """What came of registering runs.

    added      runs that were not known
    changed    runs of which something is different now
    unchanged  runs of which all was known; nothing was written for them
    """

    added: tuple[int, ...]
    changed: tuple[int, ...]
    unchanged: tuple[int, ...]


def add_runs(
    request: Request,
    runs: str,
    given: Mapping[str, str],
    types: Mapping[str, str],
    *,
    is_closed: bool | None = None,
) -> Registration:
    """Register runs, or set attributes of runs that are known.

    Attributes that are not given stay as they are. ``types`` are the declared types of attributes.
    ``is_closed`` None closes new runs and leaves known ones alone. Raises ``UsageError`` for what
    is not a selection of runs, and for an attribute that is not declared or of another type.
    """
    numbers = parse_runs(runs)
    values = {name: parse_attribute(name, text, types) for name, text in given.items()}
    with hold(request, RUNS_LEASE) as lease:
        known = {record.number: record for record in request.store.runs(numbers=numbers).records}
        first = RunRecord(0, values, is_closed is not False, request.clock.now(), request.actor)
        records = [
            _record(number, known.get(number), first, is_closed=is_closed) for number in numbers
        ]
        fresh = [record for record in records if _is_news(record, known.get(record.number))]
        write(request, fresh, lease)
    return _registration(numbers, known, {record.number for record in fresh})


def _registration(
    numbers: Sequence[int], known: Container[int], written: Container[int]
) -> Registration:
    return Registration(
        added=tuple(number for number in numbers if number not in known),
        changed=tuple(number for number in numbers if number in known and number in written),
        unchanged=tuple(number for number in numbers if number not in written),
    )


def _record(
    number: int, before: RunRecord | None, first: RunRecord, *, is_closed: bool | None
) -> RunRecord:
    """Return what is to be known of a run from now on."""
    if before is None:
        return first._replace(number=number)
    learned = first._replace(
        number=number,
        attributes={**before.attributes, **first.attributes},
        is_closed=before.is_closed if is_closed is None else is_closed,
    )
    return following(before, learned)


def _is_news(record: RunRecord, before: RunRecord | None) -> bool:
    if before is None:
        return True
    return (record.attributes, record.is_closed) != (before.attributes, before.is_closed)
