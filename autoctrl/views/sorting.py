"""By what runs are sorted: as it is written, as it is understood, and the runs in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import UsageError, nearest
from autoctrl.model.quality import ALARM
from autoctrl.model.status import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from autoctrl.views.overview import Cell, RunRow

NEWEST, OLDEST, STATUS, AGE = "newest", "oldest", "status", "age"
WORDS = (NEWEST, OLDEST, STATUS, AGE)
BACKWARDS = "-"
# What asks for a person comes first.
URGENCY = (
    TaskStatus.FAILED,
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.SKIPPED,
    TaskStatus.DONE,
)
OF_AN_ALARM = 0.5
LASTING = frozenset({TaskStatus.FAILED, TaskStatus.NEW, TaskStatus.PROCESSING})


class Sort(NamedTuple):
    """By what runs are sorted.

    word         ``newest`` or ``oldest``, ``status``, ``age``; empty where a name is meant
    workflow     by their tasks in this workflow
    attribute    by this attribute
    is_reversed  the other way round; a run of which nothing is known comes last all the same
    """

    word: str = ""
    workflow: str = ""
    attribute: str = ""
    is_reversed: bool = False

    @property
    def is_by_run(self) -> bool:
        """Whether the numbers of the runs say all."""
        return self.word in {NEWEST, OLDEST}

    def rank(self, row: RunRow) -> Any:  # noqa: ANN401 - an attribute has any of the types
        """Return by what a row is sorted, None if nothing is known."""
        if self.attribute:
            return row.attributes.get(self.attribute)
        if self.workflow:
            cell = row.tasks.get(self.workflow)
            return None if cell is None else rank_of(cell)
        if self.word == STATUS:
            return URGENCY.index(row.status)
        cells = (cell for cell in row.tasks.values() if cell is not None)
        return min(
            (cell.since for cell in cells if cell.status in LASTING and cell.since), default=None
        )


def rank_of(cell: Cell) -> float:
    """Return how urgent a task is, the most urgent first; an alarm comes after what has failed."""
    return OF_AN_ALARM if cell.quality == ALARM else URGENCY.index(cell.status)


def read_sort(text: str, workflows: Collection[str], attributes: Collection[str]) -> Sort | None:
    """Return by what a text says to sort, None for nothing: a word, or the name of a workflow or an
    attribute; with a ``-`` before it the other way round.

    Raises ``UsageError`` for another text, naming the nearest.
    """
    name = text.removeprefix(BACKWARDS)
    is_reversed = name != text
    if not text:
        return None
    if name in {NEWEST, OLDEST}:
        is_oldest = (name == OLDEST) != is_reversed
        return Sort(OLDEST if is_oldest else NEWEST)
    if name in WORDS:
        return Sort(name, is_reversed=is_reversed)
    if name in workflows:
        return Sort(workflow=name, is_reversed=is_reversed)
    if name in attributes:
        return Sort(attribute=name, is_reversed=is_reversed)
    message = f"Runs are not sorted by '{name[:40]}'. "
    message += nearest(name, (*WORDS, *workflows, *attributes))
    raise UsageError(message, hint="Sort by a word, a workflow or an attribute; -NAME reverses it.")


def in_order(ranked: list[tuple[Any, int]], sort: Sort) -> list[int]:
    """Return run numbers in order by their ranks; those that are alike stay as they were."""
    known = [one for one in ranked if one[0] is not None]
    known.sort(key=_rank_alone, reverse=sort.is_reversed)
    return [number for _, number in known] + [number for rank, number in ranked if rank is None]


def _rank_alone(one: tuple[Any, int]) -> Any:  # noqa: ANN401 - see rank
    return one[0]
