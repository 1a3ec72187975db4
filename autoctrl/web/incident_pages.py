"""The incidents of a campaign, and one with all that is known of it: look after it, mute it, close
it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import Route

from autoctrl import verbs
from autoctrl.campaigns import find_campaign
from autoctrl.incidents import find_incident, list_incidents
from autoctrl.model.duration import parse_duration
from autoctrl.model.unit import format_units
from autoctrl.views.incidents import list_incident_facts, spell_deed, spell_state, spell_title
from autoctrl.web import links
from autoctrl.web.form_page import FormPage, lead_to
from autoctrl.web.parameters import is_on
from autoctrl.web.posted import SentForm, actor_of
from autoctrl.web.state import site_of
from autoctrl.web.visitor import visitor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.incident import Incident

LIST = "/campaigns/{campaign}/incidents"
ONE = LIST + "/{incident}"
MOST = 200
SPANS = ("30min", "2h", "8h")


class Deed(NamedTuple):
    """What a person may do to an open incident.

    does     what happens, in a few words
    made_it  what the incident is then
    """

    does: str
    made_it: str


DEEDS = {
    "ack": Deed("you look after it; nobody is reminded of it any more", "acknowledged"),
    "mute": Deed("nobody hears of it for so long", "muted"),
    "close": Deed("although its tasks are in trouble; the next one opens it again", "closed"),
}


def incidents_page(request: Request) -> Response:
    """List the open incidents, the oldest first; with ``all=1`` also those that are over, the
    newest first.
    """
    site, campaign = site_of(request), request.path_params["campaign"]
    find_campaign(site.store, campaign)
    is_all = is_on(request, "all")
    found = list_incidents(site.store, campaign, with_closed=is_all)
    return site.draw(
        request,
        "incidents.html",
        campaign,
        found=found[::-1][:MOST] if is_all else found[:MOST],
        total=len(found),
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
        possible=_deeds_for(request, found),
        spans=SPANS,
        form=form,
        refusals=refusals,
    )


def _deeds_for(request: Request, incident: Incident) -> dict[str, Deed]:
    if not incident.is_open:
        return {}
    visitor = visitor_of(request)
    return {verb: deed for verb, deed in DEEDS.items() if visitor.may(verb)}


def _do(request: Request, form: SentForm) -> Response:
    """Do what a person says to an incident, and lead back to its page."""
    changed = _call_verb(request, form)
    note = site_of(request).notes.keep([spell_deed(changed, DEEDS[form.verb].made_it)])
    address = links.incident(request.path_params["campaign"], changed.id, note=note)
    return lead_to(request, form, address)


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
    Route(ONE, FormPage(DEEDS, _show, _do).act, methods=["POST"]),
]
