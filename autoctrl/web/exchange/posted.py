"""What a page of ours sends: read, cleaned, and accepted only if it came from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from autoctrl.model.actor import LONGEST_NAME, LONGEST_REASON, Actor
from autoctrl.web.crowds.body import read_body
from autoctrl.web.entry.cookies import read_kept
from autoctrl.web.entry.csrf import COOKIE
from autoctrl.web.entry.visitor import require_verb, visitor_of
from autoctrl.web.site.pace import identity_of
from autoctrl.web.site.state import NAME_COOKIE, site_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request
    from starlette.responses import Response

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 20
LONGEST = {
    "verb": 40,
    "name": LONGEST_NAME,
    "reason": LONGEST_REASON,
    "runs": 4000,
    "span": 20,
    "seen": 16_000,
    "role": 20,
    "id": 64,
    "campaign": 200,
    "workflows": 4000,
    "parent": 200,
    "settings": 4000,
    "code": 100,
}
SWITCHES = ("downstream", "follow", "reopen")


class SentForm(NamedTuple):
    """What a person sent.

    verb, runs, name, reason  as typed, without control characters
    span                      for how long, empty for as long as it lasts
    downstream                reprocess also what consumed the outputs
    role, id                  of a token: what it may do, and which one is meant
    campaign, workflows, parent, settings, code, follow, reopen  what a campaign is to be
    seen                      what the person agrees to (``spell_agreement``), empty at first
    token                     proof that the form came from a page of ours
    subject                   who sends it beyond doubt; the person cannot write it
    """

    verb: str = ""
    runs: str = ""
    name: str = ""
    reason: str = ""
    span: str = ""
    downstream: bool = False
    seen: str = ""
    role: str = ""
    id: str = ""
    campaign: str = ""
    workflows: str = ""
    parent: str = ""
    settings: str = ""
    code: str = ""
    follow: bool = False
    reopen: bool = False
    token: str = ""
    subject: str = ""


async def read_form(request: Request) -> SentForm:
    """Return the form that was posted; answers 413 and 415 for what is too long or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM_TYPE:
        raise HTTPException(415, "This is not the form of a page.")
    text = (await read_body(request, "The form")).decode("utf-8", "replace")
    try:
        pairs = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(413, "The form has too many fields.") from error
    texts = {name: clean(pairs.get(name, ""), longest) for name, longest in LONGEST.items()}
    fields: dict[str, Any] = {**texts, **{name: name in pairs for name in SWITCHES}}
    return SentForm(token=pairs.get("token", ""), **fields)


def clean(text: str, longest: int) -> str:
    """Return a text on one line, without control characters, cut to its longest length."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:longest]


def accept(request: Request, form: SentForm, known: Collection[str]) -> SentForm:
    """Return the form with the person's name in it, if a page of ours has sent it.

    Answers 403 if it came from elsewhere or the person may not say its verb, 400 if the page has no
    such verb: ``known`` are those that it has.
    """
    guard, session = site_of(request).guard, visitor_of(request).session
    cookie = read_kept(request, COOKIE)
    refusal = guard.refusal(request.headers, cookie, form.token, session)
    if refusal:
        message = f"{refusal} Nothing was done. Open the page again and repeat it there."
        raise HTTPException(403, message)
    site_of(request).pace.take_verb(identity_of(request))
    if form.verb not in known:
        raise HTTPException(400, f"There is no verb '{form.verb}' here.")
    visitor = require_verb(request, form.verb)
    return form._replace(name=visitor.name or form.name, subject=visitor.subject)


def name_missing(form: SentForm) -> str:
    """Return what a form lacks before anything is done, empty if nothing."""
    if not form.name:
        return "Say who you are: your name is kept in the history."
    return "" if form.reason else "Give a reason: it is kept in the history."


def actor_of(form: SentForm) -> Actor:
    """Return in whose name a form acts."""
    return Actor(form.name, "web", form.subject)


def remember_name(request: Request, response: Response, form: SentForm) -> Response:
    """Return the answer, by which the browser keeps a name that the person had to write."""
    if not visitor_of(request).name and read_kept(request, NAME_COOKIE) != form.name:
        site_of(request).remember(request, response, form.name)
    return response
