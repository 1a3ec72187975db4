"""How a campaign stands: the runs that a reader asks for, the totals of all, and why tasks wait."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.views.as_json import to_plain
from autoctrl.views.conditions import list_conditions
from autoctrl.views.finding import find_runs, find_sorted, possible_runs
from autoctrl.views.reasons import shared_reasons
from autoctrl.views.runs import runs_of_campaign
from autoctrl.views.totals import read_everything, urgent_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from autoctrl.ports import Store
    from autoctrl.views.filter import Filter, FilterText
    from autoctrl.views.finding import FoundRuns
    from autoctrl.views.overview import Overview, RunRow
    from autoctrl.views.reasons import SharedReason
    from autoctrl.views.totals import DoneTasks, Totals

RUNS_AT_ONCE = 500


class Question(NamedTuple):
    """What a reader asks for.

    text    the filter as it was written
    chosen  what it means
    limit   how many of the newest runs that fit, None for all
    before  only runs older than this one, None for all
    skip    how many are left out at the beginning, where they are sorted
    silent_before, long_before  since when a campaign must have had a cycle, and since when a task
            is processing for long; None for never
    known_done  what was counted of done tasks already, see ``read_everything``
    """

    text: FilterText
    chosen: Filter
    limit: int | None = None
    before: int | None = None
    skip: int = 0
    silent_before: datetime | None = None
    long_before: datetime | None = None
    known_done: Mapping[tuple[str, str], DoneTasks] | None = None


class Standing(NamedTuple):
    """How a campaign stands.

    overview  the runs that fit
    has_more  others fit as well
    totals    how all runs stand
    reasons   why tasks wait or failed; of failures and alarms all that the filter does not exclude
    """

    overview: Overview
    has_more: bool
    totals: Totals
    reasons: list[SharedReason]

    def values(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        totals, reasons = self.totals.values(), to_plain(self.reasons)
        return {**self.overview.values(), "totals": totals, "reasons": reasons}


def read_standing(store: Store, campaign: str, known: Sequence[int], asked: Question) -> Standing:
    """Return how a campaign stands; ``known`` are the numbers of all registered runs, in order.

    Raises ``UsageError`` for an unknown campaign and for what is not a selection of runs.
    """
    chosen = asked.chosen
    wanted = runs_of_campaign(store, campaign, known, asked.text.runs)
    found = _find(store, campaign, _walk(store, campaign, wanted, asked), asked)
    everything = read_everything(
        store,
        campaign,
        runs_of_campaign(store, campaign, known, ""),
        silent_before=asked.silent_before,
        known_done=asked.known_done,
    )
    some = frozenset(wanted) if asked.text.runs else None
    urgent = urgent_for(everything, some, asked.text)
    conditions = list_conditions(store, campaign, asked.silent_before)
    total = len(wanted) if chosen.is_empty else len(found.seen.runs)
    return Standing(
        overview=found.seen._replace(conditions=conditions, total=total),
        has_more=found.has_more,
        totals=everything.totals,
        reasons=shared_reasons(_newest_first(found.seen.runs), urgent, asked.long_before),
    )


def _newest_first(rows: Sequence[RunRow]) -> list[RunRow]:
    return sorted(rows, key=lambda row: -row.run)


def _find(store: Store, campaign: str, walk: Sequence[int], asked: Question) -> FoundRuns:
    chosen, limit = asked.chosen, asked.limit
    if chosen.sort is None:
        return find_runs(store, campaign, walk, chosen, limit)
    part = slice(asked.skip, None if limit is None else asked.skip + limit)
    return find_sorted(store, campaign, walk, chosen, part=part)


def read_rows(
    store: Store, campaign: str, known: Sequence[int], asked: Question
) -> Iterator[Sequence[RunRow]]:
    """Yield the rows of all runs that fit, by run number, some at a time; whatever the limit."""
    wanted = runs_of_campaign(store, campaign, known, asked.text.runs)
    walk = _walk(store, campaign, wanted, asked)[::-1]
    for begin in range(0, len(walk), RUNS_AT_ONCE):
        some = walk[begin : begin + RUNS_AT_ONCE]
        yield find_runs(store, campaign, some, asked.chosen).seen.runs


def _walk(store: Store, campaign: str, wanted: Sequence[int], asked: Question) -> list[int]:
    """Return the runs that can fit, newest first."""
    possible = possible_runs(store, campaign, asked.chosen)
    end = len(wanted) if asked.before is None else bisect_left(wanted, asked.before)
    return [one for one in reversed(wanted[:end]) if possible is None or one in possible]
