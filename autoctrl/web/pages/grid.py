"""The dense grid: two hundred runs in all workflows on one screen, a sign for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import Route

from autoctrl.views.grid import LEGEND, describe_cell, sign_of, split_rows
from autoctrl.views.runs import runs_of_campaign
from autoctrl.web.exchange.parameters import filter_text_of, read_filter_of, read_number, read_runs
from autoctrl.web.pages.paging import Place, page_of
from autoctrl.web.pages.shared import shared
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.web.pages.paging import Page

RUNS = 200
SCREEN = 1220  # pixels that blocks may take beside each other


class Cells(NamedTuple):
    """How large the cells of a grid are.

    size   their name in the style
    width  of one, pixels
    rows   so many runs of it are as high as a screen
    """

    size: str
    width: int
    rows: int


SIZES = (Cells("large", 25, 28), Cells("wide", 20, 40), Cells("narrow", 13, 50))
NUMBERS = 50  # pixels that run numbers and the gap beside a block take


def grid_page(request: Request) -> Response:
    """Show a sign for each task of two hundred runs, newest first, filtered as the overview."""
    site, campaign = site_of(request), request.path_params["campaign"]
    page = _read(request, campaign)
    text = filter_text_of(request)._replace(sort="")
    query = {name: given for name, given in text.query().items() if given}
    cells = size_cells(len(page.rows), len(page.seen.workflows))
    newer = older = ""
    if page.rows and page.has_newer:
        newer = links.grid(campaign, **query, after=page.rows[0].run)
    if page.rows and page.has_older:
        older = links.grid(campaign, **query, before=page.rows[-1].run)
    return site.draw(
        request,
        "grid.html",
        campaign,
        rows=page.rows,
        workflows=page.seen.workflows,
        blocks=split_rows(page.rows, cells.rows),
        table=links.overview(campaign, **query),
        query=query,
        newer=newer,
        older=older,
        sign_of=sign_of,
        describe_cell=describe_cell,
        legend=LEGEND,
        size_of_cells=cells.size,
    )


def _read(request: Request, campaign: str) -> Page:
    """Return the runs that the address means. Answers 400 for what is not a filter."""
    site = site_of(request)
    known = site.index.numbers()
    read_runs(request, known)
    text = filter_text_of(request)
    chosen = read_filter_of(request, campaign)._replace(sort=None)
    place = Place(before=read_number(request, "before"), after=read_number(request, "after"))
    numbers = runs_of_campaign(site.store, campaign, known, text.runs)
    return page_of(site.store, campaign, numbers, chosen, place, size=RUNS)


def size_cells(runs: int, workflows: int) -> Cells:
    """Return how large cells may be so that all of them fit a screen, else the smallest."""
    fitting = (one for one in SIZES if _blocks(runs, one) * _width(workflows, one) <= SCREEN)
    return next(fitting, SIZES[-1])


def _blocks(runs: int, cells: Cells) -> int:
    return -(-runs // cells.rows)


def _width(workflows: int, cells: Cells) -> int:
    return NUMBERS + workflows * cells.width


ROUTES = [Route("/campaigns/{campaign}/grid", shared(grid_page))]
