"""People are told by processes of their own, whatever becomes of notifiers and of who tells."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl import verbs
from autoctrl.errors import SettingsError
from autoctrl.incidents import read_kept
from autoctrl.machine import sending
from autoctrl.machine.outbox import OUTBOX, read_outbox
from autoctrl.model.actor import Actor
from autoctrl.model.incident import close, write_down
from autoctrl.model.names import incidents_lease, workflow_lease
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.stores.sqlite.store import SqliteStore
from autoctrl.verbs import Request
from tests.integration.telling import DOWN, PROMPT, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    from autoctrl.model.campaign import Campaign
    from autoctrl.model.output import MarkRecord

    made = Site(tmp_path)
    values = Campaign(PROMPT, follow=True).values()
    made.store.append([MarkRecord("campaign", PROMPT, PROMPT, values, made.clock.now())])
    yield made
    made.store.close()


def test_a_single_cycle_tells_at_its_end_what_it_has_collected(site: Site) -> None:
    """Every notifier once, however many tasks; the next cycle has nothing to say."""
    site.fails(*range(1, 31))
    site.finish()
    assert [ledger.deeds() for ledger in site.ledgers.values()] == [["tell"], ["tell"]]
    before = site.store.marks(OUTBOX)
    site.finish(pass_s=3600)
    assert site.store.marks(OUTBOX) == before
    assert site.ledgers["desk"].deeds() == ["tell"]


def test_a_loop_collects_and_changes_what_it_told(site: Site) -> None:
    """A minute after the first failure; later ones and the end change the message."""
    teller, desk = site.teller(), site.ledgers["desk"]
    site.fails(1)
    site.step(teller, 30)
    assert desk.deeds() == []
    site.fails(2)
    site.step(teller, 30)
    assert desk.deeds() == ["tell"]
    site.fails(3)
    site.step(teller, 30)
    assert desk.deeds() == ["tell"]
    site.step(teller, 30)
    assert desk.deeds() == ["tell", "change"]
    for unit in (1, 2, 3):
        site.moves(unit, TaskStatus.NEW)
    site.step(teller, 60)
    assert desk.deeds() == ["tell", "change", "change"]
    (incident,) = site.incidents()
    assert (incident.is_open, incident.struck) == (False, 3)


def test_nothing_is_written_while_nothing_happens(site: Site) -> None:
    """However many incidents are over: they cost no step and no record."""
    site.fails(1)
    site.finish()
    site.moves(1, TaskStatus.NEW)
    site.finish(pass_s=100)
    for number in range(5):
        site.fails(2, workflow=f"other{number}")
        site.moves(2, TaskStatus.NEW, f"other{number}")
    site.finish(pass_s=100)
    written = list(site.store.records())
    site.finish(pass_s=100)
    assert list(site.store.records()) == written
    assert all(not kept.units for kept in read_kept(site.store, PROMPT).values())


def test_what_is_over_costs_a_cycle_nothing(site: Site) -> None:
    """With ten thousand incidents that are over a look takes as many steps as with none."""
    site.fails(1)
    site.finish()
    teller, store = site.teller(), site.store
    assert isinstance(store, SqliteStore)
    store.connection.count_steps()

    def steps_of_a_look() -> int:
        before = store.connection.steps
        site.step(teller)
        return store.connection.steps - before

    few = steps_of_a_look()
    over = close(site.incidents()[0], site.clock.now())
    names = [f"{number:06x}" for number in range(10_000)]
    many = [over._replace(id=name) for name in names]
    _, *marks = write_down(None, many, (PROMPT, "other"), site.clock.now())
    store.append(marks)
    assert len(site.incidents()) == 10_001
    assert steps_of_a_look() == few > 0


def test_what_has_been_over_for_a_day_is_put_away(site: Site) -> None:
    """Once; it is found by its own mark from then on."""
    site.fails(1)
    site.finish()
    site.moves(1, TaskStatus.NEW)
    site.finish(pass_s=100)
    assert len(read_kept(site.store, PROMPT)["reco"].incidents) == 1
    site.finish(pass_s=86_401)
    assert read_kept(site.store, PROMPT)["reco"].incidents == ()
    written = list(site.store.records())
    site.finish(pass_s=86_401)
    assert list(site.store.records()) == written
    assert [one.is_open for one in site.incidents()] == [False]


@pytest.mark.parametrize(
    ("mood", "reason"),
    [("down", DOWN), ("raises", "KeyError: 'raises'"), ("dies", "it gave no answer")],
)
def test_a_notifier_that_fails_is_a_condition_and_the_others_hear_of_it(
    site: Site, mood: str, reason: str
) -> None:
    """What it missed is told when it works again, and then all is well."""
    site.mood("shift", mood)
    site.fails(1)
    site.finish()
    (said,) = site.reasons()
    assert said.startswith(f"shift: {reason}")
    assert site.ledgers["desk"].deeds() == ["tell"]
    site.mood("shift", "")
    site.finish(pass_s=100)
    assert site.ledgers["desk"].deeds() == ["tell", "tell"], "the second is about the notifier"
    assert len(site.ledgers["shift"].lines()) == 2
    assert site.reasons() == []
    kinds = {incident.kind: incident.is_open for incident in site.incidents()}
    site.finish(pass_s=100)
    kinds = {incident.kind: incident.is_open for incident in site.incidents()}
    assert kinds == {"failed": True, "notifier": False}


def test_a_notifier_that_hangs_delays_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop goes on at once; after its time the notifier is ended, and nobody knows."""
    monkeypatch.setattr(sending.Sending.__init__, "__defaults__", (1,))
    site.mood("shift", "hangs")
    site.fails(1)
    teller = site.teller()
    site.step(teller, 60)
    assert site.ledgers["desk"].deeds() == ["tell"]
    assert site.reasons() == ["shift: it gave no answer within 1 s"]
    site.mood("shift", "")
    site.step(teller, 60)
    assert site.ledgers["shift"].deeds() == ["tell", "again"]


def test_perhaps_told_is_told_once_more_and_never_again(site: Site) -> None:
    """Somebody may read it twice; nobody reads it three times."""
    site.mood("shift", "perhaps")
    site.fails(1)
    for _ in range(4):
        site.finish(pass_s=200)
    assert site.ledgers["shift"].deeds()[:2] == ["tell", "again"]
    assert [line.key for line in site.ledgers["shift"].lines()].count(site.incidents()[0].id) == 2


def test_a_notifier_that_missed_nothing_is_well(site: Site) -> None:
    """What it could not tell is over: nobody need be told any more, nor of the notifier."""
    site.mood("shift", "down")
    site.fails(1)
    site.finish()
    assert site.reasons() != []
    site.moves(1, TaskStatus.NEW)
    site.finish(pass_s=100)
    site.finish(pass_s=100)
    assert site.reasons() == []


def test_what_a_notifier_prints_does_not_mix(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """It goes where complaints go, not into the output of a command."""
    site.mood("shift", "prints")
    site.fails(1)
    site.finish()
    said = capfd.readouterr()
    assert ("hello" in said.out, "hello" in said.err) == (False, True)


@pytest.mark.parametrize("error", [SettingsError, RuntimeError])
def test_a_notifier_that_cannot_be_opened_is_a_condition(
    site: Site, error: type[Exception]
) -> None:
    """Whatever a package that is not ours raises; the others are told, of it as well."""
    site.broken = {"shift": error}
    site.fails(1)
    site.finish()
    (said,) = site.reasons()
    assert said.startswith("shift: ")
    assert said.endswith("[notifiers.shift] makes no sense.")
    site.finish(pass_s=60)
    assert site.ledgers["desk"].deeds() == ["tell", "tell"]


def test_that_it_is_over_is_told_however_late_the_next_cycle(site: Site) -> None:
    """A cycle that closes it within the minute may change nothing; the next one does."""
    site.fails(1)
    site.finish()
    site.moves(1, TaskStatus.NEW)
    site.finish(pass_s=30)
    assert site.ledgers["desk"].deeds() == ["tell"]
    site.finish(pass_s=2 * 3600)
    assert site.ledgers["desk"].deeds() == ["tell", "change"]


@pytest.mark.parametrize("mood", ["bytes", "endless"])
def test_an_odd_id_hurts_nobody_else(site: Site, mood: str) -> None:
    """Nobody knows whether people were told; what the others were told is known."""
    site.mood("shift", mood)
    site.fails(1)
    site.finish()
    assert site.reasons() == ["shift: it gave back no text by which its message is known"]
    boxes = {mark.name: read_outbox(mark) for mark in site.store.marks(OUTBOX)}
    (told,) = boxes["desk"].told.values()
    assert (told.pending, bool(told.message)) == (None, True)


def test_an_unacknowledged_alarm_is_repeated_below_its_message(site: Site) -> None:
    """Four hours later, by whoever makes the next cycle."""
    site.fails(1)
    site.finish()
    site.finish(pass_s=4 * 3600)
    assert site.ledgers["desk"].deeds() == ["tell", "below"]


def test_of_two_who_tell_one_acts(site: Site) -> None:
    """The other leaves it to whoever holds the lease, and tells nothing twice."""
    site.fails(1)
    site.hands.advance(100)
    site.store.lease(incidents_lease(PROMPT), "somebody else", 60)
    first = site.teller()
    first.step()
    assert not first.is_sending
    site.store.lease(incidents_lease(PROMPT), "somebody else", 0)
    first.step()
    second = site.teller()
    second.step()
    assert [teller.is_sending for teller in (first, second)] == [True, False]
    site.step(first)
    site.step(second)
    assert site.ledgers["desk"].deeds() == ["tell"]


def test_telling_disturbs_no_cycle(site: Site) -> None:
    """It works while somebody holds a workflow's lease, and takes none."""
    site.fails(1)
    site.finish()
    name = workflow_lease(PROMPT, "reco")
    held = site.store.lease(name, "a cycle", 60)
    site.moves(1, TaskStatus.NEW)
    site.finish(pass_s=60)
    assert site.ledgers["desk"].deeds() == ["tell", "change"]
    assert site.store.leases().keys() == {name, incidents_lease(PROMPT)}
    assert site.store.leases()[name] == held


def test_people_and_a_cycle_write_at_once(site: Site) -> None:
    """Neither loses anything: every task is in the incident, and every remark of a person."""
    site.fails(0)
    name = site.incidents()[0].id
    child = os.fork()
    if child == 0:
        for unit in range(1, 51):
            site.fails(unit)
        os._exit(0)
    request = Request(site.store, site.clock, Actor("ada", "cli"), "I look")
    remarks = [verbs.acknowledge(request, name).acked]
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        remarks.append(verbs.acknowledge(request, name).acked)
    (incident,) = site.incidents()
    assert (len(incident.units), incident.struck) == (51, 51)
    assert incident.acked == remarks[-1]
    assert incident.revision == 51 + len(remarks)


def test_open_incidents_cost_a_look_nothing(site: Site) -> None:
    """With a thousand failed tasks it takes as many steps as with one."""
    site.fails(1)
    site.finish()
    teller, store = site.teller(), site.store
    assert isinstance(store, SqliteStore)
    store.connection.count_steps()

    def steps_of_a_look() -> int:
        before = store.connection.steps
        site.step(teller)
        return store.connection.steps - before

    few = steps_of_a_look()
    site.fail_at_once(range(2, 1001))
    site.step(teller, 100)
    assert len(site.incidents()[0].units) == 1000
    assert steps_of_a_look() == few > 0


def test_what_a_dead_teller_left_is_taken_up(site: Site) -> None:
    """Killed after the intent: the next one tells, and says that it may be a repetition."""
    site.fails(1)
    site.hands.advance(100)
    child = os.fork()
    if child == 0:
        site.mood("shift", "hangs")
        site.mood("desk", "hangs")
        site.teller().step()
        while not all(ledger.lines() for ledger in site.ledgers.values()):
            time.sleep(0.01)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for name in site.ledgers:
        site.mood(name, "")
    pending = {mark.name: read_outbox(mark) for mark in site.store.marks(OUTBOX)}
    assert all(told.pending for box in pending.values() for told in box.told.values())
    site.finish()
    assert [ledger.deeds() for ledger in site.ledgers.values()] == [["tell", "again"]] * 2


def records_of(site: Site) -> list[Any]:
    return [record for record in site.store.records() if isinstance(record, TaskRecord)]


def test_no_failure_is_untold_and_no_task_is_touched(site: Site) -> None:
    """The incident is in the batch that moves the task; telling moves no task."""
    site.fails(1, 2)
    before = records_of(site)
    assert len(site.incidents()) == 1
    site.finish()
    assert records_of(site) == before
