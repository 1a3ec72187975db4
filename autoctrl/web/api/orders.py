"""``POST /api/verbs/VERB``: programs give orders, each done once however often it is sent."""

from __future__ import annotations

import json
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.verbs import known_workflows
from autoctrl.web.api.order import read_order
from autoctrl.web.api.order_verbs import ORDERS, Errand, NotDone
from autoctrl.web.crowds.body import read_body
from autoctrl.web.entry.csrf import is_same_origin
from autoctrl.web.entry.visitor import require_verb
from autoctrl.web.exchange.parameters import json_answer
from autoctrl.web.exchange.problems import answer_problem, describe_problem
from autoctrl.web.site.pace import identity_of
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from autoctrl.model.actor import Actor
    from autoctrl.web.api.order import Order
    from autoctrl.web.api.order_verbs import OrderVerb
    from autoctrl.web.site.order_ledger import Given

SUCCESS, REFUSED = 200, 409
PROVEN = "api"  # how those who show a token come
LONGEST_KEY = 128
REPLAYED = "Idempotency-Replayed"
GO_ON = "Send the same order with the same key: what is not done yet is done then."
KEY_HINT = "Send a new one with each order, and the same one again if you got no answer."


async def give_order(request: Request) -> Response:
    """Do what an order asks for, or answer what came of it when it was sent before.

    Nothing of it is taken from a cookie, so that no page of others can send one.
    """
    name = request.path_params["verb"]
    _refuse_browsers(request)
    visitor = require_verb(request, name, f"say {name} by the API")
    if site_of(request).gate.is_closed and visitor.via != PROVEN:
        raise HTTPException(403, "Only a token counts here. Send it: Authorization: Bearer.")
    who = identity_of(request)
    site_of(request).pace.take_verb(who)
    order = _understand(ORDERS[name], await _read_body(request))
    actor = visitor.actor(order.name)._replace(via=PROVEN)
    if not actor.name:
        raise HTTPException(422, "Say who you are: your name is kept in the history.")
    key = _key_of(request, is_needed=not order.dry_run)
    whole_key = json.dumps([who, key]) if key else ""  # no two pairs are spelled alike
    return await run_in_threadpool(_do_once, request, whole_key, actor, order)


def _refuse_browsers(request: Request) -> None:
    """Answer 403 to a browser that was sent here by a page of others, and to whoever is known by a
    cookie.
    """
    site = request.headers.get("sec-fetch-site", "none")
    is_sent_by_page = "origin" in request.headers
    is_foreign = is_sent_by_page and not is_same_origin(request.headers)
    if is_foreign or site not in {"none", "same-origin"} or "cookie" in request.headers:
        message = "No cookies are accepted here. Send a token: Authorization: Bearer."
        raise HTTPException(403, message)


async def _read_body(request: Request) -> bytes:
    """Return the body; answers 413 if it is too long, 415 if it does not say that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "The body must be JSON: Content-Type: application/json.")
    return await read_body(request, "The body")


def _understand(verb: OrderVerb, body: bytes) -> Order:
    try:
        return read_order(verb.needs, verb.fields, body)
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
    """Do an order that is due under its key, and write down what came of it; one without a key
    writes nothing.
    """
    if not key or order.dry_run:
        return _do(request, actor, order).answer
    orders, clock = site_of(request).orders, site_of(request).clock
    digest = json.dumps([request.path_params["verb"], order._asdict()]).encode()
    given = orders.give(key, digest, clock.now())
    if not given.is_due:
        return _answer_again(given)
    is_settled = False
    try:
        answer, ending = _do(request, actor, order, given.since)
        if ending is Ending.DONE:
            orders.keep(key, answer.status_code, bytes(answer.body).decode())
        elif ending is Ending.NOTHING_DONE:
            orders.forget(key)
        is_settled = ending is not Ending.UNKNOWN
    finally:
        if not is_settled:
            orders.put_off(key)
    return answer


def _answer_again(given: Given) -> Response:
    """Answer an order that was sent before under the same key."""
    if given.is_other:
        message = f"Under this Idempotency-Key another order was given. {KEY_HINT}"
        raise HTTPException(422, message)
    if not given.code:
        raise HTTPException(REFUSED, "This order is being done.", {"Retry-After": "1"})
    return Response(given.answer, given.code, {REPLAYED: "true"}, media_type="application/json")


class Ending(Enum):
    """What came of an order: it was done, nothing was, or perhaps a part was."""

    DONE = auto()
    NOTHING_DONE = auto()
    UNKNOWN = auto()


class Done(NamedTuple):
    """An answer, and what came of the order."""

    answer: Response
    ending: Ending


def _do(request: Request, actor: Actor, order: Order, since: datetime | None = None) -> Done:
    """Do an order; of one that was begun at ``since``, what is still to be done."""
    site, name = site_of(request), request.path_params["verb"]
    asked = site.project.request(
        actor, order.campaign or site.campaign, order.reason, dry_run=order.dry_run
    )
    workflows = partial(known_workflows, site.store, site.project.folder)
    errand = Errand(asked._replace(since=since), order, workflows)
    try:
        return Done(json_answer({"schema": 1, **ORDERS[name].act(errand)}), Ending.DONE)
    except NotDone as error:
        problem = describe_problem(error)._replace(code=REFUSED)
        return Done(answer_problem(problem, **error.values), Ending.NOTHING_DONE)
    except AutoctrlError as error:
        return _fail(error, order)


def _fail(error: AutoctrlError, order: Order) -> Done:
    """Return how an order that raised an error is answered, and what may have come of it."""
    problem = describe_problem(error)
    if isinstance(error, UsageError):
        problem = problem._replace(code=REFUSED)
        if not order.downstream:  # else the first of several workflows may have been moved
            return Done(answer_problem(problem), Ending.NOTHING_DONE)
    problem = problem._replace(hint=f"{problem.hint} {GO_ON}".strip())
    return Done(answer_problem(problem), Ending.UNKNOWN)


def _route(verb: str) -> Route:
    async def endpoint(request: Request) -> Response:
        request.path_params["verb"] = verb
        return await give_order(request)

    return Route(f"/api/verbs/{verb}", endpoint, methods=["POST"])


ROUTES = [_route(verb) for verb in ORDERS]
