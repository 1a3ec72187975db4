"""What machines ask: whether the server is well, and its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from autoctrl.errors import StoreError
from autoctrl.web.metrics import CONTENT_TYPE, render
from autoctrl.web.parameters import json_answer, read_number
from autoctrl.web.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request


def health(request: Request) -> Response:
    """Answer 200 if the store answers, else 503; with ``max_age_s=N`` also 503 if no cycle was seen
    for that long.
    """
    site = site_of(request)
    limit_s = read_number(request, "max_age_s")
    try:
        seen = site.watch.look()
    except StoreError as error:
        return json_answer({"schema": 1, "status": "failed", "store": str(error)}, 503)
    now = site.clock.now()
    watched_s = (now - seen.since).total_seconds()
    age_s = None if seen.newest is None else (now - seen.newest).total_seconds()
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


def metrics(request: Request) -> Response:
    """Answer with numbers for Prometheus."""
    site = site_of(request)
    counts, seen = site.tally.count(), site.watch.look()
    text = render(
        counts, len(site.index.numbers()), seen, site.clock.now(), site.project.settings.environment
    )
    return Response(text, media_type=CONTENT_TYPE)
