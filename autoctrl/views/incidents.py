"""Incidents as people read them: the message that is sent, the list, one with all that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.campaign import PROMPT
from autoctrl.model.condition import ConditionKind, remedy_for
from autoctrl.model.incident import FAILED, MUTED_FOR
from autoctrl.model.quality import ALARM
from autoctrl.model.severity import Severity
from autoctrl.model.unit import format_units, spell_units
from autoctrl.ports import Action, Message, Subject
from autoctrl.views.spelling import count, spell_duration
from autoctrl.views.versions import Fact

WHY = Action("why", "why")
RETRY = Action("retry", "retry all")
MUTE = Action("mute", f"mute {spell_duration(MUTED_FOR)}")

if TYPE_CHECKING:
    from datetime import datetime

    from autoctrl.model.incident import Incident, Remark
    from autoctrl.views.spelling import Spelling


def spell_message(
    campaign: str, incident: Incident, spelling: Spelling, store_id: str = ""
) -> Message:
    """Return what people are told of an incident that is kept in this store."""
    actions = list_actions(incident)
    return Message(
        key=incident.id,
        severity=incident.severity,
        title=spell_title(incident),
        text="\n".join(f"{fact.name}: {fact.text}" for fact in _message_facts(incident, spelling)),
        link=_hint(campaign, incident),
        revision=incident.revision,
        is_over=not incident.is_open,
        actions=actions,
        subject=Subject(store_id, campaign, incident.digest) if actions else None,
    )


def list_actions(incident: Incident) -> tuple[Action, ...]:
    """Return what people may ask for below a message about an incident: of its tasks."""
    if not (incident.is_open and incident.is_of_tasks):
        return ()
    return (WHY, RETRY, MUTE) if incident.kind == FAILED else (WHY, MUTE)


def spell_further(campaign: str, first: Incident, number: int) -> Message:
    """Return what people are told where a channel cannot bear more messages."""
    option = _option(campaign)
    title = f"{count(number, 'more incident')} within the hour that nobody was told of one by one"
    link = f"autoctrl incidents list{option}"
    return Message(f"further-{first.id}", first.severity, title, link=link, revision=number)


def spell_test(project: str) -> Message:
    """Return a message by which people see that messages arrive."""
    of = f" of {project}" if project else ""
    title = f"This is a test{of}: nothing is wrong."
    return Message("test", Severity.INFO, title, link="autoctrl doctor")


def spell_title(incident: Incident) -> str:
    """Return the first line about an incident."""
    if not incident.is_of_tasks:
        over = "" if incident.is_open else " is over"
        return f"{incident.kind} {incident.gist}{over}: {incident.reason}"
    where = f"[{incident.workflow}]:"
    subject = spell_units(incident.units)
    if not incident.is_open:
        what = "failed" if incident.kind == FAILED else "raised an alarm"
        return f"{where} over: tasks had {what}: {incident.reason}"
    if incident.kind == ALARM:
        return f"{where} {subject}: {incident.reason}"
    logs = f" Please check the logs: {incident.log}" if incident.log else ""
    return f"{where} {subject} permanently marked as failed.{logs}"


def _message_facts(incident: Incident, spelling: Spelling) -> list[Fact]:
    facts = []
    if incident.is_of_tasks:
        facts.append(Fact("reason", incident.reason))
        if incident.struck > 1:
            facts.append(Fact("tasks", _spell_tasks(incident)))
    facts.append(Fact("since", spelling.time(incident.opened)))
    return [*facts, *_remedy_facts(incident), *_remark_facts(incident, spelling)]


def _remedy_facts(incident: Incident) -> list[Fact]:
    """Return what a person does about a condition that is so; tasks have their verbs."""
    if not incident.is_open or incident.kind not in set(ConditionKind):
        return []
    return [Fact("do", remedy_for(ConditionKind(incident.kind), incident.gist))]


def _spell_tasks(incident: Incident) -> str:
    return f"{len(incident.units)} now, met {count(incident.struck, 'time')} in all"


def _remark_facts(incident: Incident, spelling: Spelling) -> list[Fact]:
    facts = []
    if incident.acked is not None:
        facts.append(Fact("acknowledged", _spell_remark(incident.acked, spelling)))
    if incident.muted is not None:
        facts.append(Fact("muted", _spell_remark(incident.muted, spelling)))
    if incident.closed is not None:
        how = "" if incident.ended_by is None else f" {_spell_remark(incident.ended_by, spelling)}"
        facts.append(Fact("over since", f"{spelling.time(incident.closed)}{how}"))
    return facts


def _spell_remark(remark: Remark, spelling: Spelling) -> str:
    until = "" if remark.until is None else f" until {spelling.time(remark.until)}"
    return f"by {remark.name}{until}: {remark.reason}"


def _hint(campaign: str, incident: Incident) -> str:
    if incident.kind == ConditionKind.STORE:  # which cannot show it
        return "autoctrl doctor"
    return f"autoctrl incidents show {incident.id}{_option(campaign)}"


def _option(campaign: str) -> str:
    return "" if campaign == PROMPT else f" --campaign {campaign}"


def list_incident_facts(incident: Incident, spelling: Spelling) -> list[Fact]:
    """Return all that is known of an incident, a line each."""
    is_of_module = incident.kind == ConditionKind.MODULE
    workflow = incident.workflow or (incident.gist if is_of_module else "all workflows")
    facts = [
        Fact("incident", incident.id),
        Fact("is", "open" if incident.is_open else "over"),
        Fact("workflow", workflow),
        Fact("severity", str(incident.severity)),
        Fact("what", spell_title(incident)),
        Fact("reason", incident.reason),
        Fact("since", spelling.time(incident.opened)),
    ]
    if incident.is_of_tasks:
        facts.append(Fact("tasks", _spell_tasks(incident)))
        facts.append(Fact("units", format_units(incident.units)))
    facts.append(Fact("log", incident.log))
    told = [*facts, *_remedy_facts(incident), *_remark_facts(incident, spelling)]
    return [fact for fact in told if fact.text]


def spell_deed(incident: Incident, what: str) -> str:
    """Return what a person has done to an incident, such as that it is ``acknowledged``."""
    return f"Incident {incident.id} is {what}."


def spell_state(incident: Incident, now: datetime) -> str:
    """Return how an incident stands, in a word or two."""
    if not incident.is_open:
        return "over"
    if incident.is_muted(now):
        return "muted"
    return "acknowledged" if incident.acked is not None else "open"
