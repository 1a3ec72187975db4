"""The pages that a person reads: overview, run, task, log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse

from autoctrl.model.status import TaskStatus
from autoctrl.ports import Selection
from autoctrl.views import (
    choose_attempt,
    find_task,
    list_attempts,
    list_steps,
    list_versions,
    newest_attempts,
    read_history,
    read_overview,
    shared_reasons,
)
from autoctrl.views.attempts import AttemptChoice
from autoctrl.views.outputs import group_copies
from autoctrl.views.reasons import is_urgent
from autoctrl.views.runs import runs_of_campaign
from autoctrl.views.sorting import WORDS
from autoctrl.views.timeline import timeline
from autoctrl.views.totals import urgent_for
from autoctrl.views.versions import excuse_missing
from autoctrl.web import links
from autoctrl.web.forms import verbs_for
from autoctrl.web.log_page import name_download, read_stream_name
from autoctrl.web.logs import read_excerpts, read_stream, stream_whole
from autoctrl.web.paging import PAGE, Place, page_of
from autoctrl.web.parameters import (
    filter_text_of,
    is_on,
    read_choice,
    read_filter_of,
    read_number,
    read_runs,
)
from autoctrl.web.posted import SentForm
from autoctrl.web.state import site_of
from autoctrl.web.visitor import require_known, visitor_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.views import OutputLine, SharedReason, VersionOrigin
    from autoctrl.views.timeline import Timeline
    from autoctrl.web.paging import Page
    from autoctrl.web.state import Site

LINES = 50
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
        found += [line for line in _outputs_of(site, campaign, key) if line.state == "current"]
    return found


def _outputs_of(site: Site, campaign: str, key: TaskKey) -> list[OutputLine]:
    selection = Selection(key.campaign, (key.workflow,), (key.unit,))
    return group_copies(campaign, site.store.find_outputs(selection))


def task_page(request: Request) -> Response:
    """Show one task: status, reason, what can be done, jobs, log, what made it, history."""
    site, campaign = site_of(request), request.path_params["campaign"]
    workflow, unit = request.path_params["workflow"], request.path_params["unit"]
    seen = site.explain(campaign, unit, workflow)
    sought = find_task(site.store, campaign, unit, workflow)
    records = site.store.history(sought.key) if sought.task else []
    lines = None if request.query_params.get("all") == "1" else LINES
    history = list_steps(records)[::-1]
    return site.draw(
        request,
        "task.html",
        campaign,
        seen=seen,
        title=str(sought.key),
        possible=() if seen.inherited_from else verbs_for(visitor_of(request), seen.status),
        versions=_versions_of(site, records),
        outputs=_outputs_of(site, campaign, sought.key),
        history=history[:lines],
        history_count=len(history),
        form=SentForm(runs=seen.unit),
        **_jobs_of(request, sought.key, records, lines),
    )


def _versions_of(site: Site, records: Sequence[Record]) -> list[VersionOrigin]:
    return list_versions(records, excuse_missing(site.project.description))[::-1]


def _jobs_of(
    request: Request, key: TaskKey, records: Sequence[Record], lines: int | None
) -> dict[str, Any]:
    """Return what a task's page shows of its jobs: the newest, and the log of one."""
    site, is_member = site_of(request), visitor_of(request).is_member
    known = newest_attempts(records)
    job = choose_attempt(key, known, AttemptChoice()) if known else None
    hints, problem = site.hints(key) if known else ([], "")
    return {
        "jobs": list_attempts(records)[::-1][:lines],
        "job_count": len(known),
        "job": job,
        "hints": hints,
        "hints_problem": problem,
        "excerpts": read_excerpts(site.project, job) if job and is_member else [],
    }


def log_text(request: Request) -> Response:
    """Answer with what one attempt printed, as plain text, of a very long log without its middle;
    with ``download=1`` whole, as a file.
    """
    require_known(request, "read logs")
    site, unit = site_of(request), request.path_params["unit"]
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    key, records = read_history(site.store, campaign, unit, workflow)
    stream = read_stream_name(request)
    job = choose_attempt(key, newest_attempts(records), read_choice(request))
    if not is_on(request, "download"):
        return PlainTextResponse(read_stream(site.project, job, stream))
    name = name_download(key, job, stream)
    return StreamingResponse(
        stream_whole(site.project, job, stream),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        media_type="text/plain",
    )
