"""All campaigns, and the form by which one is made, changed or closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from autoctrl import verbs
from autoctrl.campaigns import find_campaign
from autoctrl.model.campaign import PROMPT
from autoctrl.model.pairs import parse_pairs
from autoctrl.model.verb import VERBS
from autoctrl.verbs.campaign_text import CampaignText
from autoctrl.views.outcomes import spell_closed, spell_created, spell_edited
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.form_page import FormPage, lead_to
from autoctrl.web.exchange.posted import SentForm, actor_of
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.campaign import Campaign
    from autoctrl.verbs import Request as Asked

SAID_HERE = CREATE, EDIT, CLOSE = "create-campaign", "edit-campaign", "close-campaign"


def campaigns_page(request: Request) -> Response:
    """List all campaigns; with ``change=NAME`` the form is filled in with what one is."""
    chosen = request.query_params.get("change", "")
    if not chosen:
        return _show(request, SentForm(parent=PROMPT))
    return _show(request, _form_of(find_campaign(site_of(request).store, chosen)))


def _form_of(campaign: Campaign) -> SentForm:
    """Return the form filled in with what a campaign is."""
    return SentForm(
        campaign=campaign.name,
        workflows=",".join(campaign.workflows or ()),
        parent=campaign.parent or "",
        runs=campaign.runs or "",
        settings=" ".join(f"{name}={value}" for name, value in campaign.settings.items()),
        code=campaign.code or "",
        follow=campaign.follow,
    )


def _show(
    request: Request, form: SentForm, refusals: Sequence[str] = (), code: int = 200
) -> Response:
    site, visitor = site_of(request), visitor_of(request)
    known = verbs.list_campaigns(site.store)
    chosen = next((one for one in known if one.name == request.query_params.get("change")), None)
    offered = (CREATE,) if chosen is None else (EDIT, CLOSE)
    return site.draw(
        request,
        "campaigns.html",
        site.campaign if chosen is None else chosen.name,
        status_code=code,
        known=known,
        chosen=chosen,
        workflows=sorted(verbs.known_workflows(site.store, site.project.folder)),
        possible={verb: VERBS[verb].does for verb in offered if visitor.may(verb)},
        form=form,
        refusals=refusals,
        is_still=True,
    )


def _do(request: Request, form: SentForm) -> Response:
    """Make, change or close a campaign, and lead to what came of it."""
    site = site_of(request)
    asked = site.project.request(actor_of(form), form.campaign, form.reason)
    known = verbs.known_workflows(site.store, site.project.folder)
    if form.verb == CREATE:
        name = verbs.create_campaign(asked, _text_of(form).campaign(form.campaign), known).name
        said = spell_created(name, dry_run=False)
    else:
        name, said = form.campaign, _change(asked, form, known)
    note = site.notes.keep([said])
    return lead_to(request, form, links.campaigns(change=name, note=note))


def _change(asked: Asked, form: SentForm, known: set[str]) -> str:
    """Change or close a campaign, and return what came of it."""
    if form.verb == CLOSE:
        _, is_changed = verbs.close_campaign(asked, form.campaign)
        return spell_closed(form.campaign, is_changed=is_changed)
    shown = _form_of(find_campaign(asked.store, form.campaign))
    changes = _text_of(form, shown)._replace(reopen=form.reopen).changes()
    _, is_changed = verbs.edit_campaign(asked, form.campaign, changes, known)
    return spell_edited(form.campaign, is_changed=is_changed, dry_run=False)


def _text_of(form: SentForm, shown: SentForm = SentForm()) -> CampaignText:  # noqa: B008 - a value
    """Return what a form says of a campaign: only what differs from what it had ``shown``."""
    names = ("workflows", "runs", "code")
    said: dict[str, Any] = {
        name: getattr(form, name) or None for name in names if _differs(form, shown, name)
    }
    settings = parse_pairs(form.settings.split()) if _differs(form, shown, "settings") else {}
    return CampaignText(
        **said,
        parent=form.parent if _differs(form, shown, "parent") or not shown.campaign else None,
        settings=settings,
        follow=form.follow if form.follow is not shown.follow else None,
    )


def _differs(form: SentForm, shown: SentForm, name: str) -> bool:
    return bool(getattr(form, name) != getattr(shown, name))


ROUTES = [
    Route("/campaigns", campaigns_page),
    Route("/campaigns", FormPage(SAID_HERE, _show, _do).act, methods=["POST"]),
]
