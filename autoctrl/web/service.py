"""What machines ask: whether the server is well, and its numbers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from starlette.responses import Response

from autoctrl.errors import StoreError
from autoctrl.views import list_conditions
from autoctrl.web.activity import open_campaigns
from autoctrl.web.metrics import (
    CONTENT_TYPE,
    describe_conditions,
    describe_installation,
    describe_leases,
    describe_tasks,
    render,
)
from autoctrl.web.parameters import json_answer, read_number
from autoctrl.web.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request


def show_health(request: Request) -> Response:
    """Answer 200 if the store answers, else 503; with ``max_age_s=N`` also 503 if no cycle was seen
    for that long.
    """
    site = site_of(request)
    limit_s = read_number(request, "max_age_s")
    try:
        activity = site.watch.look()
    except StoreError as error:
        return json_answer({"schema": 1, "status": "failed", "store": str(error)}, 503)
    now = site.clock.now()
    watched_s = (now - activity.since).total_seconds()
    age_s = None if activity.newest is None else (now - activity.newest).total_seconds()
    is_stalled = limit_s is not None and (watched_s if age_s is None else age_s) > limit_s
    facts = {
        "schema": 1,
        "status": "stalled" if is_stalled else "ok",
        "store": "ok",
        "store_id": site.store.store_id,
        "environment": site.project.settings.environment,
        "watched_s": round(watched_s, 3),
        "newest_lease_age_s": None if age_s is None else round(age_s, 3),
    }
    return json_answer(facts, 503 if is_stalled else 200)


def show_metrics(request: Request) -> Response:
    """Answer with numbers for Prometheus."""
    site = site_of(request)
    counts, activity, now = site.tasks.count(), site.watch.look(), site.clock.now()
    open_ones = open_campaigns(site.store)
    conditions = {name: list_conditions(site.store, name) for name in open_ones}
    metrics = chain(
        describe_installation(site.project.settings.environment, len(site.index.numbers())),
        describe_tasks(counts, now),
        describe_conditions(conditions),
        describe_leases(activity, now),
    )
    return Response(render(metrics), media_type=CONTENT_TYPE)
