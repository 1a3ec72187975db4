"""``/hooks/source/NAME``: somebody tells of runs, signed, and the next cycle begins at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError
from autoctrl.hooks.exchange import Answer
from autoctrl.hooks.keys import find_signature, read_keys
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from autoctrl.hooks.exchange import Hook, Request
    from autoctrl.hooks.ledger import Ledger
    from autoctrl.ports import Inbox

    Wake = Callable[[], None]

PATH = "/hooks/source/"
TIME, SIGNATURE = "x-autoctrl-time", "x-autoctrl-signature"
HOLDS_FOR = timedelta(minutes=5)
LONGEST_TIME = 11
LONGEST_NAME = 32
UNSIGNED = Answer(HTTPStatus.UNAUTHORIZED, b"Unauthorized.\n")


def source_hooks(inboxes: Iterable[Inbox], ledger: Ledger, wake: Wake) -> dict[str, Hook]:
    """Return the hook of each source that is told of runs, by its path.

    ``wake`` is called when a delivery is on disk; it returns at once and raises nothing.
    """
    return {f"{PATH}{inbox.name}": partial(take_delivery, inbox, ledger, wake) for inbox in inboxes}


def take_delivery(inbox: Inbox, ledger: Ledger, wake: Wake, request: Request) -> Answer:
    """Keep what a signed request tells, and wake; a body without runs only wakes.

    The request is signed over its time, a dot, and its body. It holds for five minutes, once: it is
    answered 202 when it is on disk, 409 if it was before, 401 if its signature or time are wrong,
    400 with a sentence if the body is. Raises ``AutoctrlError`` if it cannot be kept; the same
    request may then be sent again.
    """
    sent = request.headers.get(TIME, "")
    text = sent.encode() + b"." + request.body
    key = find_signature(read_keys(inbox), text, request.headers.get(SIGNATURE, ""))
    time = _read_time(sent)
    if not key or time is None or abs(request.received - time) > HOLDS_FOR:
        return UNSIGNED
    try:
        runs = inbox.read(request.body)
    except UsageError as error:
        return _say(HTTPStatus.BAD_REQUEST, str(error))

    def keep() -> None:
        if runs:
            inbox.keep(key[:LONGEST_NAME], request.body)

    if not ledger.use(key, time + HOLDS_FOR, request.received, keep):
        return _say(HTTPStatus.CONFLICT, "This request was taken before.")
    wake()
    return _say(HTTPStatus.ACCEPTED, f"Taken: {count({run.number for run in runs}, 'run')}.")


def _read_time(text: str) -> datetime | None:
    """Return seconds since 1970 as a time, None if they are not in plain digits."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_TIME):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _say(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode("utf-8", "backslashreplace"))
