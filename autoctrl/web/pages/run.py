"""The page of one run: its attributes, tasks, timeline and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from autoctrl.views import (
    find_task,
    read_overview,
)
from autoctrl.views.timeline import timeline
from autoctrl.web.pages.task import outputs_of_task
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.views import OutputLine
    from autoctrl.views.timeline import Timeline
    from autoctrl.web.site.state import Site


def run_page(request: Request) -> Response:
    """Show one run: its attributes, its tasks, its outputs."""
    site, campaign = site_of(request), request.path_params["campaign"]
    number: int = request.path_params["run"]
    known = site.index.numbers()
    record = (
        next(iter(site.store.runs(numbers=[number]).records), None) if number in known else None
    )
    if record is None:
        raise HTTPException(404, f"Run {number} is not registered.")
    seen = read_overview(site.store, campaign, [number])
    index = known.index(number)
    return site.draw(
        request,
        "run.html",
        campaign,
        record=record,
        status=seen.runs[0].status if seen.runs else None,
        tasks=[site.explain(campaign, str(number), name) for name in seen.workflows],
        line=_timeline_of_run(site, campaign, number, seen.workflows),
        outputs=_outputs_of_run(site, campaign, number, seen.workflows),
        older=known[index - 1] if index else None,
        newer=known[index + 1] if index + 1 < len(known) else None,
    )


def _timeline_of_run(
    site: Site, campaign: str, number: int, workflows: Sequence[str]
) -> Timeline | None:
    histories = {}
    for workflow in workflows:
        sought = find_task(site.store, campaign, str(number), workflow)
        if sought.task is not None:
            histories[workflow, sought.key.unit] = site.store.history(sought.key)
    return timeline(histories, site.clock.now())


def _outputs_of_run(
    site: Site, campaign: str, number: int, workflows: Sequence[str]
) -> list[OutputLine]:
    found: list[OutputLine] = []
    for workflow in workflows:
        key = find_task(site.store, campaign, str(number), workflow).key
        found += [line for line in outputs_of_task(site, campaign, key) if line.state == "current"]
    return found
