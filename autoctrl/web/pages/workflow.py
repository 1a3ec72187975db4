"""The page of one workflow: how its tasks stand, how long they take, what they report; pause and
resume.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from autoctrl import verbs
from autoctrl.errors import UsageError
from autoctrl.model.status import OPEN_TASKS
from autoctrl.model.verb import VERBS
from autoctrl.views.conditions import conditions_of
from autoctrl.views.latency import spell_span
from autoctrl.views.outcomes import spell_pause
from autoctrl.views.workflow import sample_workflow, summarize_workflow
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.form_page import FormPage, lead_to
from autoctrl.web.exchange.posted import SentForm, actor_of
from autoctrl.web.pages.confirmation import Confirmation, confirm
from autoctrl.web.pages.plots import Plot, draw, point_at
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.views.workflow import Sample, WorkflowSummary

PATH = "/campaigns/{campaign}/workflows/{workflow}"
MOST_PLOTS = 12
SAID_HERE = ("pause", "resume")
WALL_TIME = "wall time / s"


def workflow_page(request: Request) -> Response:
    """Show one workflow."""
    return _show(request, SentForm())


def _show(
    request: Request, form: SentForm, refusals: Sequence[str] = (), code: int = 200
) -> Response:
    site = site_of(request)
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    seen = summarize_workflow(site.store, campaign, workflow)
    sample = sample_workflow(site.store, seen.column)
    return site.draw(
        request,
        "workflow.html",
        campaign,
        status_code=code,
        workflow=workflow,
        seen=seen,
        own_conditions=conditions_of(site.conditions(campaign), workflow),
        sample=sample,
        span=spell_span,
        figures=_figures(campaign, workflow, sample),
        left_out=max(0, len(sample.fields) - MOST_PLOTS),
        possible=_verbs_for(request, seen),
        form=form,
        refusals=refusals,
    )


def _figures(campaign: str, workflow: str, sample: Sample) -> dict[str, Markup]:
    """Return the plots of the wall time and of the reported numbers over the runs, by title."""
    numbers = {WALL_TIME: [one.wall_s for one in sample.reported]}
    for name in sample.fields[:MOST_PLOTS]:
        numbers[name] = [one.fields.get(name) for one in sample.reported]
    units = [one.unit for one in sample.reported]
    addresses = [links.task(campaign, workflow, unit) for unit in units]
    plots = {
        title: draw(Plot(title, list(map(point_at, units, values, addresses))))
        for title, values in numbers.items()
    }
    return {title: plot for title, plot in plots.items() if plot}


def _verbs_for(request: Request, seen: WorkflowSummary) -> dict[str, str]:
    """Return what the visitor may do to the workflow, with what it does."""
    if seen.column.campaign != request.path_params["campaign"]:
        return {}
    verb = "pause" if seen.pause is None else "resume"
    return {verb: VERBS[verb].does} if visitor_of(request).may(verb) else {}


def _do(request: Request, form: SentForm) -> Response:
    """Pause or resume the workflow, and lead back to its page."""
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    site = site_of(request)
    is_pause = form.verb == "pause"
    question = confirm(request, form, _confirmation(request, form))
    if question is not None:
        return question
    asked = site.project.request(actor_of(form), campaign, form.reason)
    is_changed = (verbs.pause if is_pause else verbs.resume)(asked, workflow)
    note = site.notes.keep([spell_pause(workflow, is_paused=is_pause, is_changed=is_changed)])
    return lead_to(request, form, links.workflow(campaign, workflow, note=note))


def _confirmation(request: Request, form: SentForm) -> Confirmation:
    """Return what a person is asked: how the workflow stands now. Raises ``UsageError``."""
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    seen = summarize_workflow(site_of(request).store, campaign, workflow)
    if seen.column.campaign != campaign:
        message = f"{workflow} is kept in campaign {seen.column.campaign}, and steered there."
        raise UsageError(message)
    left = [f"{seen.counts[status]} {status}" for status in OPEN_TASKS if seen.counts[status]]
    how = f"{workflow} has {' and '.join(left)}" if left else f"Nothing of {workflow} is open"
    return Confirmation(
        what=f"{form.verb} {workflow}",
        does=VERBS[form.verb].does,
        lines=[f"{how}; {'it is paused' if seen.pause else 'it is not paused'} now."],
        back=links.workflow(campaign, workflow),
        state=seen.pause,
    )


ROUTES = [
    Route(PATH, workflow_page),
    Route(PATH, FormPage(SAID_HERE, _show, _do).act, methods=["POST"]),
]
