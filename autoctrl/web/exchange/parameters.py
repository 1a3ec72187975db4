"""Answers in JSON, written as the command line writes them; and what is read from an address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.model.unit import LONGEST_NUMBER
from autoctrl.views import AttemptChoice, to_plain
from autoctrl.views.filter import FilterText
from autoctrl.views.finding import Reading, understand
from autoctrl.views.runs import select_runs
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from autoctrl.views.filter import Filter


MOST = 2000  # of a page: more are asked for page by page, or streamed


def json_answer(value: Any, code: int = 200) -> Response:  # noqa: ANN401 - any record is written
    """Return any value as JSON, exactly as ``--format json`` prints it."""
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False)
    return Response(f"{text}\n", code, media_type="application/json")


def is_on(request: Request, name: str) -> bool:
    """Say whether a switch is on, such as ``superseded=1``."""
    return request.query_params.get(name, "") not in {"", "0", "false"}


def read_number(request: Request, name: str) -> int | None:
    """Return a whole number of the address, None if it is not given; answers 400 for another
    text.
    """
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise HTTPException(400, f"{name}={text[:40]} is not a whole number.")
    return int(text)


def read_limit(request: Request, usual: int) -> int | None:
    """Return how many are asked for, at least 1 and at most ``MOST``; ``usual`` if nothing is said,
    None for ``all``.
    """
    if request.query_params.get("limit") == "all":
        return None
    return read_size(request, usual)


def read_size(request: Request, usual: int) -> int:
    """Return how many are asked for of what is not streamed, as ``read_limit``."""
    return min(MOST, max(1, read_number(request, "limit") or usual))


def lead_on(request: Request, answer: Response, place: object, *, by: str = "before") -> Response:
    """Return an answer with the address of its next page, which a parameter ``by`` its name leads
    to, unless there is no ``place`` of one.
    """
    if place not in {"", 0}:
        given = request.query_params.multi_items()
        query = urlencode([*(pair for pair in given if pair[0] != by), (by, place)])
        answer.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'
    return answer


def read_runs(request: Request, known: Sequence[int]) -> list[int] | None:
    """Return the registered runs that ``runs=`` selects, None if it is not given.

    Answers 400 for what is not a selection.
    """
    text = request.query_params.get("runs", "").strip()
    if not text:
        return None
    try:
        return select_runs(site_of(request).store, known, text)
    except UsageError as error:
        raise HTTPException(400, str(error)) from error


def filter_text_of(request: Request) -> FilterText:
    """Return the filter that an address has, as it stands there."""
    query = request.query_params
    return FilterText(
        runs=query.get("runs", "").strip(),
        status=query.get("status", ""),
        workflow=query.get("workflow", ""),
        where=tuple(pair for pair in map(str.strip, query.getlist("where")) if pair),
        alarm=is_on(request, "alarm"),
        stale=is_on(request, "stale"),
        since=query.get("since", "").strip(),
        sort=query.get("sort", "").strip(),
    )


def read_filter_of(request: Request, campaign: str) -> Filter:
    """Return what the filter of an address means in a campaign.

    Answers 400 for what means nothing. Raises ``UsageError`` for an unknown campaign.
    """
    site = site_of(request)
    find_campaign(site.store, campaign)
    types, now = site.project.settings.attributes, site.clock.now()
    reading = Reading(types, now, site.spelling.zone)
    try:
        return understand(site.store, campaign, filter_text_of(request), reading)
    except UsageError as error:
        raise HTTPException(400, str(error)) from error


def read_choice(request: Request) -> AttemptChoice:
    """Return which attempt ``version=``, ``job=`` and ``attempt=`` mean."""
    return AttemptChoice(
        version=read_number(request, "version"),
        job=request.query_params.get("job") or None,
        attempt=read_number(request, "attempt"),
    )
