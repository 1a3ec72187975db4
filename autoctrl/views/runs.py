"""The runs that a page or a table is about."""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.model.unit import group_unit, is_group, parse_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from autoctrl.model.actor import Actor
    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord, Value
    from autoctrl.ports import Store

ASK_FOR_ALL = 2000


class Chosen(NamedTuple):
    """The runs that are shown, and how many there are.

    records   the runs shown, newest last
    total     runs that could be shown
    position  the store's present position in the list of runs
    """

    records: tuple[RunRecord, ...]
    total: int
    position: int


class RunLine(NamedTuple):
    """One run as ``runs list`` shows it.

    run         run number
    attributes  typed values by name
    is_closed   data taking has ended
    since       when the newest of this was learned
    actor       who said so
    revision    how often something new was learned
    """

    run: int
    attributes: Mapping[str, Value]
    is_closed: bool
    since: datetime
    actor: Actor
    revision: int


def choose_runs(
    store: Store, campaign: Campaign, numbers: Sequence[int] | None, limit: int | None
) -> Chosen:
    """Return the campaign's runs; only those of ``numbers`` and only the ``limit`` newest, if
    given.
    """
    wanted = None if campaign.follow else campaign.wanted()
    if numbers is not None:
        wanted = frozenset(numbers) if wanted is None else wanted.intersection(numbers)
    records, position = _read_runs(store, wanted)
    begin = 0 if limit is None else max(0, len(records) - limit)
    return Chosen(tuple(records[begin:]), len(records), position)


def _read_runs(store: Store, wanted: frozenset[int] | None) -> tuple[list[RunRecord], int]:
    """Return the runs that are wanted, all for None, and the store's position."""
    if wanted is None:
        return store.runs()
    if len(wanted) <= ASK_FOR_ALL:
        return store.runs(numbers=sorted(wanted))
    records, position = store.runs()
    return [record for record in records if record.number in wanted], position


def list_runs(
    store: Store, campaign: Campaign, numbers: Sequence[int] | None, limit: int | None
) -> list[RunLine]:
    """Return lines about the campaign's runs, by number."""
    return [
        RunLine(run.number, run.attributes, run.is_closed, run.time, run.actor, run.sequence)
        for run in choose_runs(store, campaign, numbers, limit).records
    ]


class RunIndex:
    """The numbers of all runs, in order; asks the store only for what is new."""

    def __init__(self, store: Store) -> None:
        """Know nothing until it is asked."""
        self._store, self._lock = store, Lock()
        self._numbers: list[int] = []
        self._position = 0

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all runs that are registered now; the list is not to be changed."""
        with self._lock:
            written, position = self._store.run_numbers(self._position)
            new = set(written).difference(self._numbers) if written else set()
            if new:
                self._numbers = sorted([*self._numbers, *new])
            self._position = position
            return self._numbers


def select_runs(store: Store, known: Sequence[int], text: str) -> list[int]:
    """Return those of the known runs, whose numbers are in order, that a selection means; all if it
    is empty. A group, such as ``fill:8222``, means the runs that have its attribute.

    Raises ``UsageError`` for what is not a selection.
    """
    if not text.strip():
        return list(known)
    ranges, groups = _read_selection(text)
    chosen: set[int] = set()
    for runs in ranges:
        chosen.update(known[bisect_left(known, runs.start) : bisect_left(known, runs.stop)])
    if groups:
        records = store.runs().records
        chosen.update(run.number for run in records if groups & _groups_of(run))
    return sorted(chosen)


def _read_selection(text: str) -> tuple[list[range], frozenset[str]]:
    """Return the ranges and the groups that a selection names."""
    pieces = [piece.strip() for piece in text.split(",")]
    groups = frozenset(filter(is_group, pieces))
    rest = ",".join(piece for piece in pieces if piece not in groups)
    return parse_ranges(rest) if rest or not groups else [], groups


def _groups_of(run: RunRecord) -> frozenset[str]:
    """Return every group that a run may belong to."""
    return frozenset(group_unit(*attribute) for attribute in run.attributes.items())


def runs_of_campaign(
    store: Store, campaign: str, known: Sequence[int], selection: str
) -> list[int]:
    """Return those of the known runs that a selection means and the campaign has, in order.

    Raises ``UsageError`` for an unknown campaign and for what is not a selection.
    """
    mine = find_campaign(store, campaign)
    numbers = select_runs(store, known, selection)
    wanted = None if mine.follow else mine.wanted()
    return numbers if wanted is None else [number for number in numbers if number in wanted]
