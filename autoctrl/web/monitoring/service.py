"""What machines ask: whether the server is well, and its numbers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from starlette.responses import Response

from autoctrl.errors import StoreError
from autoctrl.process import spell_owner
from autoctrl.views.quotas import list_quotas
from autoctrl.web.exchange.parameters import json_answer, read_number
from autoctrl.web.monitoring.metrics import (
    CONTENT_TYPE,
    age_of,
    describe_conditions,
    describe_heartbeats,
    describe_installation,
    describe_leases,
    describe_quotas,
    describe_tasks,
    render,
)
from autoctrl.web.site.activity import count_leases, list_heartbeats, open_campaigns
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request


def show_health(request: Request) -> Response:
    """Answer 200 if the store answers, else 503; with ``max_age_s=N`` also 503 if the last cycle is
    longer ago. Where none was made yet, it counts from the start of this server.
    """
    site = site_of(request)
    limit_s = read_number(request, "max_age_s")
    try:
        found = list_heartbeats(site.store, open_campaigns(site.store))
    except StoreError as error:
        said = "it does not answer" if site.is_public else str(error)
        return json_answer({"schema": 1, "status": "failed", "store": said}, 503)
    now = site.clock.now()
    age_s = age_of(found[0], now) if found else None
    quiet_s = (now - site.started).total_seconds() if age_s is None else age_s
    is_stalled = limit_s is not None and quiet_s > limit_s
    facts = {
        "schema": 1,
        "status": "stalled" if is_stalled else "ok",
        "store": "ok",
        "store_id": site.store.store_id,
        "environment": site.project.settings.environment,
        "cycle_age_s": None if age_s is None else round(age_s, 3),
        "cycle_by": spell_owner(found[0].owner) if found else None,
    }
    return json_answer(facts, 503 if is_stalled else 200)


def show_metrics(request: Request) -> Response:
    """Answer with numbers for Prometheus."""
    site = site_of(request)
    counts, now = site.tasks.count(), site.clock.now()
    open_ones = open_campaigns(site.store)
    conditions = {name: site.conditions(name) for name in open_ones}
    settings = site.project.settings
    quotas = {name: list_quotas(site.store, name, settings) for name in open_ones}
    metrics = chain(
        describe_installation(site.project.settings.environment, len(site.index.numbers())),
        describe_tasks(counts, now),
        describe_conditions(conditions),
        describe_quotas(quotas),
        describe_leases(count_leases(site.store, open_ones)),
        describe_heartbeats(list_heartbeats(site.store, open_ones), now),
    )
    return Response(render(metrics), media_type=CONTENT_TYPE)
