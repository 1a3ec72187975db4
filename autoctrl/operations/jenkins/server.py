"""The border to Jenkins: the few calls that we need, each of whose failures is one sentence.

Nothing of python-jenkins leaves this module, above all none of its exceptions: they hold requests,
and those the token.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

from autoctrl.errors import MissingExtra, find_system_word
from autoctrl.operations.jenkins.failure import (
    BROKEN,
    LED_AWAY,
    MISSING,
    NO_ANSWER,
    PAGE,
    Asked,
    Failure,
    Refused,
    read_words,
    refused,
    shorten,
)
from autoctrl.operations.jenkins.place import find_place, item_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from autoctrl.config import Settings
    from autoctrl.operations.jenkins.place import Place

TIMEOUTS_S = (10.0, 60.0)
QUEUED, FOLDED = 201, 303
Answer = TypeVar("Answer")


class Queued(NamedTuple):
    """A build that waits.

    queue_id   number of the queue's item
    is_folded  an equal one waited already, and this request joined it
    """

    queue_id: int
    is_folded: bool


class Server:
    """A Jenkins; each call raises ``Refused``, a ``JenkinsError``."""

    def __init__(self, place: Place, timeouts_s: tuple[float, float] = TIMEOUTS_S) -> None:
        """Connect to nobody yet. Raises ``MissingExtra`` without python-jenkins."""
        try:
            from autoctrl.operations.jenkins.client import Client
        except ModuleNotFoundError as error:
            what = "Speaking to Jenkins"
            raise MissingExtra(what, "jenkins") from error
        self.place = place
        self._client = Client(place.url, place.user, place.token, timeouts_s)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the Jenkins of the settings. Raises ``SettingsError`` if they lack it."""
        return cls(find_place(settings))

    def address(self, name: str) -> str:
        """Return the address of an item's page."""
        return f"{self.place.url}/{item_path(name)}"

    def find_config(self, name: str) -> str | None:
        """Return the configuration of an item, None if there is none that we may see."""
        ask = cast("Callable[[str], str]", self._client.get_job_config)
        return self._or_none(lambda: self._ask(name, lambda: ask(name)))

    def create(self, name: str, config: str) -> None:
        """Make an item; the folder that it lies in is there."""
        self._ask(name, lambda: self._client.create_item(name, config))

    def update(self, name: str, config: str) -> None:
        """Replace the configuration of an item."""
        self._ask(name, lambda: self._client.reconfig_job(name, config))

    def remove(self, name: str) -> None:
        """Remove an item with all its builds; one that is gone already is all right."""
        self._or_none(lambda: self._ask(name, lambda: self._client.remove_item(name)))
        if self.find_config(name) is not None:
            raise self._refuse(name, Failure(BROKEN, "it is still there after its removal"))

    def list_jobs(self, folder: str, fields: str) -> list[dict[str, Any]] | None:
        """Return these fields of each item in a folder, None if there is no such folder."""
        found = self._or_none(lambda: self._get(folder, item_path(folder), f"jobs[{fields}]"))
        return None if found is None else list(found.get("jobs", []))

    def read_item(self, name: str, fields: str) -> dict[str, Any]:
        """Return these fields of an item."""
        return self._get(name, item_path(name), fields)

    def start_build(self, name: str, parameters: Mapping[str, str]) -> Queued:
        """Ask for a build of a job. An equal one that waits already is not doubled."""
        first = self._ask(name, lambda: self._client.start_build(name, parameters))
        number = first.headers.get("Location", "").rstrip("/").rpartition("/")[2]
        if first.status_code in (QUEUED, FOLDED) and number.isdecimal():
            return Queued(int(number), first.status_code == FOLDED)
        raise self._refuse(name, Failure(LED_AWAY))

    def look_for_branches(self, name: str) -> None:
        """Let a multibranch project look through its repository now; it does so in its own time."""
        self._ask(name, lambda: self._client.look_for_branches(name))

    def find_item(self, name: str, fields: str) -> dict[str, Any] | None:
        """Return these fields of an item, None if there is none that we may see."""
        return self._or_none(lambda: self.read_item(name, fields))

    def find_queued(self, queue_id: int) -> dict[str, Any] | None:
        """Return an item of the queue, None if it is forgotten: five minutes after it left."""
        fields = "id,why,cancelled,executable[number,url]"
        path = f"queue/item/{queue_id}/"
        return self._or_none(lambda: self._get(f"item {queue_id} of the queue", path, fields))

    def read_build(self, name: str, number: int) -> dict[str, Any]:
        """Return what became of a build so far."""
        fields = "number,result,building,url"
        return self._get(f"{name} #{number}", f"{item_path(name)}{number}/", fields)

    def list_nodes(self) -> list[dict[str, Any]]:
        """Return name, labels and state of every node."""
        fields = "computer[displayName,offline,offlineCauseReason,assignedLabels[name]]"
        return list(self._get("list of nodes", "computer/", fields).get("computer", []))

    def _get(self, what: str, path: str, tree: str) -> dict[str, Any]:
        found = self._ask(what, lambda: self._client.get_json(path, tree))
        if not isinstance(found, dict):
            raise self._refuse(what, Failure(PAGE, "no object"))
        return found

    def _or_none(self, ask: Callable[[], Answer]) -> Answer | None:
        """Return what a call does, None where Jenkins has no such thing."""
        try:
            return ask()
        except Refused as error:
            if error.failure.status != MISSING:
                raise
            return None

    def _ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        with self._border(what):
            return call()

    @contextmanager
    def _border(self, what: str) -> Iterator[None]:
        """Turn what is raised inside into ``Refused``."""
        from jenkins import JenkinsException
        from requests import RequestException

        from autoctrl.operations.jenkins.client import LoginPage

        try:
            yield
        except LoginPage as error:
            raise self._refuse(what, Failure(PAGE, str(error))) from None
        except (JenkinsException, RequestException) as error:
            # What python-jenkins raises holds the request with the token, so it is not chained.
            raise self._refuse(what, read_failure(error, self.place.token)) from None

    def _refuse(self, what: str, failure: Failure) -> Refused:
        return refused(Asked(self.place.url, self.place.user, what), failure)


def read_failure(error: BaseException, token: str) -> Failure:
    """Return what an error of python-jenkins, or of what it stands on, means."""
    response = _find_response(error)
    if response is None:
        return _read_silence(error, token)
    status, headers = response.status_code, response.headers
    words = read_words(status, response.text, headers.get("X-Error", ""), token)
    wait_s = headers.get("Retry-After", "")
    return Failure(status, words, wait_s if wait_s.isdecimal() else "")


def _find_response(error: BaseException) -> Any:  # noqa: ANN401 - of a package that is loaded late
    """Return the answer behind an error, which python-jenkins replaces by words of its own."""
    found: BaseException | None = error
    while found is not None:
        response = getattr(found, "response", None)
        if response is not None:
            return response
        found = found.__cause__ or found.__context__
    return None


def _read_silence(error: BaseException, token: str) -> Failure:
    """Return the failure of a request without an answer that can be read."""
    from jenkins import JenkinsException, TimeoutException
    from requests import exceptions

    if isinstance(error, exceptions.InvalidJSONError):
        return Failure(PAGE, "its answer is no JSON")
    if isinstance(error, TimeoutException | exceptions.Timeout):
        return Failure(NO_ANSWER, "none came in time")
    if isinstance(error, exceptions.SSLError):
        return Failure(NO_ANSWER, shorten(f"TLS: {_innermost(error)}", token))
    if isinstance(error, JenkinsException):
        return Failure(PAGE, shorten(str(error), token))
    return Failure(NO_ANSWER, shorten(_innermost(error), token))


def _innermost(error: BaseException) -> str:
    """Return what the system said of a connection that failed, else the kind of the error."""
    return find_system_word(error) or f"the connection was cut ({type(error).__name__})"
