"""Answers an analyst's questions by asking a project's web page."""

from __future__ import annotations

import http.client
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from autoctrl.config import read_secret_lines
from autoctrl.errors import StoreError, UsageError, find_system_word
from autoctrl.files import replacing
from autoctrl.login import logins
from autoctrl.login.errors import ProviderDown
from autoctrl.model.address import is_loopback
from autoctrl.process import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from autoctrl.client.answerer import Query
    from autoctrl.ports import Clock

TIMEOUT_S = 120.0
LONGEST_PROBLEM = 64 * 1024
LARGEST_PAGE = "2000"
WRONG = frozenset({400, 404, 405, 409, 413, 415, 422})
UNKNOWN_PERSON = frozenset({401, 403})


class _StayHere(HTTPRedirectHandler):
    """Follows nothing: another address must not be shown the token."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - what urllib hands over
        """Follow nothing."""


class Page:
    """A web page, asked with a token if there is one.

    That is the one that is given, else the one in the file that ``AUTOCTRL_TOKEN_FILE`` names, else
    that of the login which ``autoctrl login`` has left here for this page. What this machine serves
    itself is asked directly, everything else by the proxy that the environment names.
    """

    def __init__(
        self,
        url: str,
        token: str | Path | None = None,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Remember the address and the token, or the file that holds it.

        Raises ``UsageError`` if the token would be sent in clear, or cannot be one;
        ``SettingsError`` for a file without one.
        """
        parts = _split(url)
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._clock, self._environ = clock or SystemClock(), environ
        file = environ.get("AUTOCTRL_TOKEN_FILE")
        self._token = _read_token(Path(file) if token is None and file else token)
        self._has_login = not self._token and logins.file_for(self._url, environ).exists()
        is_ours = is_loopback(str(parts.hostname))
        if (self._token or self._has_login) and parts.scheme != "https" and not is_ours:
            message = f"{self._url} is not encrypted; a token is not sent there."
            raise UsageError(message, hint="Take the address that begins with https://.")
        self._opener = build_opener(_StayHere, ProxyHandler({} if is_ours else None))

    def __repr__(self) -> str:
        """Show the address, never the token."""
        return f"Page({self._url!r})"

    def ask(self, path: str, query: Query) -> Any:  # noqa: ANN401 - whatever is answered
        """Return what the page answers; see ``Answerer``."""
        return self._ask(path, query)[0]

    def pages(self, path: str, query: Query) -> Iterator[Any]:
        """Yield one page after the other; see ``Answerer``."""
        before = ""
        while True:
            place = {"before": before} if before else {}
            answer, further = self._ask(path, {**query, "limit": LARGEST_PAGE, **place})
            yield answer
            if further in {"", before}:
                return
            before = further

    def _ask(self, path: str, query: Query) -> tuple[Any, str]:
        """Return what an address answers, and the place before which there is more."""
        with self._opened(path, query) as answer:
            return json.load(answer), _read_place(answer.headers.get("Link", ""))

    def download(self, path: str, query: Query, target: Path) -> None:
        """Write what the page hands over into a file; see ``Answerer``."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            replacing(target) as draft,
            self._opened(path, query) as answer,
            draft.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file)

    @contextmanager
    def _opened(self, path: str, query: Query) -> Iterator[Any]:
        """Open what the page answers."""
        address = f"{self._url}/api/{path}?{urlencode(query, doseq=True)}"
        request = Request(address, headers={"Accept": "application/json"})  # noqa: S310 - http or https, by open_client
        token = self._find_token()
        if token:
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                yield answer
        except HTTPError as error:
            raise self._explain(error) from error
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            why = find_system_word(error) or type(error).__name__
            message = f"The web page {self._url} gave no answer that can be read: {why}."
            raise StoreError(message, hint="Is it served, and is this its address?") from error

    def _find_token(self) -> str:
        """Return the token to show, empty if there is none; a login that has expired is renewed."""
        if not self._has_login:
            return self._token
        try:
            return logins.token_for(self._url, self._clock, self._environ)
        except ProviderDown as error:
            raise StoreError(error.message, hint=error.hint) from error

    def close(self) -> None:
        """Nothing is open between two questions."""

    def _explain(self, error: HTTPError) -> UsageError | StoreError:
        """Return the error that an answer means."""
        with error:
            text = error.read(LONGEST_PROBLEM)
        usual = f"Give a token that may read: token=, or run autoctrl login {self._url}."
        if error.code not in UNKNOWN_PERSON:
            usual = "Is this its address?"
        try:
            problem = json.loads(text)
            what, hint = str(problem["detail"]), str(problem.get("hint", ""))
        except (ValueError, KeyError, TypeError):
            what, hint = f"{self._url} answers {error.code}.", usual
        is_our_fault = error.code in WRONG | UNKNOWN_PERSON
        return (UsageError if is_our_fault else StoreError)(what, hint=hint)


def _read_place(link: str) -> str:
    """Return the place that the address of the next page names, empty without such an address."""
    address, _, relation = link.partition(">;")
    if 'rel="next"' not in relation:
        return ""
    return parse_qs(urlsplit(address.lstrip("<")).query).get("before", [""])[0]


def _split(url: str) -> SplitResult:
    """Return the parts of a page's address. Raises ``UsageError`` for another text."""
    message = "The address of a web page is a name, such as https://autoctrl.example.org."
    hint = "A token is given beside it."
    try:
        parts = urlsplit(url)
        is_sound = parts.username is None and bool(parts.hostname) and parts.port != 0
    except ValueError as error:  # a bracket that is not closed, a port that is none
        raise UsageError(message, hint=hint) from error
    if not is_sound:
        raise UsageError(message, hint=hint)
    return parts


def _read_token(token: object) -> str:
    if token is None:
        return ""
    if isinstance(token, Path):
        return read_secret_lines(token, "token")[0]
    text = token if isinstance(token, str) else ""
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        message = "What was given as token cannot be one."
        raise UsageError(message, hint="For a file give its Path.")
    return text
