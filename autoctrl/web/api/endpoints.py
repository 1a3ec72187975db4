"""The same JSON as the command line's ``--format json``."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.exceptions import HTTPException

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.incidents import newest_incidents
from autoctrl.model.quality import Quality
from autoctrl.verbs import list_campaigns
from autoctrl.views import (
    Choice,
    choose_attempt,
    list_attempts,
    list_runs,
    list_steps,
    list_versions,
    newest_attempts,
    read_history,
    to_plain,
)
from autoctrl.views.attempts import attempt_values
from autoctrl.views.backwards import Place, Question, part_of, part_of_fields, part_of_outputs
from autoctrl.views.choice import understand_choice
from autoctrl.views.quotas import list_quotas
from autoctrl.views.runs import runs_of_campaign
from autoctrl.views.standing import Question as Standpoint
from autoctrl.views.standing import read_rows, read_standing
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.parameters import (
    filter_text_of,
    is_on,
    json_answer,
    lead_on,
    read_choice,
    read_filter_of,
    read_limit,
    read_number,
    read_runs,
    read_size,
)
from autoctrl.web.exchange.streaming import stream_overview
from autoctrl.web.files.logs import STREAMS, read_stream
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.unit import TaskKey
    from autoctrl.views import TaskHistory
    from autoctrl.views.choice import Understood
    from autoctrl.views.standing import Standing


RUNS_OF_A_PAGE, ITEMS_OF_A_PAGE = 200, 500
Item = TypeVar("Item")


def campaign_of(request: Request) -> str:
    """Return the campaign that is asked for, by default the one that is shown first."""
    return request.query_params.get("campaign") or site_of(request).campaign


def answer_status(request: Request) -> Response:
    """Answer with how a campaign stands, and with the overview of the ``limit=`` newest runs that
    fit, of those before ``before=``, or of the first by ``sort=`` after the first ``skip=``; the
    address of the next page stands in the header ``Link``. ``limit=all`` streams all.
    """
    site, campaign = site_of(request), campaign_of(request)
    limit, known = read_limit(request, RUNS_OF_A_PAGE), site.index.numbers()
    read_runs(request, known)  # answers 400 for what is not a selection
    asked = Standpoint(
        text=filter_text_of(request),
        chosen=read_filter_of(request, campaign),
        limit=limit or 0,
        before=read_number(request, "before"),
        skip=read_number(request, "skip") or 0,
        silent_before=site.silent_before,
        long_before=site.long_before,
        known_done=site.tasks.known_done(),
    )
    if limit is None and asked.text.sort:
        raise HTTPException(400, "All runs come by their numbers: sort= takes another limit.")
    standing = read_standing(site.store, campaign, known, asked)
    if limit is None:
        return stream_overview(standing.values(), read_rows(site.store, campaign, known, asked))
    return _lead_on(request, asked, standing)


def _lead_on(request: Request, asked: Standpoint, standing: Standing) -> Response:
    """Return the answer of one page, with the address of the next."""
    rows, answer = standing.overview.runs, json_answer(standing.values())
    if asked.text.sort:
        skip = asked.skip + len(rows) if standing.has_more else ""
        return lead_on(request, answer, skip, by="skip")
    return lead_on(request, answer, rows[0].run if standing.has_more and rows else "")


def answer_runs(request: Request) -> Response:
    """Answer with the campaign's runs, page by page as ``answer_status``."""
    site, campaign = site_of(request), campaign_of(request)
    known = site.index.numbers()
    read_runs(request, known)  # answers 400 for what is not a selection
    mine = find_campaign(site.store, campaign)
    numbers = runs_of_campaign(site.store, campaign, known, filter_text_of(request).runs)
    before = read_number(request, "before")
    end = len(numbers) if before is None else bisect_left(numbers, before)
    begin = max(0, end - read_size(request, RUNS_OF_A_PAGE))
    lines = list_runs(site.store, mine, numbers[begin:end], None)
    answer = json_answer({"schema": 1, "campaign": mine.name, "runs": lines})
    return lead_on(request, answer, numbers[begin] if begin else "")


def answer_campaigns(request: Request) -> Response:
    """Answer with all campaigns."""
    return json_answer({"schema": 1, "campaigns": list_campaigns(site_of(request).store)})


def answer_health(request: Request) -> Response:
    """Answer with what cannot be done now, or may not."""
    site = site_of(request)
    campaign = find_campaign(site.store, campaign_of(request)).name
    conditions = site.conditions(campaign)
    return json_answer({"schema": 1, "campaign": campaign, "conditions": conditions})


def answer_quotas(request: Request) -> Response:
    """Answer with how full the quotas are, as the last round that asked them knows them."""
    site = site_of(request)
    campaign = find_campaign(site.store, campaign_of(request)).name
    found = list_quotas(site.store, campaign, site.project.settings)
    return json_answer({"schema": 1, "campaign": campaign, "quotas": to_plain(found)})


def answer_incidents(request: Request) -> Response:
    """Answer with the open incidents; with ``all=1`` also with those that are over; page by page,
    the newest first, each page with the oldest first.
    """
    site = site_of(request)
    campaign = find_campaign(site.store, campaign_of(request)).name
    limit, before = read_size(request, ITEMS_OF_A_PAGE), request.query_params.get("before", "")
    with_closed = is_on(request, "all")
    found = newest_incidents(site.store, campaign, limit, before, with_closed=with_closed)
    facts = {"schema": 1, "campaign": campaign, "incidents": to_plain(found.incidents)}
    return lead_on(request, json_answer(facts), found.before)


def answer_outputs(request: Request) -> Response:
    """Answer with the published outputs, page by page."""
    require_known(request, "see outputs")
    workflow = request.query_params.get("workflow", "")
    asked = Question(workflow, _read_choice(request), is_on(request, "superseded"))
    part = part_of_outputs(site_of(request).store, asked, _read_place(request))
    return lead_on(request, json_answer(part.lines), part.before)


def answer_fields(request: Request) -> Response:
    """Answer with the custom fields of a workflow's tasks, page by page."""
    require_known(request, "see custom fields")
    campaign, workflow = campaign_of(request), request.path_params["workflow"]
    asked = Question(workflow, _read_choice(request))
    part = part_of_fields(site_of(request).store, asked, _read_place(request))
    facts = {"schema": 1, "campaign": campaign, "workflow": workflow, "fields": part.lines}
    return lead_on(request, json_answer(facts), part.before)


def _read_place(request: Request) -> Place:
    before = request.query_params.get("before", "")
    return Place(read_size(request, ITEMS_OF_A_PAGE), before)


def _read_choice(request: Request) -> Understood:
    """Return which data an address asks for; answers 400 for what means nothing."""
    site, query = site_of(request), request.query_params
    campaign = find_campaign(site.store, campaign_of(request)).name
    where = tuple(pair for pair in query.getlist("where") if pair)
    choice = Choice(query.get("runs", ""), where, query.get("quality") or Quality.ANY)
    try:
        types = site.project.settings.attributes
        return understand_choice(site.store, campaign, choice, types)
    except UsageError as error:
        raise HTTPException(400, str(error)) from error


def answer_why(request: Request) -> Response:
    """Answer how a task stands and why, as its last cycle left it."""
    unit, workflow = request.path_params["unit"], request.path_params["workflow"]
    seen = site_of(request).explain(campaign_of(request), unit, workflow)
    return json_answer({"schema": 1, **to_plain(seen), "now": None})


def answer_history(request: Request) -> Response:
    """Answer with all that was ever recorded of a task, page by page."""
    key, records = _read_history(request)
    steps, before = _page_of(request, list_steps(records))
    return lead_on(request, _answer_about(request, key, steps=steps), before)


def answer_jobs(request: Request) -> Response:
    """Answer with every attempt of every job of a task, page by page."""
    key, records = _read_history(request)
    hints, _ = site_of(request).hints(key)
    jobs, before = _page_of(request, list_attempts(records))
    return lead_on(request, _answer_about(request, key, jobs=jobs, hints=hints), before)


def answer_provenance(request: Request) -> Response:
    """Answer with what made each version of a task."""
    require_known(request, "see what made it")
    key, records = _read_history(request)
    versions = list_versions(records, site_of(request).project.description)
    return _answer_about(request, key, versions=versions)


def answer_log(request: Request) -> Response:
    """Answer with what one attempt printed: the one that ``version=``, ``job=`` and ``attempt=``
    mean, by default one that failed, else the newest.
    """
    require_known(request, "read logs")
    key, records = _read_history(request)
    job = choose_attempt(key, newest_attempts(records), read_choice(request))
    stream = request.query_params.get("stream")
    project = site_of(request).project
    texts = {
        name: read_stream(project, job, name)
        for name in STREAMS
        if stream == name or stream not in STREAMS
    }
    return _answer_about(request, key, **attempt_values(job), **texts)


def answer_description(request: Request) -> Response:  # noqa: ARG001 - the same for all
    """Answer with the description of this API."""
    from autoctrl.web.api.openapi import describe_api

    return json_answer(describe_api())


def _read_history(request: Request) -> TaskHistory:
    unit, workflow = request.path_params["unit"], request.path_params["workflow"]
    return read_history(site_of(request).store, campaign_of(request), unit, workflow)


def _answer_about(request: Request, key: TaskKey, **values: Any) -> Response:  # noqa: ANN401 - whatever is known of it
    facts = {
        "schema": 1,
        "campaign": campaign_of(request),
        "workflow": key.workflow,
        "unit": key.unit,
    }
    return json_answer({**facts, **values})


def _page_of(request: Request, items: Sequence[Item]) -> tuple[Sequence[Item], int]:
    """Return the last ones of a list that only grows, as many as are asked for, and the position of
    the first of them.
    """
    limit, before = read_size(request, ITEMS_OF_A_PAGE), read_number(request, "before")
    return part_of(items, limit, before)


OF_TASK = "/{unit:path}/{workflow}"
ENDPOINTS: Mapping[str, Callable[[Request], Response]] = {
    "/status": answer_status,
    "/runs": answer_runs,
    "/campaigns": answer_campaigns,
    "/health": answer_health,
    "/quotas": answer_quotas,
    "/incidents": answer_incidents,
    "/outputs": answer_outputs,
    "/fields/{workflow}": answer_fields,
    f"/why{OF_TASK}": answer_why,
    f"/history{OF_TASK}": answer_history,
    f"/jobs{OF_TASK}": answer_jobs,
    f"/log{OF_TASK}": answer_log,
    f"/provenance{OF_TASK}": answer_provenance,
}
