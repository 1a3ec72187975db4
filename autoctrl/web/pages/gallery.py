"""The page with the plots of one run, each beside the same one of its neighbours."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.routing import Route

from autoctrl.views.gallery import read_gallery
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.pages.plots import spell_number
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

REACH = 30  # so many runs to each side are searched for the same plots


class Neighbours(NamedTuple):
    """The numbers of the neighbouring runs, None where there is none."""

    older: int | None
    newer: int | None


def plots_page(request: Request) -> Response:
    """Show the plots of one run, each beside the same one of the runs before and after."""
    require_known(request, "see outputs")
    site, campaign = site_of(request), request.path_params["campaign"]
    number: int = request.path_params["run"]
    known = site.index.numbers()
    index = bisect_left(known, number)
    if index == len(known) or known[index] != number:
        raise HTTPException(404, f"Run {number} is not registered.")
    near = known[max(0, index - REACH) : index + REACH + 1]
    runs = site.store.runs(numbers=near).records
    walls = read_gallery(site.store, site.measurements, campaign, number, runs)
    return site.draw(
        request,
        "gallery.html",
        campaign,
        record=next(run for run in runs if run.number == number),
        walls=walls,
        neighbours=Neighbours(
            older=known[index - 1] if index else None,
            newer=known[index + 1] if index + 1 < len(known) else None,
        ),
        spell_number=spell_number,
    )


ROUTES = [Route("/campaigns/{campaign}/plots/{run:int}", plots_page)]
