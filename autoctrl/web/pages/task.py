"""The page of one task: where it stands and why, what can be done, its jobs and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.ports import Selection
from autoctrl.views import (
    choose_attempt,
    find_task,
    list_attempts,
    list_steps,
    list_versions,
    newest_attempts,
)
from autoctrl.views.attempts import AttemptChoice
from autoctrl.views.outputs import group_copies
from autoctrl.views.versions import excuse_missing
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.posted import SentForm
from autoctrl.web.files.logs import read_excerpts
from autoctrl.web.pages.verbs import verbs_for
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.views import OutputLine, VersionOrigin
    from autoctrl.web.site.state import Site


LINES = 50


def outputs_of_task(site: Site, campaign: str, key: TaskKey) -> list[OutputLine]:
    """Return the outputs of a task, the copies of each together."""
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
        outputs=outputs_of_task(site, campaign, sought.key),
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
