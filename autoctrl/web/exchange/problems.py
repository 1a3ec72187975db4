"""Errors as pages and as JSON: what went wrong, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from autoctrl.errors import (
    AutoctrlError,
    Conflict,
    LeaseHeld,
    LeaseLost,
    ServiceDown,
    StoreError,
    UsageError,
)
from autoctrl.model.role import Role
from autoctrl.web.entry.visitor import visitor_of
from autoctrl.web.exchange.parameters import json_answer
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"


class Problem(NamedTuple):
    """An error as a reader sees it.

    code  the HTTP status code
    text     what went wrong
    hint     what to do about it, may be empty
    headers  what the answer must have beside
    """

    code: int
    text: str
    hint: str
    headers: Mapping[str, str] | None = None

    def values(self) -> dict[str, object]:
        """Return it as RFC 9457 has it, with what the command line prints beside."""
        return {
            "schema": 1,
            "type": "about:blank",
            "title": HTTPStatus(self.code).phrase,
            "status": self.code,
            "detail": self.text,
            "error": self.text,
            "hint": self.hint,
        }


def describe_problem(error: Exception) -> Problem:
    """Return how an error is shown; an unforeseen one reveals no details."""
    if isinstance(error, HTTPException):
        text = error.detail
        if error.status_code == HTTPStatus.NOT_FOUND and text == HTTPStatus.NOT_FOUND.phrase:
            text = "There is no such page."
        return Problem(error.status_code, text, "", error.headers)
    if isinstance(error, AutoctrlError):
        return Problem(code_of(error), error.message, error.hint)
    return Problem(
        500,
        "This is a defect of the server; its own log says more.",
        "Nothing else was changed by it.",
    )


def code_of(error: AutoctrlError) -> int:
    """Return the HTTP status code of one of our errors."""
    if isinstance(error, UsageError):
        return 404
    if isinstance(error, Conflict | LeaseHeld | LeaseLost):
        return 409
    return 503 if isinstance(error, StoreError | ServiceDown) else 500


def answer_problem(problem: Problem, **more: object) -> Response:
    """Return a problem as a program reads it, with what ``more`` there is to say."""
    answer = json_answer({**problem.values(), **more}, problem.code)
    answer.headers["Content-Type"] = PROBLEM_TYPE
    answer.headers.update(problem.headers or {})
    return answer


def show_problem(request: Request, error: Exception) -> Response:
    """Answer a request that failed."""
    problem, site = describe_problem(error), site_of(request)
    if site.is_public and problem.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        problem = problem._replace(text="This cannot be answered now.", hint="Try again later.")
    if request.url.path.startswith("/api/"):
        return answer_problem(problem)
    if request.url.path.startswith(("/health", "/metrics")):
        return json_answer({"schema": 1, "error": problem.text, "hint": problem.hint}, problem.code)
    is_of_a_file = request.url.path.startswith("/static/")
    if is_of_a_file or visitor_of(request).role < Role.VIEWER:
        return PlainTextResponse(f"{problem.text}\n", problem.code, problem.headers)
    try:
        page = site.draw(
            request,
            "problem.html",
            site.campaign,
            status_code=problem.code,
            problem=problem,
            is_still=True,
        )
    except StoreError:  # the frame of a page names the campaigns, so it needs the store, too
        return PlainTextResponse(f"{problem.text} {problem.hint}\n", 503)
    page.headers.update(problem.headers or {})
    return page
