"""What a person may do about an incident, and how people read it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl import verbs
from autoctrl.errors import Conflict, UsageError
from autoctrl.incidents import find_incident, join_failures, list_incidents, write_with_marks
from autoctrl.machine.incidents import follow_up
from autoctrl.model.condition import Condition, ConditionKind
from autoctrl.model.incident import FAILED, INCIDENTS, Incident, Trouble, join
from autoctrl.model.names import workflow_lease
from autoctrl.model.quality import ALARM
from autoctrl.model.severity import Severity
from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.views.incidents import (
    list_incident_facts,
    spell_deed,
    spell_further,
    spell_message,
    spell_state,
    spell_test,
    spell_title,
)
from autoctrl.views.spelling import Spelling
from tests.unit.given import NOW, later, task
from tests.unit.machine.room import RECO, Room

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store

UTC = Spelling("UTC")
NINTH = TaskKey("prompt", "reco", "9")
DISK = Condition(ConditionKind.DISK, "state", "", "7 MB left", "Make room", NOW)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Return a room in which run 1 has failed and the disk is short."""
    made = Room(tmp_path)
    made.has_run(1)
    made.cycle(RECO)
    made.jobs.finish("1/v1/0.1", exit_code=3)
    made.cycle(RECO)
    follow_up(made.store, "prompt", [DISK], made.clock.now())
    return made


def incident_of(room: Room, kind: str) -> Incident:
    return next(one for one in room.incidents if one.kind == kind)


@pytest.mark.parametrize("kind", [FAILED, "disk"])
def test_who_acknowledges_is_written_down(room: Room, kind: str) -> None:
    """With the name and the reason, in the incident and in the mark that keeps it."""
    found = incident_of(room, kind)
    acked = verbs.acknowledge(room.request("I look"), found.id[:4].upper())
    assert acked.acked is not None
    assert (acked.acked.name, acked.acked.reason, acked.revision) == ("ada", "I look", 2)
    assert incident_of(room, kind) == acked
    mark = next(one for one in room.store.marks(INCIDENTS) if one.name == found.workflow)
    assert (mark.actor.name, mark.reason) == ("ada", "I look")
    assert spell_state(acked, room.clock.now()) == "acknowledged"
    assert spell_deed(acked, "acknowledged") == f"Incident {acked.id} is acknowledged."


def test_a_mute_has_an_end_or_none(room: Room) -> None:
    """Whoever gives no time hears of it no more."""
    found = incident_of(room, FAILED)
    muted = verbs.mute(room.request("access"), found.id, timedelta(hours=2))
    assert muted.muted is not None
    assert muted.muted.until == room.clock.now() + timedelta(hours=2)
    assert spell_state(muted, room.clock.now()) == "muted"
    assert spell_state(muted, room.clock.now() + timedelta(hours=2)) == "open"
    muted = verbs.mute(room.request("for good"), found.id, None)
    assert muted.muted is not None
    assert muted.muted.until is None


def test_what_a_person_closes_is_over(room: Room) -> None:
    """Although its task is failed; what is over cannot be closed, acknowledged or muted."""
    found = incident_of(room, FAILED)
    closed = verbs.dismiss(room.request("of no use"), found.id)
    assert (closed.is_open, closed.ended_by and closed.ended_by.name) == (False, "ada")
    assert room.task("reco").status is TaskStatus.FAILED
    assert [one.kind for one in list_incidents(room.store, "prompt")] == ["disk"]
    for verb in (verbs.dismiss, verbs.acknowledge):
        with pytest.raises(UsageError, match="is over since"):
            verb(room.request("again"), found.id)


class Interrupted:
    """A store in which something happens just before the incidents are read for the n-th time."""

    def __init__(self, store: Store, number: int, happens: Callable[[], object]) -> None:
        self._store, self._left, self._happens = store, number, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        self._left -= kind == INCIDENTS
        if kind == INCIDENTS and self._left == 0:
            self._happens()
        return self._store.marks(kind, campaign)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_ends_while_a_person_closes_it_ends_once(room: Room, number: int) -> None:
    """At whatever moment: whoever closes it then learns that it is over."""
    found = incident_of(room, FAILED)
    skip = partial(verbs.skip, room.request("no beam"), "1", "reco")
    store: Any = Interrupted(room.store, number, skip)
    try:
        verbs.dismiss(room.request("of no use")._replace(store=store), found.id)
    except UsageError as error:
        assert "is over since" in str(error)  # noqa: PT017 - some moments are too late to matter
    else:
        assert number > 2
    assert incident_of(room, FAILED).closings == 1


def test_nobody_waits_for_a_cycle_that_is_at_work(room: Room) -> None:
    """However long it holds the workflow's lease."""
    found = incident_of(room, FAILED)
    room.store.lease(workflow_lease("prompt", "reco"), "a cycle", 60)
    request = room.request("I look")._replace(wait_s=0)
    verbs.acknowledge(request, found.id)
    verbs.mute(request, found.id, None)
    assert verbs.dismiss(request, found.id).acked is not None
    assert not incident_of(room, FAILED).is_open


def test_who_is_quicker_is_not_overwritten(room: Room) -> None:
    """A remark that meets another one is made again on top of it, and so are a cycle's failures."""
    found = incident_of(room, FAILED)
    decisions = 0

    def decide() -> list[MarkRecord]:
        nonlocal decisions
        failed = task(TaskStatus.FAILED, key=NINTH, reason=found.reason)
        marks = join_failures(room.store, "prompt", "reco", [failed], room.clock.now())
        decisions += 1
        if decisions == 1:
            verbs.acknowledge(room.request("I look"), found.id)
        return marks

    write_with_marks(room.store.append, decide)
    after = incident_of(room, FAILED)
    assert (decisions, after.units) == (2, ("1", "9"))
    assert after.acked is not None
    assert after.acked.reason == "I look"


def test_a_conflict_that_is_not_about_incidents_is_one(room: Room) -> None:
    """It is not tried again; neither is one that never ends."""
    old = room.store.marks(INCIDENTS)
    looks: list[int] = []

    def decide(marks: list[MarkRecord]) -> list[MarkRecord]:
        looks.append(len(marks))
        return marks

    with pytest.raises(Conflict):
        write_with_marks(lambda _: room.store.append(old), lambda: decide([]))
    assert looks == [0]
    with pytest.raises(Conflict):
        write_with_marks(room.store.append, lambda: decide(old))
    assert len(looks) > 10


def test_a_task_that_is_tried_again_leaves_its_incident_at_once(room: Room) -> None:
    """In the same write, with the person's name: nobody has to look for it."""
    room.has_run(2)
    room.cycle(RECO)
    room.jobs.finish("2/v1/0.1", exit_code=3)
    room.cycle(RECO)
    assert incident_of(room, FAILED).units == ("1", "2")
    verbs.skip(room.request("no beam"), "1", "reco")
    assert incident_of(room, FAILED).units == ("2",)
    assert verbs.retry(room.request("nothing"), "1", "reco").answers[0].before == "skipped"
    verbs.reprocess(room.request("mended"), "2", "reco")
    over = incident_of(room, FAILED)
    assert (over.units, over.is_open, over.ended_by) == ((), False, None)
    mark = next(one for one in room.store.marks(INCIDENTS) if one.name == "reco")
    assert (mark.actor.name, mark.reason) == ("ada", "mended")


def test_a_dry_run_leaves_incidents_as_they_are(room: Room) -> None:
    """Nothing is written."""
    before = room.incidents
    verbs.skip(room.request("no beam")._replace(dry_run=True), "1", "reco")
    assert room.incidents == before


def test_a_thorough_look_finds_what_was_moved_otherwise(room: Room) -> None:
    """A task that somebody else has moved leaves its incident when somebody looks."""
    before = room.task("reco")
    room.store.append([before.moved(TaskStatus.SKIPPED, room.clock.now())])
    follow_up(room.store, "prompt", [DISK], room.clock.now())
    assert incident_of(room, FAILED).is_open
    for _ in range(2):
        follow_up(room.store, "prompt", [DISK], room.clock.now(), is_thorough=True)
        assert not incident_of(room, FAILED).is_open


def test_an_unknown_incident_is_named(room: Room) -> None:
    """And one that may mean several; of those that are over long since, too."""
    with pytest.raises(UsageError, match=r"no incident 'zz'.*incidents list --all"):
        find_incident(room.store, "prompt", "zz")
    with pytest.raises(UsageError, match="no incident ''"):
        find_incident(room.store, "prompt", "")
    assert list_incidents(room.store, "x") == []
    for number in range(20):
        failed = task(TaskStatus.FAILED, reason="trouble " + "abcdefghijklmnopqrst"[number])
        marks = join_failures(room.store, "prompt", "other", [failed], room.clock.now())
        room.store.append(marks)
    first = next(one.id[0] for one in room.incidents if sum_of(room, one.id[0]) > 1)
    with pytest.raises(UsageError, match=rf"'{first}' means several incidents: "):
        find_incident(room.store, "prompt", first)


def sum_of(room: Room, digit: str) -> int:
    return sum(one.id.startswith(digit) for one in room.incidents)


def test_what_is_over_long_since_is_still_found(room: Room) -> None:
    """In its own mark, when it is not at hand any more."""
    found = incident_of(room, FAILED)
    verbs.dismiss(room.request("of no use"), found.id)
    room.clock.advance(100_000)
    room.has_run(2)
    room.cycle(RECO)
    room.jobs.finish("2/v1/0.1", exit_code=3)
    room.cycle(RECO)
    assert [one.is_open for one in room.incidents if one.kind == FAILED] == [False, True]
    assert find_incident(room.store, "prompt", found.id).id == found.id


def made(*units: str, kind: str = FAILED, reason: str = "exit code 3") -> Incident:
    return join([], "reco", [Trouble(kind, "", unit, reason, "/log") for unit in units], NOW)[0]


MANY = [str(unit) for unit in range(1, 99, 2)]


@pytest.mark.parametrize(
    ("incident", "title"),
    [
        (made("7"), "[reco]: run 7 permanently marked as failed. Please check the logs: /log"),
        (
            made("7", "8", "9"),
            "[reco]: runs 7-9 permanently marked as failed. Please check the logs: /log",
        ),
        (
            made("fill:8222"),
            "[reco]: fill 8222 permanently marked as failed. Please check the logs: /log",
        ),
        (
            made("7", "fill:8222")._replace(log=""),
            "[reco]: tasks 7,fill:8222 permanently marked as failed.",
        ),
        (
            made(*MANY)._replace(log=""),
            "[reco]: 49 runs (1 … 97) permanently marked as failed.",
        ),
        (
            made("7", kind=ALARM, reason="alarm: rate = 3"),
            "[reco]: run 7: alarm: rate = 3",
        ),
        (
            made("7")._replace(closed=NOW, units=()),
            "[reco]: over: tasks had failed: exit code 3",
        ),
        (
            made("7", "8", kind=ALARM, reason="alarm: hot")._replace(closed=NOW, units=()),
            "[reco]: over: tasks had raised an alarm: alarm: hot",
        ),
    ],
)
def test_the_first_line_says_what_is_the_matter(incident: Incident, title: str) -> None:
    """As shifters know it: the workflow, the runs, and where the logs are."""
    assert spell_title(incident) == title


def test_a_condition_has_a_first_line_of_its_own(room: Room) -> None:
    """What, which, and why; when it is over, that too."""
    found = incident_of(room, "disk")
    assert spell_title(found) == "disk state: 7 MB left"
    assert spell_title(found._replace(closed=NOW)) == "disk state is over: 7 MB left"
    message = spell_message("prompt", found, UTC)
    assert message.text.splitlines() == [
        "since: 2026-01-01 00:00:02 UTC",
        "do: Make room; jobs and records may fail until there is: autoctrl doctor",
    ]
    assert message.link.startswith("autoctrl incidents show ")
    down = spell_message("prompt", found._replace(kind="store"), UTC)
    assert down.link == "autoctrl doctor", "a store that does not answer shows no incident"
    assert "do:" not in spell_message("prompt", found._replace(kind="newer"), UTC).text


def test_a_message_says_what_people_need_to_act() -> None:
    """The reason, how many, since when, who looks after it, and where more is to be read."""
    message = spell_message("prompt", made("7", "8"), UTC)
    assert message.text.splitlines() == [
        "reason: exit code 3",
        "tasks: 2 now, met 2 times in all",
        "since: 2026-03-01 12:00:00 UTC",
    ]
    assert (message.severity, message.is_over, message.revision) == (Severity.ALARM, False, 1)
    assert message.link == f"autoctrl incidents show {message.key}"
    other = spell_message("rereco", made("7"), UTC)
    assert other.link.endswith(" --campaign rereco")
    assert "tasks:" not in other.text


@pytest.mark.parametrize(
    ("kind", "verbs_of"), [(FAILED, ["why", "retry", "mute"]), (ALARM, ["why", "mute"])]
)
def test_a_message_about_tasks_offers_what_can_be_done(kind: str, verbs_of: list[str]) -> None:
    """As long as the incident is open; what is offered is about the tasks as they are now."""
    incident = made("7", "8", kind=kind)
    message = spell_message("prompt", incident, UTC, "s1")
    assert [action.verb for action in message.actions] == verbs_of
    assert message.actions[-1].name == "mute 2 h"
    assert message.subject == ("s1", "prompt", incident.digest)
    over = spell_message("prompt", incident._replace(closed=NOW, units=()), UTC, "s1")
    assert (over.actions, over.subject) == ((), None)


def test_a_message_about_a_condition_offers_nothing(room: Room) -> None:
    """There are no tasks to be tried again."""
    assert spell_message("prompt", incident_of(room, "disk"), UTC).actions == ()


def test_the_digest_follows_the_tasks() -> None:
    """It is another one when a task joins, leaves or fails once more, not when people speak."""
    one = made("7", "8")
    others = [one._replace(units=("7",)), one._replace(struck=3), one._replace(closings=1)]
    assert len({one.digest, *(other.digest for other in others)}) == 4
    assert one.changed(acked=None).digest == one.digest


def test_remarks_of_people_are_shown(room: Room) -> None:
    """Acknowledged, muted, closed: by whom and why."""
    found = incident_of(room, FAILED)
    verbs.acknowledge(room.request("I look"), found.id)
    muted = verbs.mute(room.request("access"), found.id, timedelta(hours=1))
    text = spell_message("prompt", muted, UTC).text
    assert "acknowledged: by ada: I look" in text
    assert "muted: by ada until 2026-01-01 01:00:02 UTC: access" in text
    closed = verbs.dismiss(room.request("of no use"), found.id)
    facts = {fact.name: fact.text for fact in list_incident_facts(closed, UTC)}
    assert facts["over since"] == "2026-01-01 00:00:02 UTC by ada: of no use"
    assert (facts["is"], facts["tasks"]) == ("over", "0 now, met 1 time in all")
    assert spell_state(closed, NOW) == "over"


def test_all_that_is_known_of_an_incident_is_listed(room: Room) -> None:
    """A line for each fact; what is not known is left out."""
    facts = {fact.name: fact.text for fact in list_incident_facts(made("7", "8"), UTC)}
    assert (facts["workflow"], facts["units"], facts["log"]) == ("reco", "7-8", "/log")
    of_disk = {fact.name: fact.text for fact in list_incident_facts(incident_of(room, "disk"), UTC)}
    assert of_disk["workflow"] == "all workflows"
    assert of_disk["do"].startswith("Make room")
    assert "log" not in of_disk
    of_module = made("7")._replace(kind="module", workflow="", gist="calib")
    facts = {fact.name: fact.text for fact in list_incident_facts(of_module, UTC)}
    assert facts["workflow"] == "calib"
    assert facts["do"].startswith("Repair it")
    over = made("7")._replace(closed=later(5))
    assert "over since: 2026-03-01 12:00:05 UTC" in spell_message("prompt", over, UTC).text


def test_a_digest_and_a_test_are_messages_too() -> None:
    """They say where more is to be read."""
    further = spell_further("rereco", made("7"), 5)
    assert further.title.startswith("5 more incidents")
    assert further.link == "autoctrl incidents list --campaign rereco"
    assert "nothing is wrong" in spell_test("CMS ECAL").title
    assert "CMS ECAL" in spell_test("CMS ECAL").title
    assert spell_test("").title.startswith("This is a test:")
