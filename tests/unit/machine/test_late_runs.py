"""A run that arrives after its group was processed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.handlers.batch import BatchHandler
from autoctrl.model.run import Where
from tests.unit.machine.room import Room

if TYPE_CHECKING:
    from pathlib import Path

FILLED = BatchHandler("filled", "tool {group}", runs=Where(kind="physics"), group_by="fill")


def test_only_runs_that_the_workflow_wants_are_late(tmp_path: Path) -> None:
    """A wanted run of a frozen group is noted as late, one that the filter does not admit is
    not.
    """
    room = Room(tmp_path, '[runs.attributes]\nfill = "int"\nkind = "str"\n')
    room.has_run(1, kind="physics", fill=7)
    room.has_run(2, kind="physics", fill=8)
    room.cycle(FILLED)
    room.has_run(3, kind="physics", fill=7)
    room.has_run(4, kind="pedestal", fill=7)
    room.cycle(FILLED)
    (mark,) = room.store.marks("workflow", "prompt")
    assert mark.values["late"] == {"fill:7": [3]}
    assert room.task("filled", "fill:7").members == (1,)
