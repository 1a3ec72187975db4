"""The application: routes, errors, and the headers that every answer carries."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from autoctrl.errors import AutoctrlError
from autoctrl.model.campaign import PROMPT
from autoctrl.model.role import Role
from autoctrl.web.api import endpoints, orders
from autoctrl.web.crowds.turnstile import DOORS
from autoctrl.web.entry.hosts import is_known_host, known_hosts
from autoctrl.web.entry.visitor import announce
from autoctrl.web.exchange.problems import show_problem
from autoctrl.web.monitoring import service
from autoctrl.web.pages import (
    campaigns,
    gallery,
    grid,
    incidents,
    log,
    log_text,
    login,
    outputs,
    overview,
    quotas,
    run,
    task,
    tokens,
    trends,
    verbs,
    workflow,
)
from autoctrl.web.pages.door import describe_failure, lead_to_login, refuse, turn_away
from autoctrl.web.pages.shared import shared
from autoctrl.web.site.state import Site

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from autoctrl.compose import Project
    from autoctrl.web.entry.visitor import Visitor

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
OPEN = ("/static/", "/health")
PAGE = "/campaigns/{campaign}"
ROUTES = [
    Route("/", overview.front),
    *campaigns.ROUTES,
    Route(PAGE, shared(overview.overview_page)),
    Route(PAGE + "/runs/{run:int}", run.run_page),
    Route(PAGE + "/tasks/{workflow}/{unit:path}", task.task_page),
    Route(PAGE + "/logs/{workflow}/{unit:path}", log_text.log_text),
    *outputs.ROUTES,
    *gallery.ROUTES,
    *trends.ROUTES,
    *verbs.ROUTES,
    *grid.ROUTES,
    *workflow.ROUTES,
    *log.ROUTES,
    *incidents.ROUTES,
    *quotas.ROUTES,
    *tokens.ROUTES,
    *(Route(f"/api{path}", endpoint) for path, endpoint in endpoints.ENDPOINTS.items()),
    *orders.ROUTES,
    Route("/api/openapi.json", endpoints.answer_description),
    *login.ROUTES,
    Route("/health", service.show_health),
    Route("/metrics", service.show_metrics),
    Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
]


class Shield:
    """Lets in only requests to a known host, says who makes them, and gives every answer the
    headers that keep a browser careful.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        """Stand before the ``app`` of a site."""
        self.app, self.site, self.gate = app, site, site.gate
        self.hosts = known_hosts(site.project.settings.web, site.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = await self._refuse(scope) or self.app
        await self._answer(answer, scope, receive, send)

    async def judge(self, scope: Scope) -> ASGIApp | None:
        """Return what answers a request that is not let in, as far as its head tells."""
        refusal = await self._refuse(scope)
        return None if refusal is None else partial(self._answer, refusal)

    async def _answer(self, answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Give an answer the headers that it lacks."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_fixed = scope["path"].startswith("/static/")
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # the file of a job has a stricter policy
                headers.setdefault("Cache-Control", "no-cache" if is_fixed else "no-store")
            await send(message)

        await answer(scope, receive, send_with_headers)

    def close(self) -> None:
        """End what is open towards others."""
        self.gate.close()

    async def _refuse(self, scope: Scope) -> Response | None:
        """Say who makes a request, or return why it is not let in."""
        headers, path = Headers(scope=scope), scope["path"]
        reached = (scope.get("server") or ("", 0))[0]
        if not is_known_host(headers.get("host", ""), self.hosts, reached):
            text = "This server does not answer to this name. Its names: [web] hosts.\n"
            return PlainTextResponse(text, 421)
        if path.startswith(OPEN):
            return None
        peer = (scope.get("client") or ("", 0))[0]
        if self.gate.is_encrypted(headers, peer):
            scope["scheme"] = "https"  # cookies are marked by it
        try:
            visitor = await run_in_threadpool(self.gate.visitor, headers, peer)
            self.site.pace.take_question(visitor.subject)
        except HTTPException as error:
            return refuse(path, error.status_code, error.detail, error.headers)
        except AutoctrlError as error:
            failure = describe_failure(error)
            return refuse(path, failure.code, failure.text, failure.headers)
        announce(scope, visitor)
        return None if path.startswith(DOORS) else self._turn_away(scope, visitor)

    def _turn_away(self, scope: Scope, visitor: Visitor) -> Response | None:
        """Return the answer to somebody who may not read, None for all others."""
        if visitor.role >= Role.VIEWER:
            return None
        path, query = scope["path"], scope["query_string"].decode("ascii", "replace")
        if self.gate.leads_to_login(visitor, scope["method"], path):
            return lead_to_login(f"{path}?{query}" if query else path)
        return turn_away(visitor, self.gate.section.groups_claim, path)


def create_app(project: Project, campaign: str = PROMPT, host: str = "127.0.0.1") -> Shield:
    """Return the web page of an open project as an ASGI application; ``host`` is the address it
    will be bound to.
    """
    handlers = {HTTPException: show_problem, AutoctrlError: show_problem, Exception: show_problem}
    app = Starlette(routes=ROUTES, exception_handlers=handlers)
    app.state.site = site = Site(project, campaign, host)
    app.state.public = site.for_everybody()
    return Shield(app, site)
