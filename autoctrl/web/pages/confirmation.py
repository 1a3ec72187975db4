"""What a person is asked before something is done that moves no single task: a pause, a word about
an incident.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.web.exchange.posted import SentForm

CHANGED = "Since you looked, something has changed. Look again at what would be done."


class Confirmation(NamedTuple):
    """What a person is asked.

    what   what would be done, to what: ``pause reco``
    does   what happens then
    lines  what they should know before they agree
    back   the page that they come from
    state  how that to which it is done stands now, whatever stands for it
    """

    what: str
    does: str
    lines: Sequence[str]
    back: str
    state: object


def confirm(request: Request, form: SentForm, asked: Confirmation) -> Response | None:
    """Return the page that asks, None if the person has agreed to what it says and nothing has
    changed since.
    """
    seen = hashlib.sha256(repr((form.verb, form.span, asked.what, asked.state)).encode())
    if form.seen == seen.hexdigest():
        return None
    return site_of(request).draw(
        request,
        "confirmation.html",
        request.path_params["campaign"],
        asked=asked,
        form=form,
        digest=seen.hexdigest(),
        notice=CHANGED if form.seen else "",
        is_still=True,
    )
