"""Which runs a page of the overview shows: fifty at a time, filtered, newest first or sorted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.views.finding import find_runs, find_sorted, possible_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.ports import Store
    from autoctrl.views import Overview, RunRow
    from autoctrl.views.filter import Filter

PAGE = 50


class Place(NamedTuple):
    """Where in the list of runs a page begins.

    before  only runs older than this one
    after   only runs newer than this one
    skip    how many are left out at the beginning, where they are sorted
    """

    before: int | None = None
    after: int | None = None
    skip: int = 0


class Page(NamedTuple):
    """One page of the overview.

    seen      the overview of the runs shown
    rows      the same rows, in the page's order
    total     runs that the selection means, whatever else is asked for
    has_newer, has_older  there may be more on either side; of sorted ones before and after
    """

    seen: Overview
    rows: tuple[RunRow, ...]
    total: int
    has_newer: bool
    has_older: bool


def page_of(
    store: Store,
    campaign: str,
    numbers: Sequence[int],
    chosen: Filter,
    place: Place,
    *,
    size: int = PAGE,
) -> Page:
    """Return the page of the overview that was chosen, of some of a campaign's runs in order;
    ``size`` is the largest number of runs that it has.

    Raises ``UsageError`` for an unknown campaign.
    """
    possible = possible_runs(store, campaign, chosen)
    candidates = numbers if possible is None else [one for one in numbers if one in possible]
    if chosen.sort is not None:
        part = slice(place.skip, place.skip + size)
        found = find_sorted(store, campaign, candidates[::-1], chosen, part=part)
        return Page(found.seen, found.seen.runs, len(numbers), place.skip > 0, found.has_more)
    walk = _walk(candidates, place)
    found = find_runs(store, campaign, walk.numbers, chosen, size)
    rows = found.seen.runs[::-1]
    if walk.is_upwards:
        return Page(found.seen, rows, len(numbers), found.has_more, walk.is_cut)
    return Page(found.seen, rows, len(numbers), walk.is_cut, found.has_more)


class _Walk(NamedTuple):
    """The runs that a page may show, the first of them first.

    numbers     of the runs
    is_upwards  from older to newer ones
    is_cut      there are more where the walk begins
    """

    numbers: Sequence[int]
    is_upwards: bool
    is_cut: bool


def _walk(candidates: Sequence[int], place: Place) -> _Walk:
    """Return the candidates from where the page begins: older ones backwards, newer ones up."""
    if place.after is not None and place.before is None:
        begin = bisect_right(candidates, place.after)
        return _Walk(candidates[begin:], is_upwards=True, is_cut=begin > 0)
    end = len(candidates) if place.before is None else bisect_left(candidates, place.before)
    return _Walk(candidates[:end][::-1], is_upwards=False, is_cut=end < len(candidates))
