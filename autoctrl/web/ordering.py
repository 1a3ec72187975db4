"""``POST /api/verbs/VERB``: programs give orders, each done once however often it is sent."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.model.role import LEAST_ROLE
from autoctrl.web.body import read_body
from autoctrl.web.order import VERBS, NotDone, read_order
from autoctrl.web.parameters import json_answer
from autoctrl.web.problems import answer_problem, code_of, describe_problem
from autoctrl.web.state import site_of
from autoctrl.web.visitor import require

if TYPE_CHECKING:
    from starlette.requests import Request

    from autoctrl.model.actor import Actor
    from autoctrl.web.order import ApiVerb, Order
    from autoctrl.web.orders import Given

SUCCESS, REFUSED = 200, 409
PROVEN = "api"  # how those who show a token come
LONGEST_KEY = 128
REPLAYED = "Idempotency-Replayed"
KEY_HINT = "Send a new one with each order, and the same one again if you got no answer."


async def give_order(request: Request) -> Response:
    """Do what an order asks for, or answer what came of it when it was sent before.

    Nothing of it is taken from a cookie, so that no page of others can send one.
    """
    name = request.path_params["verb"]
    _refuse_cookies(request)
    visitor = require(request, LEAST_ROLE[name], f"{name} tasks by the API")
    if site_of(request).gate.is_closed and visitor.via != PROVEN:
        raise HTTPException(403, "Only a token counts here. Send it: Authorization: Bearer.")
    who = visitor.subject or visitor.name or (request.client.host if request.client else "")
    wait_s = site_of(request).rate.take(who, site_of(request).clock.now().timestamp())
    if wait_s:
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise HTTPException(429, "These are too many orders at once.", headers)
    order = _understand(VERBS[name], await _read_body(request))
    actor = visitor.actor(order.name)._replace(via=PROVEN)
    if not actor.name:
        raise HTTPException(422, "Say who you are: your name is kept in the history.")
    key = _key_of(request, is_needed=not order.dry_run)
    return await run_in_threadpool(_do_once, request, f"{who} {key}" if key else "", actor, order)


def _refuse_cookies(request: Request) -> None:
    """Answer 403 to a browser that was sent here by a page, and to whoever is known by a cookie."""
    site = request.headers.get("sec-fetch-site", "none")
    if site not in {"none", "same-origin"} or "cookie" in request.headers:
        message = "No cookies are accepted here. Send a token: Authorization: Bearer."
        raise HTTPException(403, message)


async def _read_body(request: Request) -> bytes:
    """Return the body; answers 413 if it is too long, 415 if it does not say that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "The body must be JSON: Content-Type: application/json.")
    return await read_body(request, "The body")


def _understand(verb: ApiVerb, body: bytes) -> Order:
    try:
        return read_order(verb, body)
    except UsageError as error:
        raise HTTPException(422, str(error)) from error


def _key_of(request: Request, *, is_needed: bool) -> str:
    key = request.headers.get("idempotency-key", "").strip()
    if is_needed and not key:
        raise HTTPException(400, f"The header Idempotency-Key is missing. {KEY_HINT}")
    if len(key) > LONGEST_KEY:
        message = f"The header Idempotency-Key has more than {LONGEST_KEY} letters."
        raise HTTPException(400, message)
    return key


def _do_once(request: Request, key: str, actor: Actor, order: Order) -> Response:
    """Do an order that is new under its key, and keep the answer; one without a key writes
    nothing.
    """
    if not key or order.dry_run:
        return _do(request, actor, order)
    site = site_of(request)
    digest = json.dumps([request.path_params["verb"], order._asdict()]).encode()
    given = site.orders.give(key, digest, site.clock.now())
    if not given.is_new:
        return _answer_again(given)
    is_certain = False
    try:
        answer = _do(request, actor, order)
        is_certain = answer.status_code in {SUCCESS, REFUSED}
    finally:
        if not is_certain:
            site.orders.doubt(key)
    if answer.status_code == REFUSED:
        site.orders.forget(key)
    elif answer.status_code == SUCCESS:
        site.orders.keep(key, answer.status_code, bytes(answer.body).decode())
    return answer


def _answer_again(given: Given) -> Response:
    """Answer an order that was sent before under the same key."""
    if given.is_other:
        message = f"Under this Idempotency-Key another order was given. {KEY_HINT}"
        raise HTTPException(422, message)
    if given.is_interrupted:
        message = (
            "Nobody knows whether this order was done: the server was stopped, or its store gave "
            "no answer, while it was. It is not begun again. The history says what became of it."
        )
        raise HTTPException(REFUSED, message)
    if not given.code:
        raise HTTPException(REFUSED, "This order is being done.", {"Retry-After": "1"})
    return Response(given.answer, given.code, {REPLAYED: "true"}, media_type="application/json")


def _do(request: Request, actor: Actor, order: Order) -> Response:
    site, name = site_of(request), request.path_params["verb"]
    asked = site.project.request(
        actor, order.campaign or site.campaign, order.reason, dry_run=order.dry_run
    )
    try:
        return json_answer({"schema": 1, **VERBS[name].act(asked, order)})
    except NotDone as error:
        problem = describe_problem(error)._replace(code=REFUSED)
        return answer_problem(problem, **error.values)
    except AutoctrlError as error:
        code = REFUSED if isinstance(error, UsageError) else code_of(error)
        return answer_problem(describe_problem(error)._replace(code=code))


def _route(verb: str) -> Route:
    async def endpoint(request: Request) -> Response:
        request.path_params["verb"] = verb
        return await give_order(request)

    return Route(f"/api/verbs/{verb}", endpoint, methods=["POST"])


ROUTES = [_route(verb) for verb in VERBS]
