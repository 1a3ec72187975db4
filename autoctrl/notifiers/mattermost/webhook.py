"""An incoming webhook: it posts, and can neither edit nor answer what it has posted."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.mattermost.address import Place, read_secret, server_of, split_address
from autoctrl.mattermost.posting import open_poster, say_why
from autoctrl.notifiers.mattermost.failure import (
    BUSY,
    NO_ANSWER,
    STRANGE,
    Failure,
    refused,
    shorten,
)
from autoctrl.notifiers.mattermost.text import spell_post
from autoctrl.notifiers.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.error import HTTPError

    from autoctrl.ports import Message

DONE = b"ok"
LONGEST_ANSWER = 10_000
GATEWAY_TIMEOUT = 504


class Target(NamedTuple):
    """Where a webhook leads: where people may know it to be, and its secret address."""

    place: Place
    url: str


class MattermostWebhook:
    """Posts by a webhook, whose address is a secret and stays out of every text."""

    has_safe_repeat = False

    def __init__(
        self,
        name: str,
        webhook_file: Path,
        environment: str = "",
        *,
        patience: Patience | None = None,
    ) -> None:
        """Post to the address in a file, which is read when it is needed."""
        self._name, self._file, self._environment = name, webhook_file, environment
        self._patience = patience or Patience()
        self._complaint: NotifierError | None = None

    def tell(self, message: Message) -> str | None:
        """Post a message; return its key, for a webhook gives no id. None if it was not posted.

        Raises ``PerhapsTold`` if there was no answer after it was sent.
        """
        self._complaint = None
        try:
            self._post(self._target(), {"text": spell_post(message, self._environment)})
        except PerhapsTold:
            raise
        except NotifierError as error:
            self._complaint = error
            return None
        return message.key

    def change(self, message_id: str, message: Message) -> bool:
        """Tell that the trouble is over; what else changes would be one more post each time."""
        del message_id
        return not message.is_over or self.tell(message) is not None

    def ping(self) -> str:
        """Say where the webhook leads, as far as one can know without posting.

        Raises ``NotifierError``: after a message that was not told, with its reason.
        """
        complaint, self._complaint = self._complaint, None
        if complaint is not None:
            raise complaint
        server = self._target().place.server
        return f"a webhook at {server}; whether it works shows only a message: notify test"

    def _target(self) -> Target:
        url = read_secret(self._name, "webhook_file", self._file)
        parts = split_address(url)
        if parts is None:
            message = f"[notifiers.{self._name}] webhook_file holds no address of a webhook."
            raise NotifierError(message, hint="It is one line: https://…/hooks/….")
        return Target(Place(self._name, server_of(parts)._replace(path="")), url)

    def _post(self, target: Target, content: dict[str, str]) -> None:
        """Post something. Raises ``NotifierError``, none that holds the address."""
        self._patience.begin()
        failure = self._try(target, content)
        while failure is not None and self._patience.wait(failure.wait_s):
            failure = self._try(target, content)
        if failure is None:
            return
        error = refused(target.place, failure)
        if failure.is_perhaps:
            raise PerhapsTold(error.message, hint=error.hint)
        raise error

    def _try(self, target: Target, content: dict[str, str]) -> Failure | None:
        """Post something once; return how that failed.

        What the library raises may hold the address, so it ends here.
        """
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        request = Request(target.url, body, headers)  # noqa: S310 - http(s) only, see split_address
        try:
            with open_poster().open(request, timeout=self._patience.request_s) as response:
                answer = response.read(LONGEST_ANSWER)
        except HTTPError as error:
            with error:
                return _read_failure(error, target.url)
        except (URLError, ValueError) as error:
            return Failure(NO_ANSWER, say_why(getattr(error, "reason", error)))
        except (OSError, HTTPException) as error:  # after the request was sent
            return Failure(NO_ANSWER, say_why(error), is_perhaps=True)
        return None if answer.strip() == DONE else Failure(STRANGE, "its answer is not 'ok'")


def _read_failure(error: HTTPError, url: str) -> Failure:
    """Return what an error of HTTP means, whose page may be missing or HTML."""
    try:
        said = error.read(LONGEST_ANSWER).decode("utf-8", "replace")
    except OSError:
        said = ""
    with suppress(ValueError, KeyError, TypeError):
        said = str(json.loads(said)["message"])
    key = url.rstrip("/").rpartition("/")[2]
    wait = error.headers.get("Retry-After", "")
    wait_s = float(wait) if error.code == BUSY and wait.isdecimal() else None
    is_perhaps = error.code == GATEWAY_TIMEOUT  # a proxy passed it on and got no answer
    return Failure(error.code, shorten(said.replace(url, key), key), is_perhaps, wait_s)
