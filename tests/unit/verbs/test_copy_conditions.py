"""What a copy of a store needs and tells: leases, live jobs, progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost
from autoctrl.model.actor import Actor
from autoctrl.model.names import COPY_LEASE
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.stores.leases import Ticks
from autoctrl.stores.memory import MemoryStore
from autoctrl.testing import FakeClock
from autoctrl.verbs.copy import (
    BATCH,
    copy_history,
    describe_live,
    live_jobs,
)
from tests.contract.samples import NOW, job, mark, run, task
from tests.unit.verbs.copying import FIRST, GOING, HISTORY, NAMES, copied, holding, request

if TYPE_CHECKING:
    from collections.abc import Callable


MANY = [run(number) for number in range(1, 3 * BATCH + 2)]


def test_progress_is_told() -> None:
    """Whoever listens hears of each thousand that is found, written and compared."""
    heard: list[tuple[str, int]] = []
    target = holding(*MANY[:BATCH])
    copied(holding(*MANY), target, tell=lambda what, number: heard.append((what, number)))
    written = [("written", number) for number in (BATCH, 2 * BATCH, 2 * BATCH + 1)]
    assert heard == [
        ("read", BATCH),
        *written,
        *(("compared", number * BATCH) for number in (1, 2, 3)),
    ]


class TestLease:
    """Two copies into one store do not mix."""

    def test_held(self) -> None:
        """While another copy goes on, this one writes nothing and says who is at it."""
        target = MemoryStore()
        target.lease(COPY_LEASE, "bert on host:x", 60)
        with pytest.raises(LeaseHeld, match="bert"):
            copied(holding(*HISTORY), target)
        assert list(target.records()) == []

    def test_given_up(self) -> None:
        """Afterwards the lease is free, whether the copy came to its end or not."""
        target = MemoryStore()
        copied(holding(*HISTORY), target)
        assert target.lease(COPY_LEASE, "bert", 60).epoch == 2

    @staticmethod
    def slow_copy(interfere: Callable[[MemoryStore], Any]) -> MemoryStore:
        """Copy many runs, each batch taking 30 s by all clocks; ``interfere`` comes after each."""
        clock, ticks = FakeClock(), [0]
        target = MemoryStore(ticks=lambda: Ticks("boot", ticks[0]))

        def wait(what: str, _: int) -> None:
            if what == "written":
                clock.advance(30)
                ticks[0] += 30_000_000
                interfere(target)

        copy_history(request(target, clock), holding(*MANY), NAMES, wait)
        return target

    def test_renewed(self) -> None:
        """A copy that takes longer than its lease renews it."""
        assert len(list(self.slow_copy(lambda _: None).records())) == len(MANY)

    def test_lost(self) -> None:
        """A copy that was stopped for so long that another one has begun and ended writes nothing
        more.
        """

        def overtake(target: MemoryStore) -> None:
            later = Ticks("boot", 10**9)
            target._ticks = lambda: later
            target.lease(COPY_LEASE, "bert", 60)
            target.lease(COPY_LEASE, "bert", 0)

        with pytest.raises(LeaseLost, match="The lease of this copy ran out"):
            self.slow_copy(overtake)


class TestLiveJobs:
    """What the new store will not recognise."""

    def test_under_way(self) -> None:
        """Jobs that an executor has, or may have been given, are under way; finished ones and plain
        intents are not.
        """
        again = task("1", campaign="again").moved(TaskStatus.PROCESSING, NOW)
        jobs = [
            job(again, 0, asked=NOW),
            job(again, 1, handle="h1").moved(JobStatus.RUNNING, NOW),
            job(again, 2),
            job(again, 3, handle="h3").moved(JobStatus.LOST, NOW),
        ]
        source = holding(
            mark("again", "again")._replace(kind="campaign"), task("1", campaign="again"), again
        )
        for one in jobs:
            source.append([one] if one.sequence == 1 else [one._replace(sequence=1), one])
        assert [one.key.index for one in live_jobs(source)] == [0, 1]

    def test_of_a_task_that_is_new_again(self) -> None:
        """A task that is not processing has none."""
        source = holding(FIRST, job(FIRST, 0, asked=NOW))
        assert live_jobs(source) == []
        source.append([GOING])
        assert [str(one) for one in live_jobs(source)] == ["run 9 / reco v1 job 0.1"]

    def test_named(self) -> None:
        """The first few are named."""
        jobs = [job(GOING, index) for index in range(5)]
        assert "job 0.1. They carry" in describe_live(jobs[:1], "sqlite:old")
        assert "job 1.1, run 9 / reco v1 job 2.1 and 2 more." in describe_live(jobs, "sqlite:old")


def test_people_are_not_in_the_way() -> None:
    """Whoever wrote a record, the copy says the same: it is not written anew."""
    source = holding(run(1)._replace(actor=Actor("bert", "web")))
    target = MemoryStore()
    copied(source, target)
    assert next(target.records()).actor == Actor("bert", "web")  # type: ignore[union-attr]
