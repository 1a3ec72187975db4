"""Many clients of one store at once, some of them killed or stopped: nothing is done twice, nothing
is lost.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import LeaseHeld
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from tests.contract.stores import Subject, wait_until
from tests.contract.worker import CAMPAIGN, LEASE, UNITS, WORKFLOW, batch, follow, newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from autoctrl.ports import Store
    from tests.contract.stores import Member


class Crew:
    """Clients of one store and their ledgers."""

    def __init__(self, subject: Subject, urls: Sequence[str], folder: Path) -> None:
        self._subject = subject
        self._urls = urls
        self._folder = folder
        self.members: dict[str, Member] = {}

    def start(self, work: str, name: str, count: int = 0) -> Member:
        effort = self._subject.effort
        url = self._urls[len(self.members) % len(self._urls)]
        numbers = map(str, (count, effort.lease_s, effort.appends, effort.pause_s, effort.batch))
        member = self._subject.member(work, url, str(self._folder / name), name, *numbers)
        self.members[name] = member
        return member

    def lines(self, name: str) -> list[list[str]]:
        """Return what a client has noted, word by word; a line that was cut short does not
        count.
        """
        path = self._folder / name
        text = path.read_text() if path.exists() else ""
        return [line.split(" ") for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def wait_for(self, name: str, at_line: int = 1) -> None:
        """Wait until a client has noted so many lines."""
        wait_until(
            lambda: len(self.lines(name)) >= at_line, f"{name} has noted {at_line} lines", 400
        )

    def let_go(self, name: str) -> None:
        (self._folder / name).with_suffix(".go").touch()

    def cut_some(self, at_line: int) -> list[str]:
        """Kill the first few clients as soon as each has noted ``at_line`` lines."""
        names = list(self.members)[: self._subject.effort.killed]
        for name in names:
            self.wait_for(name, at_line)
            self.members[name].cut()
        return names

    def wait(self) -> None:
        for member in self.members.values():
            member.wait()

    def dismiss(self) -> None:
        """Stop all clients, whatever the test has found."""
        for member in self.members.values():
            member.cut()


@pytest.fixture
def crew(subject: Subject, url: str, tmp_path: Path) -> Iterator[Crew]:
    """Let clients of a server reach it on different ways, one of them slow for writes."""
    with ExitStack() as stack:
        found = Crew(subject, subject.ways(url, stack), tmp_path)
        stack.callback(found.dismiss)
        yield found


@pytest.fixture
def contested(store: Store) -> Store:
    now = datetime.now(UTC)
    store.append([new_task(TaskKey(CAMPAIGN, WORKFLOW, unit), (int(unit),), now) for unit in UNITS])
    return store


def task_records(store: Store, unit: str) -> list[TaskRecord]:
    """Return the history of a contested task, without its birth."""
    found = store.history(TaskKey(CAMPAIGN, WORKFLOW, unit))
    return [record for record in found if isinstance(record, TaskRecord)][1:]


@pytest.mark.timeout(600)
def test_contested_transitions_happen_exactly_once(
    contested: Store, crew: Crew, subject: Subject
) -> None:
    """Many clients fight for the same tasks, some are killed, and every sequence has exactly one
    winner.
    """
    each = subject.effort.transitions
    for number in range(subject.effort.clients):
        crew.start("transitions", f"c{number}", each)
    killed = crew.cut_some(at_line=each // 5)
    crew.wait()
    written = {
        (unit, record.sequence): record.actor.name
        for unit in UNITS
        for record in task_records(contested, unit)
    }
    for unit in UNITS:
        sequences = [record.sequence for record in task_records(contested, unit)]
        assert sequences == list(range(2, len(sequences) + 2))
    for name in crew.members:
        noted = [(unit, int(sequence)) for unit, sequence in crew.lines(name)]
        assert all(written[record] == name for record in noted)
        wins = Counter(written.values())[name]
        assert wins - len(noted) in ({0, 1} if name in killed else {0})
        assert name in killed or wins == each


@pytest.mark.timeout(600)
def test_a_contested_lease_has_one_holder_at_a_time(
    contested: Store, crew: Crew, subject: Subject, *, is_long: bool
) -> None:
    """Many clients fight for one lease, some are killed while holding, and no two ever hold it at
    once.
    """
    each = subject.effort.long_leases if is_long else subject.effort.leases
    for number in range(subject.effort.clients):
        crew.start("leases", f"c{number}", each)
    killed = crew.cut_some(at_line=each // 5)
    crew.wait()
    holders = claimed_by(crew, subject.effort.lease_s)
    ended = 0
    for epoch in sorted(holders):
        _, since, until = holders[epoch]
        assert since >= ended
        ended = until
    records = task_records(contested, UNITS[0])
    assert all(holders[record.epoch][0] == record.actor.name for record in records)
    epochs = [record.epoch for record in records]
    assert epochs == sorted(set(epochs))
    written = {
        int(epoch)
        for name in crew.members
        for word, epoch, *_ in crew.lines(name)
        if word == "written"
    }
    assert written <= set(epochs)
    assert len(set(epochs) - written) <= len(killed)
    released = Counter(
        name for name in crew.members for word, *_ in crew.lines(name) if word == "released"
    )
    assert all(released[name] == each for name in crew.members if name not in killed)
    count = contested_among(crew)
    print(f"{subject.effort.clients} clients, {len(holders)} claims, {count} of them contested")  # noqa: T201 - with -s
    assert count >= subject.effort.contested * len(holders)


def contested_among(crew: Crew) -> int:
    """Return how many claims were granted while somebody else had asked as well, who got the lease
    only later.
    """
    claims = [
        (name, int(line[2]), int(line[4]))
        for name in crew.members
        for line in crew.lines(name)
        if line[0] == "claimed"
    ]
    return sum(
        any(name != other and asked < granted < later for other, asked, later in claims)
        for name, _, granted in claims
    )


def claimed_by(crew: Crew, lease_s: float) -> dict[int, tuple[str, int, int]]:
    """Return (holder, since, until) of every epoch, in µs since boot; a killed holder held it to
    its end.
    """
    holders: dict[int, tuple[str, int, int]] = {}
    for name in crew.members:
        for word, epoch_text, *times in crew.lines(name):
            epoch = int(epoch_text)
            if word == "claimed":
                assert epoch not in holders
                holders[epoch] = (name, int(times[2]), int(times[1]) + round(lease_s * 1e6))
            elif word == "released":
                _, since, until = holders[epoch]
                holders[epoch] = (name, since, min(until, int(times[0])))
    return holders


def claimed(store: Store, owner: str) -> bool:
    """Return whether ``owner`` could claim the contested lease."""
    try:
        store.lease(LEASE, owner, 30)
    except LeaseHeld:
        return False
    return True


def test_a_holder_that_was_stopped_too_long_cannot_write(contested: Store, crew: Crew) -> None:
    """A client stopped beyond the end of its lease is refused when it goes on, and the other's
    record stands.
    """
    sleeper = crew.start("hold", "sleeper")
    crew.wait_for("sleeper")
    sleeper.stop()
    wait_until(lambda: claimed(contested, "other"), "the lease has run out")
    lease = contested.lease(LEASE, "other", 30)
    contested.append([follow(newest(contested, UNITS[0]), "other", lease.epoch)], lease)
    crew.let_go("sleeper")
    sleeper.go_on()
    sleeper.wait()
    assert crew.lines("sleeper")[-1][0] == "refused"
    assert [record.actor.name for record in task_records(contested, UNITS[0])] == ["other"]


@pytest.mark.timeout(600)
def test_a_killed_client_leaves_whole_batches(
    contested: Store, crew: Crew, subject: Subject
) -> None:
    """Of a client that is killed while it appends, each batch is there whole or can be written
    whole.
    """
    for number in range(4):
        crew.start("batches", f"c{number}", 100_000)
    for at_line, name in enumerate(crew.members, start=5):
        crew.wait_for(name, at_line)
        crew.members[name].cut()
    crew.wait()
    found: Counter[str] = Counter(
        task.key.workflow for task in contested.tasks(Selection(CAMPAIGN))
    )
    del found[WORKFLOW]
    assert set(found.values()) == {subject.effort.batch}
    for name in crew.members:
        noted = {line[0].strip() for line in crew.lines(name)}
        written = {workflow for workflow in found if workflow.startswith(name)}
        assert noted <= written
        assert len(written - noted) <= 1
        contested.append(batch(f"{name}-{len(written)}", subject.effort.batch))


def test_a_verb_waits_for_the_cycle(
    contested: Store, client: Callable[[], Store], crew: Crew
) -> None:
    """While a cycle holds the lease a verb is told so, and has it as soon as the cycle is over."""
    cycle = crew.start("hold", "cycle")
    crew.wait_for("cycle")
    verb = client()
    with pytest.raises(LeaseHeld, match=r"held by cycle until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"):
        verb.lease(LEASE, "verb", 5)
    crew.let_go("cycle")
    cycle.wait()
    wait_until(lambda: claimed(verb, "verb"), "the verb has the lease")
    assert crew.lines("cycle")[-1] == ["written\n"]
    assert newest(contested, UNITS[0]).actor.name == "cycle"
