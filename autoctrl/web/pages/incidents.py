"""The incidents of a campaign, and one with all that is known of it: look after it, mute it, close
it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.routing import Route

from autoctrl import verbs
from autoctrl.campaigns import find_campaign
from autoctrl.incidents import (
    count_incidents,
    find_incident,
    list_incidents,
    newest_incidents,
)
from autoctrl.model.duration import parse_duration
from autoctrl.model.unit import format_units
from autoctrl.model.verb import VERBS
from autoctrl.views.incidents import list_incident_facts, spell_deed, spell_state, spell_title
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.form_page import FormPage, lead_to
from autoctrl.web.exchange.parameters import is_on
from autoctrl.web.exchange.posted import SentForm, actor_of
from autoctrl.web.pages.confirmation import Confirmation, confirm
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.incident import Incident

LIST = "/campaigns/{campaign}/incidents"
ONE = LIST + "/{incident}"
MOST = 200
SPANS = ("30min", "2h", "8h")


MADE_IT = {"ack": "acknowledged", "mute": "muted", "close": "closed"}
"""What an incident is after each verb that a person may say to it."""


def incidents_page(request: Request) -> Response:
    """List the open incidents, the oldest first; with ``all=1`` also those that are over, the
    newest first.
    """
    site, campaign = site_of(request), request.path_params["campaign"]
    find_campaign(site.store, campaign)
    is_all = is_on(request, "all")
    if is_all:
        newest = newest_incidents(site.store, campaign, MOST, with_closed=True)
        found, total = newest.incidents[::-1], count_incidents(site.store, campaign)
    else:
        found = tuple(list_incidents(site.store, campaign))
        total = len(found)
    return site.draw(
        request,
        "incidents.html",
        campaign,
        found=found[:MOST],
        total=total,
        is_all=is_all,
        title_of=_title_of,
        state_of=spell_state,
    )


def _title_of(incident: Incident) -> str:
    """Return the first line about an incident; its log is a link of its own."""
    return spell_title(incident._replace(log=""))


def incident_page(request: Request) -> Response:
    """Show one incident."""
    return _show(request, SentForm())


def _show(
    request: Request, form: SentForm, refusals: Sequence[str] = (), code: int = 200
) -> Response:
    site, campaign = site_of(request), request.path_params["campaign"]
    find_campaign(site.store, campaign)
    found = find_incident(site.store, campaign, request.path_params["incident"])
    spelling = site.zones(request).spelling
    return site.draw(
        request,
        "incident.html",
        campaign,
        status_code=code,
        incident=found,
        title=_title_of(found),
        state=spell_state(found, site.clock.now()),
        known=list_incident_facts(found, spelling),
        units=format_units(found.units) if found.units else "",
        possible=_verbs_for(request, found),
        spans=SPANS,
        form=form,
        refusals=refusals,
    )


def _verbs_for(request: Request, incident: Incident) -> dict[str, str]:
    """Return what the visitor may do to an incident, with what it does."""
    if not incident.is_open:
        return {}
    visitor = visitor_of(request)
    return {verb: VERBS[verb].does for verb in MADE_IT if visitor.may(verb)}


def _do(request: Request, form: SentForm) -> Response:
    """Do what a person says to an incident, and lead back to its page."""
    question = confirm(request, form, _confirmation(request, form))
    if question is not None:
        return question
    changed = _call_verb(request, form)
    note = site_of(request).notes.keep([spell_deed(changed, MADE_IT[form.verb])])
    address = links.incident(request.path_params["campaign"], changed.id, note=note)
    return lead_to(request, form, address)


def _confirmation(request: Request, form: SentForm) -> Confirmation:
    """Return what a person is asked: how the incident stands now. Raises ``UsageError``."""
    site, campaign = site_of(request), request.path_params["campaign"]
    found = find_incident(site.store, campaign, request.path_params["incident"])
    span = []
    if form.verb == "mute":
        if form.span:
            parse_duration(form.span)
        span = [f"It is muted for {form.span or 'as long as it lasts'}."]
    units = f" Tasks: {format_units(found.units)}." if found.units else ""
    return Confirmation(
        what=f"{form.verb} incident {found.id}",
        does=VERBS[form.verb].does,
        lines=[
            _title_of(found),
            f"It is {spell_state(found, site.clock.now())} now.{units}",
            *span,
        ],
        back=links.incident(campaign, found.id),
        state=(found.revision, found.is_open),
    )


def _call_verb(request: Request, form: SentForm) -> Incident:
    """Hand a form over to the verb that it names."""
    campaign, identity = request.path_params["campaign"], request.path_params["incident"]
    asked = site_of(request).project.request(actor_of(form), campaign, form.reason)
    if form.verb == "mute":
        span = timedelta(seconds=parse_duration(form.span)) if form.span else None
        return verbs.mute(asked, identity, span)
    return (verbs.acknowledge if form.verb == "ack" else verbs.dismiss)(asked, identity)


ROUTES = [
    Route(LIST, incidents_page),
    Route(ONE, incident_page),
    Route(ONE, FormPage(MADE_IT, _show, _do).act, methods=["POST"]),
]
