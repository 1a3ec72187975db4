"""The pages of incidents."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from autoctrl.incidents import find_incident, join_failures
from autoctrl.model.role import Role
from autoctrl.model.status import TaskStatus
from autoctrl.web.entry.visitor import Visitor
from tests.unit.web.desk import Desk, text_of

if TYPE_CHECKING:
    from autoctrl.model.incident import Incident

LIST = "/campaigns/prompt/incidents"


@pytest.fixture
def incident(desk: Desk) -> Incident:
    """Two runs that failed alike: one incident."""
    keys = [desk.scene.task(run, "reco", TaskStatus.FAILED, reason="disk full") for run in (1, 2)]
    tasks = [desk.scene.newest(key) for key in keys]
    now = desk.scene.clock.now()
    desk.scene.store.append(join_failures(desk.scene.store, "prompt", "reco", tasks, now))
    (found,) = [
        find_incident(desk.scene.store, "prompt", link.rpartition("/")[2])
        for link in desk.links(LIST)
        if link.startswith(LIST + "/")
    ]
    return found


def test_incidents_are_listed_with_what_since_when_and_how_many(
    desk: Desk, incident: Incident
) -> None:
    """The open ones by themselves; those that are over are asked for."""
    text = text_of(desk.get(LIST))
    assert "[reco]: runs 1-2 permanently marked as failed." in text
    assert "disk full" in text
    assert "open since 2026-01-01 01:00:00 CET" in text
    assert ", 2 tasks" in text
    desk.post(f"{LIST}/{incident.id}", verb="close")
    assert "No incident is open." in desk.get(LIST)
    assert "over since" in text_of(desk.get(f"{LIST}?all=1"))
    assert LIST in desk.links("/campaigns/prompt")


def test_an_incident_leads_to_its_tasks(desk: Desk, incident: Incident) -> None:
    """Its page says all that is known and where its tasks are moved; the id's beginning is
    enough.
    """
    page = f"{LIST}/{incident.id[:6]}"
    assert "2 now, met 2 times in all" in desk.get(page)
    assert "/campaigns/prompt/verbs/reco?runs=1-2" in desk.links(page)
    assert "There is no incident 'ffffffffffff'" in desk.get(f"{LIST}/ffffffffffff", 404)


@pytest.mark.parametrize(
    ("verb", "says", "state"),
    [
        ("ack", "is acknowledged.", "acknowledged since"),
        ("mute", "is muted.", "muted since"),
        ("close", "is closed.", "over since"),
    ],
)
def test_a_person_says_something_of_an_incident(
    desk: Desk, incident: Incident, verb: str, says: str, state: str
) -> None:
    """It is kept with name and reason, and said once; what is over takes no more."""
    address = desk.post(f"{LIST}/{incident.id}", verb=verb, span="2h").headers["location"]
    page = desk.get(address)
    assert f"Incident {incident.id} {says}" in page
    assert state in text_of(page)
    assert "by Anna Ärger" in page
    assert "the node was down" in page
    assert ("until 2026-01-01 03:00:00 CET" in page) == (verb == "mute")
    assert ('value="ack"' in page) == (verb != "close")


def test_a_word_about_an_incident_is_asked_for_once_more(desk: Desk, incident: Incident) -> None:
    """With what it is about and how it stands now."""
    path = f"{LIST}/{incident.id}"
    page = unescape(desk.ask(path, verb="mute", span="2h").text)
    assert "It is muted for 2h." in page
    assert "[reco]: runs 1-2 permanently marked as failed." in page
    assert "It is open now. Tasks: 1-2." in page
    assert find_incident(desk.scene.store, "prompt", incident.id) == incident
    assert "It is muted for as long as it lasts." in desk.ask(path, verb="mute", span="").text


def test_an_incident_is_muted_for_as_long_as_it_lasts(desk: Desk, incident: Incident) -> None:
    """Where no time is chosen."""
    desk.post(f"{LIST}/{incident.id}", verb="mute", span="")
    muted = find_incident(desk.scene.store, "prompt", incident.id).muted
    assert muted is not None
    assert muted.until is None


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"verb": "ack", "reason": ""}, 400, "Give a reason"),
        ({"verb": "retry"}, 400, "There is no verb 'retry' here"),
        ({"verb": "mute", "span": "soon"}, 409, "'soon' is not a duration"),
        ({"verb": "ack", "token": "0"}, 403, "Open the page again"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    desk: Desk, incident: Incident, fields: dict[str, str], code: int, says: str
) -> None:
    """And nothing is done."""
    answer = desk.post(f"{LIST}/{incident.id}", **fields)
    assert answer.status_code == code
    assert says in unescape(answer.text)
    assert find_incident(desk.scene.store, "prompt", incident.id) == incident


def test_who_may_only_look_sees_no_buttons(
    desk: Desk, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shifter looks after incidents and cannot close them; a viewer reads."""
    for role, buttons in ((Role.VIEWER, []), (Role.SHIFTER, ["ack", "mute"])):
        visitor = Visitor(role, "Grace")
        monkeypatch.setattr("autoctrl.web.entry.gate.Gate.visitor", lambda *_, it=visitor: it)
        page = desk.get(f"{LIST}/{incident.id}")
        assert [verb for verb in ("ack", "mute", "close") if f'value="{verb}"' in page] == buttons
        assert desk.post(f"{LIST}/{incident.id}", verb="close").status_code == 403
