"""Logging in and out: the addresses to which people and the provider of logins come."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route

from autoctrl.errors import AutoctrlError
from autoctrl.login.errors import LoginRefused
from autoctrl.web.crowds.body import read_body
from autoctrl.web.entry.cookies import let_keep, read_kept
from autoctrl.web.entry.csrf import COOKIE
from autoctrl.web.entry.visitor import peer_of, visitor_of
from autoctrl.web.exchange.parameters import json_answer
from autoctrl.web.pages.door import Ways, show_door, show_failure
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.login.porter import Porter
    from autoctrl.web.entry.gate import Gate

LONGEST_TARGET = 2000
CALLBACK = "/login/callback"
AGAIN = Ways(again="/login")


class Door(NamedTuple):
    """What logging in takes: the gate, and who asks the provider."""

    gate: Gate
    porter: Porter


def door_of(request: Request) -> Door:
    """Return what logging in takes; answers 404 where there is no provider of logins."""
    gate = site_of(request).gate
    if gate.porter is None:
        raise HTTPException(404, "Nobody logs in here: [web] issuer names no provider.")
    return Door(gate, gate.porter)


def address_of(request: Request, path: str) -> str:
    """Return the address of one of our pages as the outside sees it."""
    page = site_of(request).gate.section.url.rstrip("/")
    here = f"http://{request.headers['host']}"
    return f"{page or here}{path}"


def read_target(text: str) -> str:
    """Return the page that is wanted after a login, the front page for what is no page of ours."""
    is_ours = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_ours and text.isprintable() and len(text) <= LONGEST_TARGET else "/"


def begin(request: Request) -> Response:
    """Lead to the provider of logins; ``next`` is the page that is wanted afterwards."""
    gate, porter = door_of(request)
    browser = request.cookies.get(gate.cookies.flow) or secrets.token_urlsafe(32)
    target = read_target(request.query_params.get("next", "/"))
    client = gate.client_of(request.headers, peer_of(request))
    try:
        address = porter.begin(browser, target, address_of(request, CALLBACK), client)
    except AutoctrlError as error:
        return show_failure(error, AGAIN)
    answer = RedirectResponse(address, 303)
    gate.cookies.give(answer, gate.cookies.flow, browser)
    return answer


def finish(request: Request) -> Response:
    """Take a person back from the provider, under a new session, to the page that they wanted."""
    from autoctrl.login.porter import Answer

    gate, porter = door_of(request)
    query = request.query_params
    answer = Answer(*(query.get(name, "") for name in ("state", "code", "iss", "error")))
    browser = request.cookies.get(gate.cookies.flow, "")
    before = request.cookies.get(gate.cookies.session, "")
    try:
        word, target = porter.finish(browser, answer, address_of(request, CALLBACK), before)
    except AutoctrlError as error:
        return show_failure(error, AGAIN)
    response = RedirectResponse(target, 303)
    gate.cookies.give(response, gate.cookies.session, word)
    return response


def ask_leave(request: Request) -> Response:
    """Show the form by which a person logs out."""
    door_of(request)
    guard, visitor = site_of(request).guard, visitor_of(request)
    cookie = guard.cookie(read_kept(request, COOKIE))
    ways = Ways(token=guard.token(cookie, visitor.session))
    response = show_door(f"You are {visitor.name or 'not logged in'}.", "", 200, ways)
    let_keep(request, response, COOKIE, cookie)
    return response


async def leave(request: Request) -> Response:
    """Log a person out, here and at the provider."""
    pairs = await _read_pairs(request)
    return await run_in_threadpool(_leave, request, pairs.get("token", ""))


def _leave(request: Request, token: str) -> Response:
    gate, porter = door_of(request)
    guard, session = site_of(request).guard, visitor_of(request).session
    refusal = guard.refusal(request.headers, read_kept(request, COOKIE), token, session)
    if refusal and session:
        raise HTTPException(403, f"{refusal} You are still logged in.")
    word = request.cookies.get(gate.cookies.session, "")
    address = porter.leave(word, address_of(request, "/")) if word else ""
    ways = AGAIN._replace(leave=address)
    response = show_door("You are logged out.", "", 200, ways)
    gate.cookies.take(response, gate.cookies.session)
    return response


async def hear_logout(request: Request) -> Response:
    """Hear from the provider that a login has ended."""
    pairs = await _read_pairs(request)
    return await run_in_threadpool(_hear_logout, request, pairs.get("logout_token", ""))


def _hear_logout(request: Request, token: str) -> Response:
    try:
        ended = door_of(request).porter.end_by_word(token)
    except LoginRefused as error:
        return json_answer({"error": "invalid_request", "error_description": error.message}, 400)
    except AutoctrlError as error:
        return json_answer({"error": "temporarily_unavailable", "hint": error.hint}, 503)
    return json_answer({"schema": 1, "ended": ended})


def tell_device(request: Request) -> Response:
    """Say whom ``autoctrl login`` asks; answers 404 where it is not offered."""
    section = door_of(request).gate.section
    if not section.device_client_id:
        raise HTTPException(404, "autoctrl login is not offered here: make a token instead.")
    facts = {"issuer": section.issuer, "client_id": section.device_client_id}
    return json_answer({"schema": 1, **facts, "scopes": section.scopes})


async def _read_pairs(request: Request) -> dict[str, str]:
    body = await read_body(request, "The form")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError as error:
        raise HTTPException(400, "This is no form.") from error
    return {name: values[0] for name, values in found.items()}


ROUTES = [
    Route("/login", begin),
    Route(CALLBACK, finish),
    Route("/login/backchannel", hear_logout, methods=["POST"]),
    Route("/login/device", tell_device),
    Route("/logout", ask_leave),
    Route("/logout", leave, methods=["POST"]),
]
