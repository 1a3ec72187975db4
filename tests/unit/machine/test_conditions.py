"""Verdicts of a round on what it asked: sources, executors, disks, and what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import Conflict
from autoctrl.machine.conditions import (
    Present,
    judge_disks,
    judge_executors,
    judge_forgotten,
    judge_sources,
    write_conditions,
)
from autoctrl.machine.discover_runs import DiscoveredRuns
from autoctrl.machine.summary import Summary
from autoctrl.model.condition import CONDITION, ConditionKind, Verdict, is_open, judge
from autoctrl.stores.memory import MemoryStore
from tests.unit.given import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from autoctrl.ports import Lease, Record

SOURCE, MODULE, EXECUTOR, DISK, *_ = ConditionKind
DOWN = "nobody answers"
HERE = Present(frozenset({"table"}), frozenset(), frozenset(), is_whole=False)


def test_a_source_with_many_problems_is_one_condition() -> None:
    """The first three are named, the others counted; a source without problems is well."""
    found = DiscoveredRuns((), (), (), {"table": ("a", "b", "c", "d", "e"), "files": ()})
    assert list(judge_sources(found)) == [
        Verdict(SOURCE, "table", "a; b; c; and 2 more"),
        Verdict(SOURCE, "files"),
    ]


@pytest.mark.parametrize("answers", [("", DOWN), (DOWN, "")])
def test_an_executor_that_failed_anybody_is_not_well(answers: tuple[str, str]) -> None:
    """Whoever asked first."""
    summaries = [
        Summary(name, executors={"pool": said}) for name, said in zip("ab", answers, strict=True)
    ]
    assert list(judge_executors(summaries)) == [Verdict(EXECUTOR, "pool", DOWN)]


def test_a_disk_is_short_below_the_limit(tmp_path: Path) -> None:
    """A folder that is not there yet will lie on the disk of the one above it."""
    folders = {"state": tmp_path, "outputs": tmp_path / "none" / "yet"}
    assert list(judge_disks(folders, 0)) == [Verdict(DISK, "state"), Verdict(DISK, "outputs")]
    short, _ = judge_disks(folders, 10**15)
    assert short.name == "disk/state"
    assert f"the disk of {tmp_path} has " in short.reason


def test_what_nobody_can_look_at_is_over() -> None:
    """A source or module that is gone cannot be repaired; an executor that no workflow had to ask
    hurts nobody, once all workflows have answered.
    """
    verdicts = [Verdict(kind, name, "bad") for kind in (SOURCE, MODULE) for name in ("old", "new")]
    verdicts += [Verdict(EXECUTOR, "pool", "bad"), Verdict(DISK, "state", "bad")]
    marks = judge([], verdicts, "prompt", NOW)
    here = Present(frozenset({"new"}), frozenset({"new"}), frozenset({"new"}), is_whole=False)
    gone = [Verdict(SOURCE, "old"), Verdict(MODULE, "old")]
    assert list(judge_forgotten(marks, [], here)) == gone
    whole = here._replace(is_whole=True)
    assert list(judge_forgotten(marks, [], whole)) == [*gone, Verdict(EXECUTOR, "pool")]
    assert list(judge_forgotten(marks, [*gone, *verdicts], whole)) == []
    closed = judge(marks, [verdict._replace(reason="") for verdict in verdicts], "prompt", NOW)
    assert list(judge_forgotten(closed, [], whole)) == []
    strange = marks[0]._replace(values={**marks[0].values, "kind": "of a newer version"})
    assert list(judge_forgotten([strange], [], whole)) == []


def test_a_condition_is_written_once_and_closed() -> None:
    """Rounds that find the same write nothing more."""
    store, bad = MemoryStore(), Verdict(SOURCE, "table", "gone")
    for _ in range(2):
        write_conditions(store, "prompt", [bad], HERE, NOW)
    (mark,) = store.marks(CONDITION, "prompt")
    assert (mark.sequence, is_open(mark)) == (1, True)
    write_conditions(store, "prompt", [bad._replace(reason="")], HERE, NOW)
    (mark,) = store.marks(CONDITION, "prompt")
    assert (mark.sequence, is_open(mark)) == (2, False)


def test_a_round_that_was_overtaken_leaves_it_to_the_next() -> None:
    """Two processes that find the same at once write it once."""

    class Overtaken(MemoryStore):
        def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
            super().append(records, lease)
            message = "somebody was first"
            raise Conflict(message)

    store = Overtaken()
    write_conditions(store, "prompt", [Verdict(SOURCE, "table", "gone")], HERE, NOW)
    assert len(store.marks(CONDITION, "prompt")) == 1
