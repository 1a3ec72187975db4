"""Verdicts of a round on what it asked: sources, executors, disks, and what is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import load_settings, parse_settings
from autoctrl.errors import Conflict
from autoctrl.machine.conditions import (
    Present,
    judge_executors,
    judge_forgotten,
    judge_leases,
    judge_settings_of,
    judge_sources,
    longest_lease,
    write_conditions,
    write_watched,
)
from autoctrl.machine.discover_runs import DiscoveredRuns
from autoctrl.machine.settings_file import SettingsFile
from autoctrl.machine.summary import Summary
from autoctrl.model.condition import CONDITION, ConditionKind, Verdict, is_open, judge
from autoctrl.model.names import workflow_lease
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock
from tests.unit.given import NOW, task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
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


LEASE, SETTINGS = ConditionKind.LEASE, ConditionKind.SETTINGS
HOUR = timedelta(hours=1)


def test_settings_that_a_workflow_cannot_use_are_a_condition_of_it() -> None:
    """Whatever else stops a cycle is none; a cycle that works is well."""
    bad = Summary("reco", error="no executor 'x'", cause="settings")
    other = Summary("dq", error="the lease is held", cause="lease")
    assert list(judge_settings_of([bad, other])) == [
        Verdict(SETTINGS, "reco", "no executor 'x'", "reco"),
        Verdict(SETTINGS, "dq", "", "dq"),
    ]


@pytest.fixture
def held() -> MemoryStore:
    """Return a store in which a process works for reco since an hour."""
    store = MemoryStore(clock=FakeClock(NOW))
    lease = store.lease(workflow_lease("prompt", "reco"), "node7:4711:123:456", 60)
    begun = task(TaskStatus.NEW, time=NOW - HOUR, epoch=lease.epoch, sequence=1)
    store.append([begun._replace(key=TaskKey("prompt", "reco", "1"))])
    return store


def why_held(store: MemoryStore, longest: timedelta, now: datetime = NOW) -> str:
    (verdict,) = judge_leases(store, "prompt", ["reco"], longest, now)
    assert verdict[:2] == (LEASE, "reco")
    assert verdict.workflow == "reco"
    return verdict.reason


def test_a_lease_that_is_held_for_long_is_a_condition(held: MemoryStore) -> None:
    """It says who has held it since when; not if that may be."""
    said = why_held(held, HOUR / 2)
    assert said.startswith("process 4711 on node7 has held it since 2026-03-01 11:00 UTC, and ")
    assert why_held(held, HOUR) == ""
    assert why_held(held, timedelta(0)) == "", "as long as it likes"
    assert why_held(held, HOUR / 2, NOW + HOUR) == "", "it has run out"


def test_a_lease_under_which_nothing_is_open_is_well(held: MemoryStore) -> None:
    """Nobody knows since when it is held, or its holder does one thing after the other; one that
    nobody ever held is well, too.
    """
    (verdict,) = judge_leases(held, "prompt", ["dq"], HOUR / 2, NOW)
    assert verdict.reason == ""
    name = workflow_lease("prompt", "reco")
    held.lease(name, "node7:4711:123:456", 0)
    held.lease(name, "somebody", 60)
    assert why_held(held, HOUR / 2) == ""


def test_a_round_looks_at_leases_that_were_refused(held: MemoryStore) -> None:
    """And at those of which it said so before, until they are free."""
    refused = HERE._replace(refused=frozenset({"reco"}), longest_lease=HOUR / 2)
    write_conditions(held, "prompt", [], refused._replace(refused=frozenset()), NOW)
    assert held.marks(CONDITION) == []
    for present in (refused, refused._replace(refused=frozenset())):
        write_conditions(held, "prompt", [], present, NOW)
        (mark,) = held.marks(CONDITION)
        assert (mark.name, mark.sequence, is_open(mark)) == ("lease/reco", 1, True)
    held.lease(workflow_lease("prompt", "reco"), "node7:4711:123:456", 0)
    write_conditions(held, "prompt", [], present, NOW)
    assert not is_open(held.marks(CONDITION)[0])
    write_conditions(held, "prompt", [], present, NOW)
    assert held.marks(CONDITION)[0].sequence == 2


def test_a_watch_ends_what_it_found_itself() -> None:
    """What is gone, too, if it looked at all that there is of its kind."""
    store = MemoryStore()
    write_conditions(store, "prompt", [Verdict(SOURCE, "table", "gone")], HERE, NOW)
    found = [Verdict(SOURCE, "table", "gone"), Verdict(DISK, "state", "short")]
    write_watched(store, "prompt", found, {SOURCE, DISK}, NOW)
    assert open_names(store) == {"source/table", "watch/source/table", "watch/disk/state"}
    write_watched(store, "prompt", [], {DISK}, NOW)
    assert open_names(store) == {"source/table", "watch/source/table"}
    write_watched(store, "prompt", [Verdict(SOURCE, "table")], {SOURCE}, NOW)
    assert open_names(store) == {"source/table"}
    write_watched(store, "prompt", [Verdict(SOURCE, "table", "gone")], {SOURCE}, NOW)
    gone = HERE._replace(sources=frozenset())
    write_conditions(store, "prompt", [], gone, NOW)
    assert open_names(store) == {"watch/source/table"}


def open_names(store: MemoryStore) -> set[str]:
    return {mark.name for mark in store.marks(CONDITION) if is_open(mark)}


def test_the_settings_say_how_long_a_lease_may_be_held(tmp_path: Path) -> None:
    """An hour unless they say otherwise."""
    for text, length in (("", HOUR), ("cycle.held_after_s = 60", HOUR / 60)):
        assert longest_lease(parse_settings(text, tmp_path, environ={})) == length
    assert longest_lease(parse_settings("cycle.held_after_s = inf", tmp_path, environ={})) > HOUR


def test_a_file_of_settings_that_somebody_breaks_is_found(tmp_path: Path) -> None:
    """It is read again when it has changed; what was read before is not doubted."""
    path = tmp_path / "autoctrl.toml"
    path.write_text("cycle.lease_s = 60\n")
    file = SettingsFile(load_settings(tmp_path, environ={}))
    good = Verdict(SETTINGS, "autoctrl.toml")
    assert file.judge() == good
    path.write_text("cycle.lease = 60\n")
    bad = file.judge()
    assert (bad[:2], "Did you mean" in bad.reason) == (good[:2], True)
    assert file.judge() == bad
    assert file.broken_since(NOW) > NOW
    path.unlink()
    assert file.judge().reason not in {"", bad.reason}
    assert file.broken_since(NOW) == NOW
    path.write_text("cycle.lease_s = 70\n")
    assert file.judge() == good
