"""The pages that a person reads: overview, run, task, log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse

from autoctrl.model.status import TaskStatus
from autoctrl.model.unit import spoken
from autoctrl.ports import Selection
from autoctrl.views import find_place, overview, spell_hint, steps, why
from autoctrl.views.history import newest_attempts
from autoctrl.views.outputs import gather
from autoctrl.views.task import task_of
from autoctrl.web import links
from autoctrl.web.forms import verbs_for
from autoctrl.web.logs import STREAMS, choose_attempt, excerpts, read_stream
from autoctrl.web.paging import Filter, page_of
from autoctrl.web.parameters import read_number, read_runs, read_unit
from autoctrl.web.reasons import shared_reasons
from autoctrl.web.state import site_of
from autoctrl.web.versions import flat, versions_to_show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.views import Published
    from autoctrl.web.state import Site

LINES = 50
TABS = (None, TaskStatus.FAILED, TaskStatus.PROCESSING, TaskStatus.NEW, TaskStatus.DONE)


class Tab(NamedTuple):
    """One choice of status above the table: its text, its address, and whether it is the present
    one.
    """

    text: str
    address: str
    is_here: bool


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
    read_runs(request, known)  # answers 400 for what is no selection
    chosen = Filter(
        runs=request.query_params.get("runs", "").strip(),
        status=_read_status(request),
        before=read_number(request, "before"),
        after=read_number(request, "after"),
    )
    page = page_of(site.store, campaign, known, chosen)
    tabs = [
        Tab(
            status or "all",
            links.overview(campaign, runs=chosen.runs, status=status),
            status == chosen.status,
        )
        for status in TABS
    ]
    return site.draw(
        request,
        "overview.html",
        campaign,
        page=page,
        chosen=chosen,
        tabs=tabs,
        newer=_turned(campaign, chosen, after=page.rows[0].run)
        if page.has_newer and page.rows
        else "",
        older=_turned(campaign, chosen, before=page.rows[-1].run)
        if page.has_older and page.rows
        else "",
        reasons=shared_reasons(page.rows),
        is_registered=bool(known),
    )


def _turned(
    campaign: str, chosen: Filter, *, before: int | None = None, after: int | None = None
) -> str:
    return links.overview(
        campaign, runs=chosen.runs, status=chosen.status, before=before, after=after
    )


def _read_status(request: Request) -> TaskStatus | None:
    text = request.query_params.get("status", "")
    try:
        return TaskStatus(text) if text else None
    except ValueError as error:
        raise HTTPException(
            400, f"'{text[:40]}' is no status; there are {', '.join(TaskStatus)}."
        ) from error


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
    seen = overview(site.store, campaign, [number])
    place = known.index(number)
    whys = [why(site.store, campaign, str(number), workflow) for workflow in seen.workflows]
    return site.draw(
        request,
        "run.html",
        campaign,
        record=record,
        status=seen.runs[0].status if seen.runs else None,
        tasks=whys,
        outputs=_outputs_of_run(site, campaign, number, seen.workflows),
        older=known[place - 1] if place else None,
        newer=known[place + 1] if place + 1 < len(known) else None,
    )


def _outputs_of_run(
    site: Site, campaign: str, number: int, workflows: Sequence[str]
) -> list[Published]:
    found: list[Published] = []
    for workflow in workflows:
        key = find_place(site.store, campaign, str(number), workflow).key
        records = site.store.find_outputs(Selection(key.campaign, (workflow,), (key.unit,)))
        found += [output for output in gather(campaign, records) if output.state == "current"]
    return found


def task_page(request: Request) -> Response:
    """Show one task: status, reason, what can be done, jobs, log, what made it, history."""
    site, campaign = site_of(request), request.path_params["campaign"]
    workflow, unit = request.path_params["workflow"], read_unit(request)
    seen = why(site.store, campaign, unit, workflow)
    place = find_place(site.store, campaign, unit, workflow)
    records = site.store.history(place.key) if place.task else []
    known = newest_attempts(records)
    job = choose_attempt(place.key, known) if known else None
    hints, problem = site.project.hints(place.key) if known else ([], "")
    is_whole = request.query_params.get("all") == "1"
    lines, history = (None if is_whole else LINES), steps(records)[::-1]
    return site.draw(
        request,
        "task.html",
        campaign,
        seen=seen,
        title=f"{spoken(seen.unit)} / {workflow}",
        possible=() if seen.inherited_from else verbs_for(seen.status),
        jobs=known[::-1][:lines],
        job_count=len(known),
        job=job,
        hints=hints,
        hints_problem=problem,
        excerpts=excerpts(site.project, job) if job else [],
        versions=versions_to_show(site.project, records),
        outputs=gather(
            campaign,
            site.store.find_outputs(Selection(place.key.campaign, (workflow,), (place.key.unit,))),
        ),
        history=history[:lines],
        history_count=len(history),
        flat=flat,
        spell_hint=spell_hint,
        form={"runs": seen.unit, "reason": "", "downstream": False},
    )


def log_text(request: Request) -> Response:
    """Answer with what one attempt printed, as plain text."""
    site, query = site_of(request), request.query_params
    place = find_place(
        site.store,
        request.path_params["campaign"],
        read_unit(request),
        request.path_params["workflow"],
    )
    known = newest_attempts(site.store.history(task_of(place).key))
    stream = query.get("stream") or STREAMS[0]
    if stream not in STREAMS:
        raise HTTPException(400, f"'{stream[:40]}' is no stream; there are {', '.join(STREAMS)}.")
    job = choose_attempt(
        place.key,
        known,
        version=read_number(request, "version"),
        index=query.get("job") or None,
        attempt=read_number(request, "attempt"),
    )
    return PlainTextResponse(read_stream(site.project, job, stream))
