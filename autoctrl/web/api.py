"""The same JSON as the command line's ``--format json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.campaigns import find_campaign
from autoctrl.model.job import index_text
from autoctrl.verbs import list_campaigns
from autoctrl.views import attempts, find_place, list_runs, overview, plain, published, steps, why
from autoctrl.views.history import newest_attempts
from autoctrl.views.task import task_of
from autoctrl.web.logs import STREAMS, choose_attempt, read_stream
from autoctrl.web.parameters import json_answer, read_number, read_runs, read_unit
from autoctrl.web.state import site_of
from autoctrl.web.versions import versions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record


def campaign_of(request: Request) -> str:
    """Return the campaign that is asked for, by default the one that is shown first."""
    return request.query_params.get("campaign") or site_of(request).campaign


def status(request: Request) -> Response:
    """Answer with the overview, whole unless ``runs=`` or ``limit=`` is given."""
    site = site_of(request)
    numbers = read_runs(request, site.index.numbers())
    return json_answer(
        overview(site.store, campaign_of(request), numbers, read_number(request, "limit")).values()
    )


def runs(request: Request) -> Response:
    """Answer with the campaign's runs."""
    site = site_of(request)
    numbers = read_runs(request, site.index.numbers())
    campaign = find_campaign(site.store, campaign_of(request))
    lines = list_runs(site.store, campaign, numbers, read_number(request, "limit"))
    return json_answer({"schema": 1, "campaign": campaign.name, "runs": lines})


def campaigns(request: Request) -> Response:
    """Answer with all campaigns."""
    return json_answer({"schema": 1, "campaigns": list_campaigns(site_of(request).store)})


def outputs(request: Request) -> Response:
    """Answer with the published outputs."""
    site, query = site_of(request), request.query_params
    numbers = read_runs(request, site.index.numbers())
    chosen = None if numbers is None else frozenset(numbers)
    is_whole = query.get("superseded", "") not in {"", "0", "false"}
    found = published(
        site.store, campaign_of(request), query.get("workflow") or None, chosen, superseded=is_whole
    )
    limit = read_number(request, "limit")
    return json_answer(found[-limit:] if limit else found)


def why_(request: Request) -> Response:
    """Answer how a task stands and why, as its last cycle left it."""
    unit, workflow = read_unit(request), request.path_params["workflow"]
    seen = why(site_of(request).store, campaign_of(request), unit, workflow)
    return json_answer({"schema": 1, **plain(seen), "now": None})


def history(request: Request) -> Response:
    """Answer with all that was ever recorded of a task."""
    key, records = _fetch(request)
    return _about(request, key, steps=_newest(request, steps(records)))


def jobs(request: Request) -> Response:
    """Answer with every attempt of every job of a task."""
    key, records = _fetch(request)
    hints, _ = site_of(request).project.hints(key)
    return _about(request, key, jobs=_newest(request, attempts(records)), hints=hints)


def provenance(request: Request) -> Response:
    """Answer with what made each version of a task."""
    key, records = _fetch(request)
    return _about(request, key, versions=versions_of(site_of(request).project, records))


def log(request: Request) -> Response:
    """Answer with what one attempt printed: of ``job=`` and ``attempt=``, else one that failed,
    else the newest.
    """
    key, records = _fetch(request)
    query = request.query_params
    index = query.get("job") or None
    job = choose_attempt(
        key, newest_attempts(records), index=index, attempt=read_number(request, "attempt")
    )
    facts = {
        "version": job.key.version,
        "job": index_text(job.key.index),
        "attempt": job.attempt,
        "status": job.status,
        "host": job.host,
        "address": job.log,
    }
    chosen = (query["stream"],) if query.get("stream") in STREAMS else STREAMS
    return _about(
        request,
        key,
        **facts,
        **{name: read_stream(site_of(request).project, job, name) for name in chosen},
    )


def _fetch(request: Request) -> tuple[TaskKey, list[Record]]:
    store = site_of(request).store
    place = find_place(
        store, campaign_of(request), read_unit(request), request.path_params["workflow"]
    )
    return place.key, store.history(task_of(place).key)


def _about(request: Request, key: TaskKey, **values: Any) -> Response:  # noqa: ANN401 - whatever is known of it
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
    "/status": status,
    "/runs": runs,
    "/campaigns": campaigns,
    "/outputs": outputs,
    f"/why{OF_TASK}": why_,
    f"/history{OF_TASK}": history,
    f"/jobs{OF_TASK}": jobs,
    f"/log{OF_TASK}": log,
    f"/provenance{OF_TASK}": provenance,
}
