"""The operator's verbs as forms: retry, reprocess, skip, fail; each with a name and a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from autoctrl import verbs
from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.role import LEAST_ROLE, Role
from autoctrl.model.status import TaskStatus
from autoctrl.verbs.targets import check_length
from autoctrl.views import spell_outcome
from autoctrl.web import links
from autoctrl.web.csrf import COOKIE
from autoctrl.web.problems import code_of
from autoctrl.web.state import NAME_COOKIE, site_of
from autoctrl.web.visitor import require, visitor_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.outcome import Outcome
    from autoctrl.web.state import Site
    from autoctrl.web.visitor import Visitor

FORM_TYPE = "application/x-www-form-urlencoded"
LARGEST_FORM = 64 * 1024
MOST_FIELDS = 20
LONGEST = {"name": 80, "reason": 500, "runs": 4000}


class VerbButton(NamedTuple):
    """One verb as a button.

    name   the verb
    takes  statuses of the tasks that it moves
    does   what happens, in a few words
    """

    name: str
    takes: frozenset[TaskStatus]
    does: str


BUTTONS = (
    VerbButton(
        "retry",
        frozenset({TaskStatus.FAILED, TaskStatus.SKIPPED}),
        "try again; jobs that are done stay done",
    ),
    VerbButton(
        "reprocess",
        frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.SKIPPED}),
        "do all of it again, as the next version",
    ),
    VerbButton(
        "skip", frozenset({TaskStatus.NEW, TaskStatus.FAILED}), "take it out of the processing"
    ),
    VerbButton(
        "fail", frozenset({TaskStatus.PROCESSING}), "remove its jobs; it fails when they are gone"
    ),
)


class SentForm(NamedTuple):
    """What a person sent.

    verb, runs, name, reason  as typed, without control characters
    downstream                reprocess also what consumed the outputs
    token                     proof that the form came from a page of ours
    """

    verb: str
    runs: str
    name: str
    reason: str
    downstream: bool
    token: str


def verbs_for(visitor: Visitor, *statuses: TaskStatus | None) -> tuple[VerbButton, ...]:
    """Return the verbs that move a task of one of these statuses and that the visitor may say."""
    fitting = (verb for verb in BUTTONS if verb.takes.intersection(statuses))
    return tuple(verb for verb in fitting if visitor.may(verb.name))


def ask(request: Request) -> Response:
    """Show the tasks that ``runs=`` means in one workflow, and the verbs that move them."""
    return _show(
        request, {"runs": request.query_params.get("runs", ""), "reason": "", "downstream": False}
    )


def _show(
    request: Request, form: dict[str, object], refusals: Sequence[str] = (), code: int = 200
) -> Response:
    site = site_of(request)
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    runs = check_length(str(form["runs"]))
    targets = verbs.find_targets(site.store, campaign, runs, workflow)
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


async def act(request: Request) -> Response:
    """Do what a form asks for and lead to what came of it; a refusal is said at once, the form
    stays filled in.
    """
    form = await read_form(request)
    return await run_in_threadpool(_act, request, form)


async def read_form(request: Request) -> SentForm:
    """Return the form that was posted; answers 413 and 415 for what is too long or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM_TYPE:
        raise HTTPException(415, "This is not the form of a page.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(413, "The form is too long.")
    try:
        pairs = dict(
            parse_qsl(
                body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )
        )
    except ValueError as error:
        raise HTTPException(413, "The form has too many fields.") from error
    texts = {name: clean(pairs.get(name, ""), longest) for name, longest in LONGEST.items()}
    return SentForm(
        verb=pairs.get("verb", ""),
        downstream="downstream" in pairs,
        token=pairs.get("token", ""),
        **texts,
    )


def clean(text: str, longest: int) -> str:
    """Return a text on one line, without control characters, cut to its longest length."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[
        :longest
    ]


def _act(request: Request, form: SentForm) -> Response:
    site = site_of(request)
    refusal = site.guard.refusal(request.headers, request.cookies.get(COOKIE, ""), form.token)
    if refusal:
        raise HTTPException(
            403, f"{refusal} Nothing was done. Open the page again and repeat it there."
        )
    missing = _missing(form)
    require(request, LEAST_ROLE.get(form.verb, Role.VIEWER), form.verb)
    if missing:
        return _show(request, form._asdict(), [missing], 400)
    try:
        outcome = _call_verb(
            site, request.path_params["campaign"], request.path_params["workflow"], form
        )
    except AutoctrlError as error:
        code = 409 if isinstance(error, UsageError) else code_of(error)
        return _show(request, form._asdict(), [str(error)], code)
    if not outcome.done:
        refusals = [sentence.text for sentence in spell_outcome(outcome)]
        return _show(request, form._asdict(), refusals, 409)
    return _lead_on(request, site, form, outcome)


def _missing(form: SentForm) -> str:
    if form.verb not in {verb.name for verb in BUTTONS}:
        return f"There is no verb '{form.verb[:40]}' here."
    if not form.name:
        return "Say who you are: your name is kept in the history."
    return "" if form.reason else "Give a reason: it is kept in the history."


def _call_verb(site: Site, campaign: str, workflow: str, form: SentForm) -> Outcome:
    """Hand a form over to the verb that it names."""
    request = site.project.request(Actor(form.name, "web"), campaign, form.reason)
    runs = check_length(form.runs)
    if form.verb == "reprocess":
        return verbs.reprocess(request, runs, workflow, downstream=form.downstream)
    return {"retry": verbs.retry, "skip": verbs.skip, "fail": verbs.fail}[form.verb](
        request, runs, workflow
    )


def _lead_on(request: Request, site: Site, form: SentForm, outcome: Outcome) -> Response:
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    note = site.notes.keep([sentence.text for sentence in spell_outcome(outcome)])
    mine = [answer for answer in outcome.answers if answer.workflow == workflow]
    if len(mine) == 1:
        address = links.task(campaign, workflow, mine[0].unit, note=note)
    else:
        address = links.overview(
            campaign, runs=",".join(str(run) for a in mine for run in a.runs), note=note
        )
    response = RedirectResponse(address, 303)
    if request.cookies.get(NAME_COOKIE) != form.name:
        site.remember(response, form.name)
    return response
