"""The border to the server: the calls that a bot needs, by the driver.

The driver waits for ever by default, logs every error by itself, and its errors lose the status.
Nothing of it leaves this module: neither its exceptions, which hold the request with the token, nor
what it logs.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import find_system_word
from autoctrl.notifiers.mattermost.failure import (
    BUSY,
    NO_ANSWER,
    STRANGE,
    UNCERTAIN,
    Failure,
    refused,
    shorten,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests import PreparedRequest, Response

    from autoctrl.mattermost.address import Place
    from autoctrl.notifiers.patience import Patience

LOGGERS = ("mattermostdriver.api", "mattermostdriver.websocket")
STATUSES = {
    "InvalidOrMissingParameters": 400,
    "NoAccessTokenProvided": 401,
    "NotEnoughPermissions": 403,
    "ResourceNotFound": 404,
    "MethodNotAllowed": 405,
    "ContentTooLarge": 413,
    "FeatureDisabled": 501,
}
PAGE = 200
MARK = "autoctrl"
FIELDS = {"id": str, "posts": dict, "status": str}


class Posted(NamedTuple):
    """A post in the channel.

    id         its id
    user_id    who made it
    root_id    the post that it answers, empty if none
    at         when it was made, seconds since 1970 by the server's clock
    incident   key of the message, empty if the post is none of ours
    change     revision of the message
    """

    id: str
    user_id: str
    root_id: str
    at: float
    incident: str
    change: int


class Calls:
    """The calls of the API; each raises ``Refused``."""

    def __init__(self, place: Place, token: str, patience: Patience) -> None:
        """Connect to nobody yet."""
        from mattermostdriver import Driver

        bearer = _Bearer(token)
        server = place.server
        self._place, self._token, self._patience = place, token, patience
        # By ``auth``, not by ``token``: else an entry in somebody's .netrc goes before the token.
        options = {"auth": lambda: bearer, "basepath": f"{server.path}/api/v4"}
        address = {"scheme": server.scheme, "url": server.host, "port": server.port}
        self._driver = Driver({**options, **address})

    def find_me(self) -> str:
        """Return the bot's own id."""
        return str(self._get(lambda: self._driver.users.get_user("me"), "id"))

    def find_channel(self) -> str:
        """Return the channel's id."""
        find = self._driver.channels.get_channel_by_name_and_team_name
        return str(self._get(lambda: find(self._place.team, self._place.channel), "id"))

    def list_posts(self, channel_id: str, page: int = 0, number: int = PAGE) -> list[Posted]:
        """Return a page of the channel's posts, without those that people have deleted."""
        pages = {"page": page, "per_page": number}
        find = self._driver.posts.get_posts_for_channel
        posts = self._get(lambda: find(channel_id, pages), "posts")
        return [_read_post(post) for post in posts.values() if not post.get("delete_at")]

    def create(self, content: Mapping[str, object]) -> str:
        """Make a post and return its id."""
        return str(self._ask(lambda: self._driver.posts.create_post(content), "id"))

    def patch(self, post_id: str, content: Mapping[str, object]) -> None:
        """Replace what a post says."""
        self._ask(lambda: self._driver.posts.patch_post(post_id, content), "id")

    def open_dialog(self, content: Mapping[str, object]) -> None:
        """Show a dialog."""
        self._ask(lambda: self._driver.integration_actions.open_dialog(content), "status")

    def _get(self, call: Callable[[], Any], field: str) -> Any:  # noqa: ANN401 - JSON
        return self._ask(call, field, is_deed=False)

    def _ask(self, call: Callable[[], Any], field: str, *, is_deed: bool = True) -> Any:  # noqa: ANN401 - JSON
        """Return one field of an answer; ask again as long as the server says when, in time."""
        self._patience.begin()
        answer = self._try(call)
        while isinstance(answer, Failure) and self._patience.wait(answer.wait_s):
            answer = self._try(call)
        if not isinstance(answer, Failure) and not isinstance(answer.get(field), FIELDS[field]):
            answer = Failure(STRANGE, f"its answer has no {field}", is_perhaps=True)
        if isinstance(answer, Failure):
            raise refused(self._place, answer._replace(is_perhaps=answer.is_perhaps and is_deed))
        return answer[field]

    def _try(self, call: Callable[[], Any]) -> dict[str, Any] | Failure:
        from requests import RequestException

        self._driver.options["request_timeout"] = self._patience.request_s
        try:
            with _silence():
                answer = call()
                answer = answer if isinstance(answer, dict) else answer.json()
        except (RequestException, ValueError) as error:
            return _read_failure(error, self._token)
        return (
            answer if isinstance(answer, dict) else Failure(STRANGE, "no object", is_perhaps=True)
        )


class _Bearer:
    """Shows the token; says nothing of it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token to a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Silence:
    """Counts the threads that use the driver, which logs nothing until the last one has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: list[bool] = []

    def begin(self) -> None:
        """Begin to be silent."""
        loggers = [logging.getLogger(name) for name in LOGGERS]
        with self._lock:
            if not self._users:
                self._before = [logger.disabled for logger in loggers]
            self._users += 1
            for logger in loggers:
                logger.disabled = True

    def end(self) -> None:
        """Be as before, unless another thread needs silence still."""
        with self._lock:
            self._users -= 1
            if not self._users:
                for name, was_disabled in zip(LOGGERS, self._before, strict=True):
                    logging.getLogger(name).disabled = was_disabled


_SILENCE = _Silence()


@contextmanager
def _silence() -> Iterator[None]:
    """Let the driver log nothing meanwhile: what matters of an error is told by ours."""
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()


def _read_post(post: Mapping[str, Any]) -> Posted:
    mark = (post.get("props") or {}).get(MARK)
    mark = mark if isinstance(mark, dict) else {}
    return Posted(
        str(post.get("id", "")),
        str(post.get("user_id", "")),
        str(post.get("root_id", "")),
        float(post.get("create_at", 0)) / 1000,
        str(mark.get("incident", "")),
        int(mark.get("change", 0)),
    )


def _read_failure(error: Exception, token: str) -> Failure:
    """Return what an error of the driver, or of what it stands on, means."""
    response: Response | None = getattr(error, "response", None)
    if response is not None:  # a response with an error is false by itself
        status, said = response.status_code, response.text
    else:
        status, said = STATUSES.get(type(error).__name__, NO_ANSWER), str(error)
    if status == NO_ANSWER:
        return _read_silence(error, token)
    wait_s = _read_wait(response) if status == BUSY and response is not None else None
    return Failure(status, shorten(said, token), status in UNCERTAIN, wait_s)


def _read_wait(response: Response) -> float | None:
    """Return after how many seconds a busy server wants to be asked again."""
    said = response.headers.get("Retry-After") or response.headers.get("X-Ratelimit-Reset") or ""
    return float(said) if said.isascii() and said.isdecimal() else None


def _read_silence(error: Exception, token: str) -> Failure:
    """Return the failure of a request without an answer that can be read."""
    from requests import exceptions
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, ValueError) and not isinstance(error, exceptions.InvalidURL):
        return Failure(STRANGE, "its answer is no JSON", is_perhaps=True)
    if isinstance(error, exceptions.Timeout):
        said = "no answer in time"
    else:
        said = shorten(innermost(error), token)
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    never_sent = (
        exceptions.ConnectTimeout,
        exceptions.SSLError,
        exceptions.ProxyError,
        exceptions.InvalidURL,
    )
    is_sent = not isinstance(error, never_sent) and not isinstance(reason, NewConnectionError)
    return Failure(NO_ANSWER, said, is_perhaps=is_sent)


def innermost(error: BaseException) -> str:
    """Return what the system said of a connection that failed, else the kind of the error."""
    return find_system_word(error) or f"the connection failed ({type(error).__name__})"
