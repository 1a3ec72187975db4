"""The operator's verbs on tasks as forms: what each would move is shown first, and done once the
person agrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from starlette.routing import Route

from autoctrl import verbs
from autoctrl.errors import Changed
from autoctrl.model.agreement import spell_agreement
from autoctrl.model.status import TaskStatus
from autoctrl.model.verb import VERBS
from autoctrl.verbs.targets import check_length
from autoctrl.views import spell_outcome
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.form_page import FormPage, lead_to
from autoctrl.web.exchange.posted import SentForm, actor_of
from autoctrl.web.pages.confirmation import CHANGED
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.outcome import Outcome
    from autoctrl.web.entry.visitor import Visitor


class VerbButton(NamedTuple):
    """One verb as a button.

    name   the verb
    takes  statuses of the tasks that it moves
    """

    name: str
    takes: frozenset[TaskStatus]

    @property
    def does(self) -> str:
        """What happens, in a few words."""
        return VERBS[self.name].does


BUTTONS = (
    VerbButton("retry", frozenset({TaskStatus.FAILED, TaskStatus.SKIPPED})),
    VerbButton("reprocess", frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.SKIPPED})),
    VerbButton("skip", frozenset({TaskStatus.NEW, TaskStatus.FAILED})),
    VerbButton("fail", frozenset({TaskStatus.PROCESSING})),
    VerbButton("complete", frozenset({TaskStatus.NEW, TaskStatus.FAILED})),
)
NAMES = frozenset(button.name for button in BUTTONS)


def verbs_for(visitor: Visitor, *statuses: TaskStatus | None) -> tuple[VerbButton, ...]:
    """Return the verbs that move a task of one of these statuses and that the visitor may say."""
    fitting = (verb for verb in BUTTONS if verb.takes.intersection(statuses))
    return tuple(verb for verb in fitting if visitor.may(verb.name))


def ask(request: Request) -> Response:
    """Show the tasks that ``runs=`` means in one workflow, and the verbs that move them."""
    return _show(request, SentForm(runs=request.query_params.get("runs", "")))


def _show(
    request: Request, form: SentForm, refusals: Sequence[str] = (), code: int = 200
) -> Response:
    site = site_of(request)
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    targets = verbs.find_targets(site.store, campaign, check_length(form.runs), workflow)
    statuses = {target.task.status for target in targets if target.task is not None}
    return site.draw(
        request,
        "verbs.html",
        campaign,
        status_code=code,
        workflow=workflow,
        targets=targets,
        possible=verbs_for(visitor_of(request), *statuses),
        form=form,
        refusals=refusals,
        is_still=True,
    )


def _do(request: Request, form: SentForm) -> Response:
    """Show what a form would move; once the person has agreed to that, do it and lead to what came
    of it.
    """
    preview = _call_verb(request, form, dry_run=True)
    if preview.done and form.seen != spell_agreement(preview.answers):
        return _show_preview(request, form, preview)
    try:
        outcome = _call_verb(request, form) if preview.done else preview
    except Changed:  # while somebody else held the lease
        return _show_preview(request, form, _call_verb(request, form, dry_run=True))
    if not outcome.done:
        refusals = [sentence.text for sentence in spell_outcome(outcome)]
        return _show(request, form, refusals, 409)
    return _lead_on(request, form, outcome)


def _call_verb(request: Request, form: SentForm, *, dry_run: bool = False) -> Outcome:
    """Hand a form over to the verb that it names."""
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    project = site_of(request).project
    asked = project.request(actor_of(form), campaign, form.reason, dry_run=dry_run)
    if not dry_run:
        asked = asked._replace(agreed=form.seen)
    runs = check_length(form.runs)
    if form.verb == "reprocess":
        return verbs.reprocess(asked, runs, workflow, downstream=form.downstream)
    if form.verb == "complete":
        return verbs.complete(asked, runs, workflow, [])
    verb = {"retry": verbs.retry, "skip": verbs.skip, "fail": verbs.fail}[form.verb]
    return verb(asked, runs, workflow)


def _show_preview(request: Request, form: SentForm, preview: Outcome) -> Response:
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    verb = next(button for button in BUTTONS if button.name == form.verb)
    return site_of(request).draw(
        request,
        "preview.html",
        campaign,
        workflow=workflow,
        verb=verb,
        form=form,
        preview=preview,
        own=[answer for answer in preview.done if answer.workflow == workflow],
        downstream=[answer for answer in preview.done if answer.workflow != workflow],
        refusals=[s.text for s in spell_outcome(preview, dry_run=True) if s.is_refused],
        digest=spell_agreement(preview.answers),
        notice=CHANGED if form.seen else "",
        is_still=True,
    )


def _lead_on(request: Request, form: SentForm, outcome: Outcome) -> Response:
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    sentences = [sentence.text for sentence in spell_outcome(outcome)]
    note = site_of(request).notes.keep(sentences)
    mine = [answer for answer in outcome.answers if answer.workflow == workflow]
    if len(mine) == 1:
        address = links.task(campaign, workflow, mine[0].unit, note=note)
    else:
        runs = ",".join(str(run) for answer in mine for run in answer.runs)
        address = links.overview(campaign, runs=runs, note=note)
    return lead_to(request, form, address)


PATH = "/campaigns/{campaign}/verbs/{workflow}"
ROUTES = [
    Route(PATH, ask),
    Route(PATH, FormPage(NAMES, _show, _do).act, methods=["POST"]),
]
