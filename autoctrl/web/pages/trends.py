"""The page with numbers of one workflow over runs, drawn and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.routing import Route

from autoctrl.campaigns import find_lineage
from autoctrl.errors import UsageError
from autoctrl.views.columns import find_columns
from autoctrl.views.filter import Filter, read_where
from autoctrl.views.measured import ERROR, RunChoice, read_trends
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.parameters import read_number, read_runs
from autoctrl.web.pages.plots import Limit, Plot, draw, point_at, spell_number
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.views.columns import Column
    from autoctrl.views.measured import Measured, Trends
    from autoctrl.web.pages.plots import Point
    from autoctrl.web.site.state import Site

MOST_PLOTS = 24
USUAL_RUNS, MOST_RUNS = 100, 1000


class Question(NamedTuple):
    """What is asked for.

    workflow  whose numbers, empty for the last one in the chain that has some
    fields    which of them, empty for those that are shown by themselves
    runs      a selection of runs, empty for all
    where     conditions on attributes, such as ``kind=physics``
    limit     at most so many runs, the newest
    """

    workflow: str
    fields: tuple[str, ...]
    runs: str
    where: tuple[str, ...]
    limit: int


def trends_page(request: Request) -> Response:
    """Show numbers of one workflow over the newest runs that are wanted."""
    require_known(request, "see trends")
    site, campaign = site_of(request), request.path_params["campaign"]
    columns = find_columns(site.store, find_lineage(site.store, campaign))
    asked = _read_question(request)
    choice = _read_runs(request, asked)
    likely = [asked.workflow] if asked.workflow else _order_by_likelihood(columns)
    found = _find_trends(site, campaign, likely, choice)
    shown = choose_fields(found, asked.fields) if found else []
    return site.draw(
        request,
        "trends.html",
        campaign,
        asked=asked,
        workflows=[column.workflow for column in columns],
        found=found,
        shown=shown,
        plots=[draw(plot_of(campaign, found, name)) for name in shown] if found else [],
        spell_number=spell_number,
    )


def _order_by_likelihood(columns: Sequence[Column]) -> list[str]:
    """Return the workflows, first those that most likely judge data: run by run, late in the
    chain.
    """
    by_run = [column.workflow for column in columns if column.group_by is None]
    return [*reversed(by_run), *(column.workflow for column in columns if column.group_by)]


def _read_runs(request: Request, asked: Question) -> RunChoice:
    site = site_of(request)
    known = site.index.numbers()
    chosen = read_runs(request, known)
    return RunChoice(
        known=known if chosen is None else chosen,
        takes=_read_where(site, asked.where).takes_run,
        limit=asked.limit,
    )


def _read_question(request: Request) -> Question:
    query = request.query_params
    limit = read_number(request, "limit") or USUAL_RUNS
    return Question(
        workflow=query.get("workflow", ""),
        fields=tuple(query.getlist("field")),
        runs=query.get("runs", "").strip(),
        where=tuple(text.strip() for text in query.getlist("where") if text.strip()),
        limit=min(limit, MOST_RUNS),
    )


def _read_where(site: Site, pairs: Iterable[str]) -> Filter:
    """Return the filter that ``where=`` gives. Answers 400 for what is none."""
    try:
        return Filter(where=read_where(pairs, site.project.settings.attributes))
    except UsageError as error:
        raise HTTPException(400, str(error)) from error


def _find_trends(
    site: Site, campaign: str, workflows: Sequence[str], choice: RunChoice
) -> Trends | None:
    """Return the trends of the first of these workflows that has numbers."""
    for name in workflows:
        found = read_trends(site.store, site.measurements, campaign, name, choice)
        if found.fields or len(workflows) == 1:
            return found
    return None


def choose_fields(trends: Trends, asked: Sequence[str]) -> list[str]:
    """Return which numbers are drawn: those that are asked for, else those that are no
    uncertainties, and not too many. Those of which an alarm or a warning speaks come first.
    """
    judged = {name for one in trends.measured for name in one.judged}
    wanted = [name for name in trends.fields if name in asked]
    usual = [name for name in trends.fields if not name.endswith(ERROR)]
    return sorted(wanted or usual, key=lambda name: name not in judged)[:MOST_PLOTS]


def plot_of(campaign: str, trends: Trends, name: str) -> Plot:
    """Return the plot of one number: each point leads to its task, what an alarm says is marked."""
    limits = {
        Limit(judged.limit, judged.level)
        for one in trends.measured
        if (judged := one.judged.get(name)) is not None and judged.limit is not None
    }
    points = [_point_of(campaign, one, name) for one in trends.measured]
    return Plot(name, points, sorted(limits))


def _point_of(campaign: str, measured: Measured, name: str) -> Point:
    key = measured.task.key
    judged = measured.judged.get(name)
    address = links.task(campaign, key.workflow, key.unit)
    mark = judged.level if judged else ""
    return point_at(key.unit, measured.numbers.get(name), address, mark)


ROUTES = [Route("/campaigns/{campaign}/trends", trends_page)]
