"""What every page of one server shares: the project, what it has learned of it, and how a page is
drawn.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from autoctrl import __version__
from autoctrl.model.unit import is_group, spoken
from autoctrl.views import spell_time
from autoctrl.web import links, spelling
from autoctrl.web.activity import Tally
from autoctrl.web.csrf import COOKIE, Guard, Notes
from autoctrl.web.paging import RunIndex
from autoctrl.web.watch import LeaseWatch

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.compose import Project

TEMPLATES = Path(__file__).with_name("templates")
NAME_COOKIE = "autoctrl_name"
A_YEAR_S = 365 * 86400


@cache
def templates() -> Environment:
    """Return the templates, compiled once in a process; each escapes whatever it is given."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "links": links,
        "version": __version__,
        "spoken": spoken,
        "is_group": is_group,
        "iso": spell_time,
        "size": spelling.size,
    }
    for name in made.list_templates():
        made.get_template(name)
    return made


class Site:
    """One server's state; ``campaign`` is the one that is shown first, ``host`` the address it is
    bound to.
    """

    def __init__(self, project: Project, campaign: str, host: str) -> None:
        """Read the list of runs, the leases and the templates, so that the first page is as quick
        as the others.
        """
        self.project, self.campaign, self.host = project, campaign, host
        self.store, self.clock = project.store, project.clock
        self.index = RunIndex(self.store)
        self.index.numbers()
        self.watch = LeaseWatch(self.store, self.clock)
        self.watch.look()
        self.tally = Tally(self.store, self.clock)
        self.guard, self.notes = Guard(), Notes()
        self.spelling = spelling.Spelling(project.settings.project.timezone)
        self._fixed = {
            "project": project.settings.project.name or project.folder.name,
            "environment": project.settings.environment,
            "time": self.spelling.time,
            "value": self.spelling.value,
        }
        templates()

    def draw(
        self,
        request: Request,
        name: str,
        campaign: str,
        *,
        status_code: int = 200,
        **values: object,
    ) -> HTMLResponse:
        """Return the page that the template ``name`` makes of ``values``, with a form token for
        this browser.
        """
        now = self.clock.now()
        cookie = self.guard.cookie(request.cookies.get(COOKIE))
        text = (
            templates()
            .get_template(name)
            .render(
                **self._fixed,
                campaign=campaign,
                campaigns=[mark.name for mark in self.store.marks("campaign")],
                now=now,
                age=partial(spelling.age, now=now),
                countdown=partial(spelling.countdown, now=now),
                notes=self.notes.take(request.query_params.get("note", "")),
                moved=self._spell_moved(now),
                token=self.guard.token(cookie),
                person=unquote(request.cookies.get(NAME_COOKIE, "")),
                **values,
            )
        )
        response = HTMLResponse(text, status_code)
        if request.cookies.get(COOKIE) != cookie:
            response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict")
        return response

    def remember(self, response: Response, name: str) -> None:
        """Let the browser fill in the person's name next time."""
        response.set_cookie(NAME_COOKIE, quote(name), A_YEAR_S, httponly=True, samesite="strict")

    def _spell_moved(self, now: datetime) -> str:
        seen = self.watch.last_known()
        if seen.newest is None:
            return (
                f"no cycle seen in the {spelling.duration(now - seen.since)} that this page "
                "has looked"
            )
        return f"a cycle or a verb was last seen {spelling.age(seen.newest, now)}"


def site_of(request: Request) -> Site:
    """Return the site that a request is made to."""
    return cast("Site", request.app.state.site)
