"""The application: routes, errors, and the headers that every answer carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from autoctrl.errors import AutoctrlError
from autoctrl.model.campaign import PROMPT
from autoctrl.web import (
    api,
    forms,
    gallery,
    grid,
    incident_pages,
    log_page,
    ordering,
    outputs,
    pages,
    service,
    trends,
    workflow_page,
)
from autoctrl.web.csrf import is_known_host
from autoctrl.web.problems import show_problem
from autoctrl.web.shared import shared
from autoctrl.web.state import Site

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from autoctrl.compose import Project

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE = "/campaigns/{campaign}"
ROUTES = [
    Route("/", pages.front),
    Route(PAGE, shared(pages.overview_page)),
    Route(PAGE + "/runs/{run:int}", pages.run_page),
    Route(PAGE + "/tasks/{workflow}/{unit:path}", pages.task_page),
    Route(PAGE + "/logs/{workflow}/{unit:path}", pages.log_text),
    *outputs.ROUTES,
    *gallery.ROUTES,
    *trends.ROUTES,
    Route(PAGE + "/verbs/{workflow}", forms.ask),
    Route(PAGE + "/verbs/{workflow}", forms.act, methods=["POST"]),
    *grid.ROUTES,
    *workflow_page.ROUTES,
    *log_page.ROUTES,
    *incident_pages.ROUTES,
    *(Route(f"/api{path}", endpoint) for path, endpoint in api.ENDPOINTS.items()),
    *ordering.ROUTES,
    Route("/api/openapi.json", api.answer_description),
    Route("/health", service.show_health),
    Route("/metrics", service.show_metrics),
    Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
]


class Shield:
    """Lets in only requests to a known host, and gives every answer the headers that keep a browser
    careful.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Stand before ``app``, which is bound to ``host``."""
        self.app, self.host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_fixed = scope["path"].startswith("/static/")
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # the file of a job has a stricter policy
                headers.setdefault("Cache-Control", "no-cache" if is_fixed else "no-store")
            await send(message)

        if is_known_host(Headers(scope=scope).get("host", ""), self.host):
            await self.app(scope, receive, send_with_headers)
        else:
            refusal = PlainTextResponse("This server answers to localhost only.\n", 421)
            await refusal(scope, receive, send_with_headers)


def create_app(project: Project, campaign: str = PROMPT, host: str = "127.0.0.1") -> ASGIApp:
    """Return the web page of an open project as an ASGI application; ``host`` is the address it
    will be bound to.
    """
    handlers = {HTTPException: show_problem, AutoctrlError: show_problem, Exception: show_problem}
    app = Starlette(routes=ROUTES, exception_handlers=handlers)
    app.state.site = Site(project, campaign, host)
    return Shield(app, host)
