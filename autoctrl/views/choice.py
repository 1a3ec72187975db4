"""Which data an analyst wants: of which runs, and how good."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError, nearest
from autoctrl.model.quality import ALARM, WARNING, Quality
from autoctrl.model.unit import group_unit, is_group, parse_ranges
from autoctrl.views.filter import read_where
from autoctrl.views.overview import read_overview
from autoctrl.views.runs import choose_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from autoctrl.model.campaign import Campaign
    from autoctrl.model.run import RunRecord, Where
    from autoctrl.ports import Store

RUNS_AT_ONCE = 500


REFUSED = {
    Quality.USABLE: frozenset({ALARM}),
    Quality.GOOD: frozenset({ALARM, WARNING}),
}


class Choice(NamedTuple):
    """What an analyst asks for, as it is written.

    runs     a selection such as ``4500-4510,fill:8222``, empty for all
    where    attributes of the runs, such as ``kind=physics``; of one name any may hold
    quality  how good the data must be
    """

    runs: str = ""
    where: tuple[str, ...] = ()
    quality: str = Quality.ANY


class Allowed(NamedTuple):
    """Which data are meant.

    runs   numbers of the runs asked for, None for all
    bad    runs whose data are not good enough
    stale  tasks, by workflow and unit, that are stale and therefore not wanted
    """

    runs: frozenset[int] | None = None
    bad: frozenset[int] = frozenset()
    stale: frozenset[tuple[str, str]] = frozenset()

    def takes(self, workflow: str, unit: str, runs: Collection[int]) -> bool:
        """Say whether data of a task about these runs are meant: one run must be asked for, and
        none may be bad.
        """
        is_asked = self.runs is None or not self.runs.isdisjoint(runs)
        return is_asked and self.bad.isdisjoint(runs) and (workflow, unit) not in self.stale


class Understood(NamedTuple):
    """A choice as it is understood in a campaign.

    campaign  the campaign
    where     conditions on attributes, None for none
    quality   how good the data must be
    ranges    runs that are asked for, None for all
    groups    groups whose runs are asked for as well
    """

    campaign: Campaign
    where: Where | None
    quality: Quality
    ranges: Sequence[range] | None
    groups: frozenset[str]

    def allow(self, store: Store, among: Sequence[int] | None = None) -> Allowed:
        """Return which data are meant; ``among`` are the only runs that matter now, None for all.

        What this costs depends on how many those are.
        """
        if self.where is None and self.quality is Quality.ANY and self.ranges is None:
            return Allowed()
        runs = [run.number for run in self._read(store, among) if self._takes(run)]
        if self.quality is Quality.ANY:
            return Allowed(frozenset(runs))
        return _judge(store, self.campaign.name, runs, REFUSED[self.quality])

    def may_take(self, unit: str) -> bool:
        """Say whether data of a unit can be meant, as far as its name tells."""
        if self.ranges is None or self.groups or not unit.isdecimal():
            return True
        return any(int(unit) in runs for runs in self.ranges)

    def _read(self, store: Store, among: Sequence[int] | None) -> Iterator[RunRecord]:
        if among is None:
            yield from choose_runs(store, self.campaign, None, None).records
            return
        for begin in range(0, len(among), RUNS_AT_ONCE):
            some = among[begin : begin + RUNS_AT_ONCE]
            yield from choose_runs(store, self.campaign, some, None).records

    def _names(self, run: RunRecord, ranges: Sequence[range]) -> bool:
        """Say whether a run is asked for, by its number or by one of its groups."""
        return any(run.number in runs for runs in ranges) or bool(self.groups & _groups_of(run))

    def _takes(self, run: RunRecord) -> bool:
        if self.ranges is not None and not self._names(run, self.ranges):
            return False
        return self.where is None or self.where.admits(run.attributes) is True


def understand_choice(
    store: Store, campaign: str, choice: Choice, types: Mapping[str, str]
) -> Understood:
    """Return what a choice means; ``types`` are those of the declared run attributes.

    Raises ``UsageError`` for an unknown campaign, quality or attribute, for a value of another
    type, and for what is not a selection of runs.
    """
    quality, where = read_quality(choice.quality), read_where(choice.where, types)
    mine = find_campaign(store, campaign)
    if not choice.runs.strip():
        return Understood(mine, where, quality, None, frozenset())
    pieces = [piece.strip() for piece in choice.runs.split(",")]
    groups = frozenset(filter(is_group, pieces))
    rest = ",".join(itertools.filterfalse(is_group, pieces))
    ranges = parse_ranges(rest) if rest or not groups else []
    return Understood(mine, where, quality, tuple(ranges), groups)


def find_allowed(store: Store, campaign: str, choice: Choice, types: Mapping[str, str]) -> Allowed:
    """Return which data a choice means. Raises as ``understand_choice``."""
    return understand_choice(store, campaign, choice, types).allow(store)


def _groups_of(run: RunRecord) -> set[str]:
    """Return every group that a run could be in, by any of its attributes."""
    return {group_unit(*attribute) for attribute in run.attributes.items()}


def _judge(store: Store, campaign: str, runs: Sequence[int], refused: frozenset[str]) -> Allowed:
    bad: set[int] = set()
    stale: set[tuple[str, str]] = set()
    for begin in range(0, len(runs), RUNS_AT_ONCE):
        for row in read_overview(store, campaign, runs[begin : begin + RUNS_AT_ONCE]).runs:
            cells = {name: cell for name, cell in row.tasks.items() if cell is not None}
            if any(cell.quality in refused for cell in cells.values()):
                bad.add(row.run)
            stale.update((name, cell.unit) for name, cell in cells.items() if cell.stale)
    return Allowed(frozenset(runs), frozenset(bad), frozenset(stale))


def read_quality(text: str) -> Quality:
    """Return the quality that a word means. Raises ``UsageError`` naming the nearest."""
    try:
        return Quality(text)
    except ValueError as error:
        message = f"'{text[:40]}' is no quality of data. {nearest(text, Quality)}"
        raise UsageError(message, hint=f"There are {', '.join(Quality)}.") from error
