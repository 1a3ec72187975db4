"""The verbs about incidents, and about those who are told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from autoctrl.campaigns import find_campaign
from autoctrl.cli.acting import reason_option
from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.session import VerbGroup, verb
from autoctrl.errors import NotifierError, UsageError, nearest
from autoctrl.incidents import find_incident, list_incidents
from autoctrl.model.duration import parse_duration

if TYPE_CHECKING:
    from autoctrl.cli.session import Session
    from autoctrl.model.incident import Incident

incident_argument = click.argument("incident", metavar="ID")


@click.group(cls=VerbGroup, example="incidents list")
def incidents() -> None:
    """See and steer what people are told: one incident for one trouble."""


@verb("incidents list", name="list", group=incidents)
@click.option("--all", "with_closed", is_flag=True, help="Also those that are over.")
def list_(session: Session, with_closed: bool) -> int:
    """List the open incidents, the oldest first.

    Exits with 1 if one is open.
    """
    from autoctrl.views.tables import tabulate_incidents

    with session.open() as project:
        find_campaign(project.store, session.campaign)
        found = list_incidents(project.store, session.campaign, with_closed=with_closed)
        spelling, now = session.spelling(project), project.clock.now()
    if session.is_json:
        show_json(campaign=session.campaign, incidents=found)
    elif found:
        show_table(tabulate_incidents(found, now, spelling))
    else:
        say("There is no incident.")
    return int(any(one.is_open for one in found))


@verb("incidents show 3fa2c1", group=incidents)
@incident_argument
def show(session: Session, incident: str) -> None:
    """Show all that is known of an incident. The beginning of its ID suffices."""
    from autoctrl.views.incidents import list_incident_facts

    with session.open() as project:
        found = find_incident(project.store, session.campaign, incident)
        spelling = session.spelling(project)
    if session.is_json:
        show_json(campaign=session.campaign, incident=found)
        return
    for fact in list_incident_facts(found, spelling):
        say(f"{fact.name:<13} {fact.text}")


@verb('incidents ack 3fa2c1 --reason "calling the pixel expert"', group=incidents)
@incident_argument
@reason_option
def ack(session: Session, incident: str, reason: str) -> None:
    """Say that you look after an incident; nobody is reminded of it any more."""
    from autoctrl.verbs.incidents import acknowledge

    with session.open() as project:
        found = acknowledge(session.request(project, reason), incident)
    _report(session, found, "acknowledged")


@verb('incidents mute 3fa2c1 --for 2h --reason "access to the pit"', group=incidents)
@incident_argument
@click.option("--for", "span", metavar="TIME", help="For so long: 30min, 2h; by default for ever.")
@reason_option
def mute(session: Session, incident: str, span: str | None, reason: str) -> None:
    """Hear nothing of an incident for a while, or until it is over."""
    from autoctrl.verbs.incidents import mute as silence

    length = None if span is None else timedelta(seconds=parse_duration(span))
    with session.open() as project:
        found = silence(session.request(project, reason), incident, length)
    _report(session, found, "muted")


@verb('incidents close 3fa2c1 --reason "these runs are of no use"', group=incidents)
@incident_argument
@reason_option
def close(session: Session, incident: str, reason: str) -> None:
    """Close an incident although its tasks are in trouble.

    It is opened again when another task meets the same trouble.
    """
    from autoctrl.verbs.incidents import dismiss

    with session.open() as project:
        found = dismiss(session.request(project, reason), incident)
    _report(session, found, "closed")


def _report(session: Session, found: Incident, what: str) -> None:
    from autoctrl.views.incidents import spell_deed

    if session.is_json:
        show_json(campaign=session.campaign, incident=found)
    else:
        say(spell_deed(found, what))


@click.group(cls=VerbGroup, example="notify test shifters")
def notify() -> None:
    """Try who is told."""


@verb("notify test shifters", group=notify, has_campaign=False)
@click.argument("name", metavar="NAME")
def test(session: Session, name: str) -> None:
    """Tell a notifier a test message, to see whether it arrives.

    Exits with 2 if it does not.
    """
    from autoctrl.views.incidents import spell_test

    with session.open() as project:
        if name not in project.notifier_names:
            message = f"There is no notifier '{name}' in the settings."
            raise UsageError(message, hint=nearest(name, project.notifier_names))
        listener = project.listener(name)
        told = listener.notifier.tell(spell_test(project.settings.project.name))
        if told is None:
            says = listener.ping()
            message = f"Nobody was told, and yet all seems well. {says}."
            raise NotifierError(message, hint="Look into the service's own log.")
    if session.is_json:
        show_json(notifier=name, message=told)
    else:
        say(f"{name} was told.")
