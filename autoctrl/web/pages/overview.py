"""The overview of a campaign: a row for each run, and why tasks wait or failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import RedirectResponse

from autoctrl.model.status import TaskStatus
from autoctrl.views import (
    shared_reasons,
)
from autoctrl.views.reasons import is_urgent
from autoctrl.views.runs import runs_of_campaign
from autoctrl.views.sorting import WORDS
from autoctrl.views.totals import urgent_for
from autoctrl.web.exchange.parameters import (
    filter_text_of,
    read_filter_of,
    read_number,
    read_runs,
)
from autoctrl.web.pages.paging import PAGE, Place, page_of
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.task import TaskRecord
    from autoctrl.views import SharedReason
    from autoctrl.web.pages.paging import Page


MOST_URGENT, MOST_OTHERS = 6, 3  # reasons above the table
MOST_CONDITIONS = 3  # above the totals
TABS = (TaskStatus.FAILED, TaskStatus.PROCESSING, TaskStatus.NEW, TaskStatus.DONE)


class Turns(NamedTuple):
    """Addresses of the page before and the page after, empty where there is none; unless runs are
    sorted, newer runs come before older ones.
    """

    newer: str
    older: str


def front(request: Request) -> Response:
    """Lead to the overview of the campaign that was chosen, or of the one that is shown first."""
    chosen = request.query_params.get("campaign") or site_of(request).campaign
    return RedirectResponse(links.overview(chosen), 303)


def overview_page(request: Request) -> Response:
    """Show a row for each run and a column for each workflow, newest runs first, and why tasks wait
    or failed.
    """
    site, campaign = site_of(request), request.path_params["campaign"]
    known = site.index.numbers()
    some = read_runs(request, known)  # answers 400 for what is not a selection
    text, chosen = filter_text_of(request), read_filter_of(request, campaign)
    place = _read_place(request)
    page = page_of(site.store, campaign, _numbers(request), chosen, place)
    everything = site.everything(campaign)
    urgent = urgent_for(everything, None if some is None else frozenset(some), text)
    address = Address(campaign, text.query())
    return site.draw(
        request,
        "overview.html",
        campaign,
        most_conditions=MOST_CONDITIONS,
        page=page,
        chosen=text,
        place=place,
        address=address,
        turns=_turns(address, place, page),
        sorts=(*WORDS, *everything.totals.tasks, *site.project.settings.attributes),
        totals=everything.totals,
        tabs=TABS,
        reasons=_fold(page, urgent, site.long_before),
        is_registered=bool(known),
    )


class Reasons(NamedTuple):
    """Reasons that stand above the table, and others."""

    shown: list[SharedReason]
    more: list[SharedReason]


def _numbers(request: Request) -> list[int]:
    """Return the runs that the address selects, in order."""
    site, campaign = site_of(request), request.path_params["campaign"]
    text = filter_text_of(request).runs
    return runs_of_campaign(site.store, campaign, site.index.numbers(), text)


def _fold(page: Page, urgent: Iterable[TaskRecord], long_before: datetime | None) -> Reasons:
    """Return the reasons that stand above the table, those that ask for a person, and the others,
    which are one step away.
    """
    reasons = shared_reasons(page.rows, urgent, long_before)
    pressing = [shared for shared in reasons if is_urgent(shared)][:MOST_URGENT]
    shown = pressing or reasons[:MOST_OTHERS]
    return Reasons(shown, [one for one in reasons if one not in shown])


class Address(NamedTuple):
    """Where the overview that is shown lies, for links to others like it.

    campaign  whose overview
    query     what was chosen, by parameter
    """

    campaign: str
    query: dict[str, Any]

    def all(self, **query: object) -> str:
        """Return the address of the overview that has only these parameters."""
        return links.overview(self.campaign, **query)

    def but(self, **changes: object) -> str:
        """Return the address of the overview that differs by these parameters."""
        return links.overview(self.campaign, **{**self.query, **changes})


def _turns(address: Address, place: Place, page: Page) -> Turns:
    if not page.rows:
        return Turns("", "")
    if address.query["sort"]:
        before, after = {"skip": max(0, place.skip - PAGE)}, {"skip": place.skip + PAGE}
    else:
        before, after = {"after": page.rows[0].run}, {"before": page.rows[-1].run}
    newer = address.but(**before) if page.has_newer else ""
    return Turns(newer, address.but(**after) if page.has_older else "")


def _read_place(request: Request) -> Place:
    return Place(
        before=read_number(request, "before"),
        after=read_number(request, "after"),
        skip=read_number(request, "skip") or 0,
    )
