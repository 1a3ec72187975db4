"""Which data an analyst wants: of which runs, and how good."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError, nearest
from autoctrl.model.quality import ALARM, WARNING, Quality
from autoctrl.model.unit import group_unit, is_group
from autoctrl.views.filter import read_where
from autoctrl.views.overview import read_overview
from autoctrl.views.runs import choose_runs, select_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from autoctrl.model.run import RunRecord
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


def find_allowed(store: Store, campaign: str, choice: Choice, types: Mapping[str, str]) -> Allowed:
    """Return which data a choice means; ``types`` are those of the declared run attributes.

    Raises ``UsageError`` for an unknown campaign, quality or attribute, for a value of another
    type, and for what is not a selection of runs.
    """
    quality, where = read_quality(choice.quality), read_where(choice.where, types)
    mine = find_campaign(store, campaign)
    if choice.runs.strip():
        numbers = _known_runs(store, choice.runs)
    elif where is None and quality is Quality.ANY:
        return Allowed()
    else:
        numbers = None
    records = choose_runs(store, mine, numbers, None).records
    if where is not None:
        records = tuple(run for run in records if where.admits(run.attributes) is True)
    runs = [run.number for run in records]
    if quality is Quality.ANY:
        return Allowed(frozenset(runs))
    return _judge(store, campaign, runs, REFUSED[quality])


def _known_runs(store: Store, selection: str) -> list[int]:
    """Return the registered runs that a selection means; a group means those that have its
    attribute.
    """
    pieces = [piece.strip() for piece in selection.split(",")]
    groups = set(filter(is_group, pieces))
    rest = ",".join(itertools.filterfalse(is_group, pieces))
    records = store.runs().records
    found = {run.number for run in records if groups & _groups_of(run)}
    if rest:
        found.update(select_runs([run.number for run in records], rest))
    return sorted(found)


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
