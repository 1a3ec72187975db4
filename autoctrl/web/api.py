"""The same JSON as the command line's ``--format json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.incidents import list_incidents
from autoctrl.model.quality import Quality
from autoctrl.verbs import list_campaigns
from autoctrl.views import (
    Choice,
    choose_attempt,
    find_allowed,
    list_attempts,
    list_fields,
    list_outputs,
    list_runs,
    list_steps,
    list_versions,
    newest_attempts,
    read_history,
    to_plain,
)
from autoctrl.views.attempts import attempt_values
from autoctrl.views.quotas import list_quotas
from autoctrl.views.standing import Question, read_rows, read_standing
from autoctrl.web.logs import STREAMS, read_stream
from autoctrl.web.parameters import (
    filter_text_of,
    is_on,
    json_answer,
    read_choice,
    read_filter_of,
    read_limit,
    read_number,
    read_runs,
)
from autoctrl.web.state import site_of
from autoctrl.web.streaming import stream_overview
from autoctrl.web.visitor import require_known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.unit import TaskKey
    from autoctrl.views import TaskHistory
    from autoctrl.views.choice import Allowed


RUNS_OF_A_PAGE = 200


def campaign_of(request: Request) -> str:
    """Return the campaign that is asked for, by default the one that is shown first."""
    return request.query_params.get("campaign") or site_of(request).campaign


def answer_status(request: Request) -> Response:
    """Answer with how a campaign stands, and with the overview of the ``limit=`` newest runs that
    fit, of those before ``before=``; the address of the next page stands in the header ``Link``.
    ``limit=all`` streams all.
    """
    site, campaign = site_of(request), campaign_of(request)
    limit, known = read_limit(request, RUNS_OF_A_PAGE), site.index.numbers()
    read_runs(request, known)  # answers 400 for what is not a selection
    asked = Question(
        text=filter_text_of(request),
        chosen=read_filter_of(request, campaign),
        limit=limit or 0,
        before=read_number(request, "before"),
        silent_before=site.silent_before,
        long_before=site.long_before,
        known_done=site.tasks.known_done(),
    )
    standing = read_standing(site.store, campaign, known, asked)
    if limit is None:
        return stream_overview(standing.values(), read_rows(site.store, campaign, known, asked))
    answer = json_answer(standing.values())
    if standing.has_more and standing.overview.runs:
        further = request.url.include_query_params(before=standing.overview.runs[0].run)
        answer.headers["Link"] = f'<{further.path}?{further.query}>; rel="next"'
    return answer


def answer_runs(request: Request) -> Response:
    """Answer with the campaign's runs."""
    site = site_of(request)
    numbers = read_runs(request, site.index.numbers())
    campaign = find_campaign(site.store, campaign_of(request))
    lines = list_runs(site.store, campaign, numbers, read_number(request, "limit"))
    return json_answer({"schema": 1, "campaign": campaign.name, "runs": lines})


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
    """Answer with the open incidents; with ``all=1`` also with those that are over."""
    site = site_of(request)
    campaign = find_campaign(site.store, campaign_of(request)).name
    found = list_incidents(site.store, campaign, with_closed=is_on(request, "all"))
    return json_answer({"schema": 1, "campaign": campaign, "incidents": to_plain(found)})


def answer_outputs(request: Request) -> Response:
    """Answer with the published outputs."""
    found = list_outputs(
        site_of(request).store,
        campaign_of(request),
        request.query_params.get("workflow") or None,
        superseded=is_on(request, "superseded"),
        allowed=_find_allowed(request),
    )
    return json_answer(_newest(request, found))


def answer_fields(request: Request) -> Response:
    """Answer with the custom fields of a workflow's tasks."""
    campaign, workflow = campaign_of(request), request.path_params["workflow"]
    found = list_fields(site_of(request).store, campaign, workflow, _find_allowed(request))
    return json_answer({"schema": 1, "campaign": campaign, "workflow": workflow, "fields": found})


def _find_allowed(request: Request) -> Allowed:
    """Return which data an address asks for; answers 400 for what means nothing."""
    site, query = site_of(request), request.query_params
    campaign = find_campaign(site.store, campaign_of(request)).name
    where = tuple(pair for pair in query.getlist("where") if pair)
    choice = Choice(query.get("runs", ""), where, query.get("quality") or Quality.ANY)
    try:
        return find_allowed(site.store, campaign, choice, site.project.settings.attributes)
    except UsageError as error:
        raise HTTPException(400, str(error)) from error


def answer_why(request: Request) -> Response:
    """Answer how a task stands and why, as its last cycle left it."""
    unit, workflow = request.path_params["unit"], request.path_params["workflow"]
    seen = site_of(request).explain(campaign_of(request), unit, workflow)
    return json_answer({"schema": 1, **to_plain(seen), "now": None})


def answer_history(request: Request) -> Response:
    """Answer with all that was ever recorded of a task."""
    key, records = _read_history(request)
    return _answer_about(request, key, steps=_newest(request, list_steps(records)))


def answer_jobs(request: Request) -> Response:
    """Answer with every attempt of every job of a task."""
    key, records = _read_history(request)
    hints, _ = site_of(request).project.hints(key)
    return _answer_about(request, key, jobs=_newest(request, list_attempts(records)), hints=hints)


def answer_provenance(request: Request) -> Response:
    """Answer with what made each version of a task."""
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
    from autoctrl.web.openapi import describe_api

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


def _newest(request: Request, items: list[Any]) -> list[Any]:
    limit = read_number(request, "limit")
    return items[-limit:] if limit else items


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
