"""The page of the quotas: how full each is, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from autoctrl.campaigns import find_campaign
from autoctrl.model.quota import spell_usage
from autoctrl.views.quotas import list_quotas
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def show_quotas(request: Request) -> Response:
    """Show every quota as the last cycle that asked it knows it; nobody is asked here, for a page
    must not wait for a mount that is dead.
    """
    site, campaign = site_of(request), request.path_params["campaign"]
    find_campaign(site.store, campaign)
    found = list_quotas(site.store, campaign, site.project.settings)
    return site.draw(request, "quotas.html", campaign, quotas=found, usage=spell_usage)


ROUTES = [Route("/campaigns/{campaign}/quotas", show_quotas)]
