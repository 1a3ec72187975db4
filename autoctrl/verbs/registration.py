"""The verb that registers runs and their attributes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.names import RUNS_LEASE
from autoctrl.model.run import RunRecord, parse_attribute
from autoctrl.model.succession import following
from autoctrl.model.unit import parse_runs
from autoctrl.verbs.request import hold, write

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Register runs, or set attributes of runs that are known; attributes that are not given stay
    as they are.

    ``types`` are the declared types of attributes. ``is_closed`` None closes new runs and leaves
    known ones alone. Raises ``UsageError`` for a selection that is none, and for an attribute that
    is not declared or of another type.
    """
    numbers = parse_runs(runs)
    values = {name: parse_attribute(name, text, types) for name, text in given.items()}
    with hold(request, RUNS_LEASE) as lease:
        known = {record.number: record for record in request.store.runs(numbers=numbers).records}
        now = request.clock.now()
        first = RunRecord(0, values, is_closed is not False, now, request.actor)
        closing = {} if is_closed is None else {"is_closed": is_closed}
        records = [_record(number, known.get(number), first, closing) for number in numbers]
        fresh = [record for record in records if _is_news(record, known.get(record.number))]
        write(request, fresh, lease)
    news = {record.number for record in fresh}
    return Registration(
        added=tuple(number for number in numbers if number not in known),
        changed=tuple(number for number in numbers if number in known and number in news),
        unchanged=tuple(number for number in numbers if number not in news),
    )


def _record(
    number: int, before: RunRecord | None, first: RunRecord, closing: Mapping[str, bool]
) -> RunRecord:
    if before is None:
        return first._replace(number=number)
    learned = first._replace(
        number=number,
        attributes={**before.attributes, **first.attributes},
        is_closed=closing.get("is_closed", before.is_closed),
    )
    return following(before, learned)


def _is_news(record: RunRecord, before: RunRecord | None) -> bool:
    if before is None:
        return True
    return (record.attributes, record.is_closed) != (before.attributes, before.is_closed)
