"""What is shown before somebody is let in: nothing of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse

from autoctrl.login.errors import LoginRefused, TooManyAsk
from autoctrl.web.entry.gate import is_page
from autoctrl.web.exchange.problems import Problem, answer_problem
from autoctrl.web.site.state import load_templates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from autoctrl.errors import AutoctrlError
    from autoctrl.web.entry.visitor import Visitor

UNKNOWN = 401  # the code that says how to make oneself known
CODES: Mapping[type[AutoctrlError], int] = {LoginRefused: 403, TooManyAsk: 429}


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
        return show_door(text, "", code, headers=headers)
    known = {"WWW-Authenticate": "Bearer"} if code == UNKNOWN else {}
    return answer_problem(Problem(code, text, "", {**known, **(headers or {})}))


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


def show_door(
    text: str,
    hint: str,
    code: int,
    ways: Ways = NOWHERE,
    *,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Show a sentence and where to go from here."""
    template = load_templates().get_template("door.html")
    shown = template.render(text=text, hint=hint, **ways._asdict())
    leave = {"Refresh": f"0; url={ways.leave}"} if ways.leave else {}
    return HTMLResponse(shown, code, {**leave, **(headers or {})})


def show_failure(error: AutoctrlError, ways: Ways) -> HTMLResponse:
    """Show why somebody does not come in, and where to go from here."""
    failure = describe_failure(error)
    return show_door(error.message, error.hint, failure.code, ways, headers=failure.headers)


def describe_failure(error: AutoctrlError) -> Problem:
    """Return how it is answered that somebody does not come in."""
    code = next((code for kind, code in CODES.items() if isinstance(error, kind)), 503)
    retry_s = getattr(error, "retry_s", 0)
    headers = {"Retry-After": str(retry_s)} if retry_s else None
    return Problem(code, str(error), "", headers)
