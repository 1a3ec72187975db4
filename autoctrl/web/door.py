"""What is shown before somebody is let in: nothing of the project."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from autoctrl import __version__
from autoctrl.web.gate import is_page
from autoctrl.web.problems import Problem, answer_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template
    from starlette.responses import Response

    from autoctrl.web.visitor import Visitor

UNKNOWN = 401  # the code that says how to make oneself known
TEMPLATES = Path(__file__).with_name("templates")


def lead_to_login(target: str) -> Response:
    """Lead somebody who needs a login to it, and from there to the page that they want."""
    return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)


def turn_away(visitor: Visitor, claim: str, path: str) -> Response:
    """Answer somebody who may not read, and say why; groups stand in a ``claim``."""
    if not visitor.is_known:
        return refuse(path, 401, "Say who you are: by a token, or by logging in.")
    why = (
        f"You are {visitor.name}, but no group of yours gives a right here. What counts are the "
        f"groups in the claim '{claim}' and [web] viewers, shifters, operators, admins."
    )
    return refuse(path, 403, why)


def refuse(path: str, code: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a request that is not let in, a program or a person."""
    if is_page(path):
        page = show_door(text, "", code)
        page.headers.update(headers or {})
        return page
    if code == UNKNOWN:
        headers = {"WWW-Authenticate": "Bearer"}
    return answer_problem(Problem(code, text, "", headers))


class Ways(NamedTuple):
    """Where somebody may go from the door.

    again  to log in
    leave  to log out at the provider too, which a browser does by itself
    token  proof of a form by which they log out here
    """

    again: str = ""
    leave: str = ""
    token: str = ""


NOWHERE = Ways()


def show_door(text: str, hint: str, code: int, ways: Ways = NOWHERE) -> HTMLResponse:
    """Show a sentence and where to go from here."""
    shown = _template().render(text=text, hint=hint, version=__version__, **ways._asdict())
    headers = {"Refresh": f"0; url={ways.leave}"} if ways.leave else {}
    return HTMLResponse(shown, code, headers)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("door.html")
