"""When a round is remembered, and that it is."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.compose import Project
from autoctrl.config import parse_settings
from autoctrl.errors import StoreError
from autoctrl.machine.heartbeat import beat, is_due
from autoctrl.machine.rounds import Rounds
from autoctrl.ports import Heartbeat
from autoctrl.process import this_process
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOW = FakeClock().now()
OTHER = Heartbeat("prompt", NOW, "node8:12:34:56")


class Watched(MemoryStore):
    """A store that counts how often it is asked for heartbeats, and may refuse them."""

    refuses = False
    asked = 0
    written = 0

    def beat(self, heartbeat: Heartbeat) -> None:
        if self.refuses:
            message = "The store is locked."
            raise StoreError(message)
        self.written += 1
        super().beat(heartbeat)

    def heartbeats(self) -> dict[str, Heartbeat]:
        self.asked += 1
        return super().heartbeats()


@pytest.fixture
def store() -> Watched:
    return Watched()


@pytest.mark.parametrize(
    ("age_s", "expected"), [(0, False), (59.9, False), (60, True), (-59.9, False), (-61, True)]
)
def test_a_heartbeat_is_due_once_a_minute(age_s: float, *, expected: bool) -> None:
    """A time far ahead is of a clock that was wrong, and is replaced."""
    before = OTHER._replace(time=NOW - timedelta(seconds=age_s))
    assert is_due(before, NOW) is expected
    assert is_due(None, NOW)


def test_a_heartbeat_says_who_and_when(store: Watched) -> None:
    """Nobody writes one where another process has just done so; each campaign has its own."""
    store.beat(OTHER)
    assert beat(store, "prompt", NOW + timedelta(seconds=30)) == OTHER
    mine = Heartbeat("again", NOW, this_process())
    assert beat(store, "again", NOW) == mine
    assert store.heartbeats() == {"prompt": OTHER, "again": mine}


def test_whoever_has_just_seen_a_heartbeat_asks_for_none(store: Watched) -> None:
    """After a minute it looks again, and leaves alone what another process wrote meanwhile."""
    assert beat(store, "prompt", NOW, OTHER) == OTHER
    assert store.asked == 0
    theirs = OTHER._replace(time=NOW + timedelta(seconds=60))
    store.beat(theirs)
    assert beat(store, "prompt", NOW + timedelta(seconds=70), OTHER) == theirs
    assert store.heartbeats() == {"prompt": theirs}


@pytest.fixture
def project(tmp_path: Path, store: Watched) -> Project:
    """Return a project without workflows, whose store is watched."""
    made = Project(parse_settings('store.url = "memory:"', tmp_path, environ={}), FakeClock())
    store.append(list(made.store.records()))
    made.store = store
    return made


def test_rounds_beat_once_a_minute(project: Project, store: Watched) -> None:
    """One process reads and writes at most once a minute, however many rounds it makes."""
    with closing(Rounds(project, "prompt")) as rounds:
        for _ in range(10):
            assert rounds.cycle().discovered.problems == ()
        assert (store.asked, store.written) == (1, 1)
        assert isinstance(project.clock, FakeClock)
        project.clock.advance(61)
        rounds.cycle()
    assert (store.asked, store.written) == (2, 2)
    assert store.heartbeats()["prompt"].time == project.clock.now()


def test_a_heartbeat_that_is_refused_is_a_problem_of_the_round(
    project: Project, store: Watched
) -> None:
    """The round itself is made, and the next one tries again."""
    store.refuses = True
    with closing(Rounds(project, "prompt")) as rounds:
        assert rounds.cycle().discovered.problems == ("The store is locked.",)
        store.refuses = False
        assert rounds.cycle().discovered.problems == ()
    assert "prompt" in store.heartbeats()
