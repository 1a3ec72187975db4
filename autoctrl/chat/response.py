"""Answers to a command that come later: where they are posted, how often, for how long."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.chat.replies import as_response
from autoctrl.errors import NotifierError, UsageError
from autoctrl.mattermost.address import server_of, split_address
from autoctrl.mattermost.posting import open_poster, say_why

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.chat.replies import Reply

PREFIX = "/hooks/commands/"
KEY = re.compile(r"[a-z0-9]{26}")
MOST_USES = 5
LASTS_S = 30 * 60.0
REQUEST_S = 5.0
LONGEST_ANSWER = 10_000
DONE = b"ok"


def read_key(address: str, url: str) -> str:
    """Return what is secret of an address for later answers, which must lead to the configured
    server.

    Raises ``UsageError``, which does not say the address: else a forged request could make us ask
    whomever it likes.
    """
    ours, theirs = split_address(address), split_address(url)
    if ours is not None and theirs is not None and theirs.username is None:
        server = server_of(ours)
        path, _, key = theirs.path.rpartition("/")
        is_plain = not (theirs.query or theirs.fragment or theirs.password)
        same = server_of(theirs)._replace(path=server.path) == server
        if same and is_plain and f"{path}/" == f"{server.path}{PREFIX}" and KEY.fullmatch(key):
            return key
    message = "The address for later answers is not one of the Mattermost in the settings."
    hint = f"Nothing was done. [notifiers] url must be the server's SiteURL; it is {address}."
    raise UsageError(message, hint=hint)


class Target(NamedTuple):
    """Where a command is answered later.

    address  of the server
    key      what is secret of it
    """

    address: str
    key: str


class LaterAnswers:
    """Posts answers to one command; five at most, within half an hour."""

    def __init__(self, target: Target, now: Callable[[], float] = time.monotonic) -> None:
        """Have posted nothing."""
        self._target, self._now = target, now
        self._ends, self._uses = now() + LASTS_S, 0

    def post(self, reply: Reply) -> None:
        """Show the caller an answer.

        Raises ``NotifierError``, which never holds the address.
        """
        if self._uses >= MOST_USES or self._now() >= self._ends:
            message = "It is too late for a further answer to a command in Mattermost."
            raise NotifierError(message)
        self._uses += 1
        _post(f"{self._target.address}{PREFIX}{self._target.key}", as_response(reply))


def _post(url: str, content: object) -> None:
    """Post something; what the library raises may hold the address, so it ends here."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request

    headers = {"Content-Type": "application/json"}
    request = Request(url, json.dumps(content).encode(), headers)  # noqa: S310 - http(s) only, see read_key
    why = ""
    try:
        with open_poster().open(request, timeout=REQUEST_S) as response:
            if response.read(LONGEST_ANSWER).strip() != DONE:
                why = "its answer is not 'ok'"
    except HTTPError as error:
        error.close()
        why = f"status {error.code}"
    except URLError as error:
        why = say_why(error.reason)
    except (OSError, HTTPException, ValueError) as error:
        why = say_why(error)
    if why:
        message = f"A later answer did not reach Mattermost: {why}."
        raise NotifierError(message, hint="What was asked for is in the history all the same.")
