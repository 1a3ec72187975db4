"""A workflow in a campaign: what its last cycle wrote down about itself, kept as its mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.run import Value

WORKFLOW = "workflow"


class Cursor(NamedTuple):
    """How far a workflow has looked.

    position  position in the list of runs, -1 before the first look
    digest    of the filter, the grouping and the campaign's list of runs that were used
    pending   runs of each group that is still open, by the group's value as text
    newest    the largest group value seen, None before the first
    ended     the newest group, as text, if its end is known, else empty
    """

    position: int = 0
    digest: str = ""
    pending: Mapping[str, tuple[int, ...]] = {}
    newest: Value | None = None
    ended: str = ""


class WorkflowState(NamedTuple):
    """What the last cycle of a workflow wrote down; kept as the values of its mark.

    cursor    how far it has looked
    group_by  attribute by which it groups runs, None if it works run by run
    after     the workflows that it waits for, by name
    late      runs that came too late for their group, by unit; None if nobody wrote that down
    kept      runs whose task had begun when the filter stopped taking them
    where     what its filter wants of each attribute, in words; None if nobody wrote that down
    """

    cursor: Cursor
    group_by: str | None = None
    after: tuple[str, ...] = ()
    late: Mapping[str, tuple[int, ...]] | None = None
    kept: frozenset[int] = frozenset()
    where: Mapping[str, str] | None = None

    @property
    def has_looked(self) -> bool:
        """Whether a cycle of it has been made."""
        return self.cursor.position >= 0

    def late_runs(self, unit: str) -> tuple[int, ...]:
        """Return the runs that came too late for a group."""
        return tuple((self.late or {}).get(unit, ()))

    def is_pending(self, value: str, run: int) -> bool:
        """Say whether a run belongs to a group, named by its value, that is still open."""
        return run in self.cursor.pending.get(value, ())

    def values(self) -> dict[str, Any]:
        """Return the mark's values."""
        late = {unit: list(runs) for unit, runs in (self.late or {}).items()}
        return {
            **self.cursor._asdict(),
            "group_by": self.group_by,
            "after": list(self.after),
            "late": late,
            "kept": sorted(self.kept),
            **({} if self.where is None else {"where": dict(self.where)}),
        }


UNSEEN = WorkflowState(Cursor(position=-1))


def read_workflow(values: Mapping[str, Any]) -> WorkflowState:
    """Return the state that the values of a mark of kind ``workflow`` describe.

    What they lack is as before the first cycle.
    """
    pending = values.get("pending") or {}
    late = values.get("late")
    cursor = Cursor(
        position=values.get("position", UNSEEN.cursor.position),
        digest=values.get("digest", ""),
        pending={value: tuple(runs) for value, runs in pending.items()},
        newest=values.get("newest"),
        ended=values.get("ended", ""),
    )
    return WorkflowState(
        cursor=cursor,
        group_by=values.get("group_by"),
        after=tuple(values.get("after") or ()),
        late=None if late is None else {unit: tuple(runs) for unit, runs in late.items()},
        kept=frozenset(values.get("kept") or ()),
        where=values.get("where"),
    )
