"""The tokens that a person has made for programs: make one, which is shown once, and revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Route

from autoctrl.errors import UsageError
from autoctrl.login.tokens import Maker, id_in
from autoctrl.model.role import ROLES, Role
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.posted import SentForm, accept, name_missing, read_form
from autoctrl.web.site import links
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.login.tokens import Token
    from autoctrl.web.entry.visitor import Visitor

MOST = 50  # of one person
LIVES = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "365d": "a year"}
USUAL_LIFE = "90d"
CREATE, REVOKE = "create-token", "revoke-token"
UNFIT = "A token makes and revokes none. Log in, or use the command line."


def require_person(request: Request) -> Visitor:
    """Return the person who asks; answers 403 to one of the public, and to a program."""
    visitor = require_known(request, "see and make tokens")
    if visitor.via == "api":
        raise HTTPException(403, UNFIT)
    return visitor


def tokens_page(request: Request) -> Response:
    """List the tokens of the person who asks; an admin is shown those of all."""
    return _show(request, SentForm())


def _tokens_of(request: Request, visitor: Visitor) -> list[Token]:
    """Return the tokens that somebody may see and revoke, the newest first."""
    found = site_of(request).gate.keyring.list()[::-1]
    if visitor.role >= Role.ADMIN:
        return found
    return [token for token in found if token.subject and token.subject == visitor.subject]


def _show(
    request: Request, form: SentForm, refusals: tuple[str, ...] = (), code: int = 200, new: str = ""
) -> Response:
    site, visitor = site_of(request), require_person(request)
    return site.draw(
        request,
        "tokens.html",
        site.campaign,
        status_code=code,
        tokens=_tokens_of(request, visitor),
        new=new,
        new_id=id_in(new),
        roles=[name for name, role in ROLES.items() if role <= visitor.role],
        lives=LIVES,
        usual=USUAL_LIFE,
        sees_all=visitor.role >= Role.ADMIN,
        form=form,
        refusals=refusals,
        is_still=True,
    )


async def act(request: Request) -> Response:
    """Make or revoke a token; a new one stands in this answer and nowhere else."""
    form = await read_form(request)
    return await run_in_threadpool(_act, request, form)


def _act(request: Request, sent: SentForm) -> Response:
    visitor = require_person(request)
    form = accept(request, sent, (CREATE, REVOKE))
    try:
        if form.verb == REVOKE:
            return _revoke(request, visitor, form)
        missing = name_missing(form)
        if missing:
            return _show(request, form, (missing,), 400)
        return _show(request, SentForm(), new=_create(request, visitor, form))
    except UsageError as error:
        return _show(request, form, (str(error),), 409)


def _create(request: Request, visitor: Visitor, form: SentForm) -> str:
    """Return a new token. Raises ``UsageError``."""
    site = site_of(request)
    if form.role not in ROLES or form.span not in LIVES:
        message = "A token has one of the roles and one of the lives that the form offers."
        raise UsageError(message)
    known = [one for one in site.gate.keyring.list() if one.subject == visitor.subject]
    if visitor.subject and len(known) >= MOST:
        message = f"You have {MOST} tokens."
        raise UsageError(message, hint="Revoke one first.")
    maker = Maker(form.name, visitor.role, visitor.subject)
    lasts = timedelta(days=int(form.span.removesuffix("d")))
    role, now = ROLES[form.role], site.clock.now()
    return site.gate.keyring.make(form.reason, role, maker, now, lasts)


def _revoke(request: Request, visitor: Visitor, form: SentForm) -> Response:
    """Revoke a token of theirs, and lead back. Raises ``UsageError`` for another one."""
    site = site_of(request)
    if form.id not in {token.id for token in _tokens_of(request, visitor)}:
        message = f"You have no token '{form.id}'."
        raise UsageError(message)
    gone = site.gate.keyring.revoke(form.id)
    note = site.notes.keep([f"Token {gone.id} is revoked: it opens nothing any more."])
    return RedirectResponse(links.tokens(note=note), 303)


ROUTES = [Route("/tokens", tokens_page), Route("/tokens", act, methods=["POST"])]
