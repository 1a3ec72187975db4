"""How a request to Jenkins fails, what that means and what to do about it: one table, pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from autoctrl.errors import JenkinsError

NO_ANSWER, PAGE = 0, 200
LED_AWAY, BAD, UNKNOWN_USER, FORBIDDEN, MISSING = 302, 400, 401, 403, 404
DISABLED, BROKEN, STARTING = 409, 500, 503
# What may have gone by when the same is asked again a little later.
PASSING = frozenset({NO_ANSWER, 429, 502, STARTING, 504})
LONGEST_WORDS = 200
_PERMISSION = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z]+\b")
_NO_WORDS = re.compile(r"(?s)<(script|style|head)\b.*?</\1>|<[^>]*>")


class Failure(NamedTuple):
    """How a request failed.

    status  of HTTP; 0 without an answer, 200 for a page where data were expected
    said    what Jenkins or the network said, without secrets
    wait_s  after how many seconds it wants to be asked again, empty if it does not say
    """

    status: int
    said: str = ""
    wait_s: str = ""


class Asked(NamedTuple):
    """What was asked for, as it stands in a sentence.

    server  address of Jenkins
    user    as whom
    what    ``job autoctrl/discover``
    """

    server: str
    user: str
    what: str


class Refused(JenkinsError):
    """A request that failed; ``failure`` says how."""

    def __init__(self, message: str, *, hint: str, failure: Failure) -> None:
        """Keep ``failure`` beside the words."""
        super().__init__(message, hint=hint, is_passing=failure.status in PASSING)
        self.failure = failure


class Meaning(NamedTuple):
    """What a status means.

    what  what is wrong, behind the name of the server; fields are those of ``Asked``
    hint  what to do
    """

    what: str
    hint: str


MEANINGS = {
    NO_ANSWER: Meaning(
        "gave no answer about {what}", "Check [jenkins] url, the network and the server."
    ),
    PAGE: Meaning(
        "answers with a web page where data were expected, about {what}: a single sign-on or "
        "another server stands there",
        "Write into [jenkins] url the address that lets programs in with an API token.",
    ),
    LED_AWAY: Meaning(
        "does not take builds of {what} now",
        "It is shutting down, or something in it is against the build: look at its front page.",
    ),
    BAD: Meaning("refuses {what}", "Look at what it says, and into its log."),
    UNKNOWN_USER: Meaning(
        "does not know the user '{user}' with this token",
        "The token may have expired or been revoked: make a new one on the user's security page, "
        "put it into the file that [jenkins] token_file names, and check [jenkins] user.",
    ),
    FORBIDDEN: Meaning(
        "does not let '{user}' do that to {what}", "Ask its administrator for the permission."
    ),
    MISSING: Meaning(
        "has no {what}, or does not show it to '{user}'",
        "Check [jenkins] url and folder; autoctrl jenkins sync makes what is missing.",
    ),
    DISABLED: Meaning(
        "starts no build: {what} is disabled, or its folder is",
        "Enable it in Jenkins; or autoctrl jenkins sync, which sets it as the settings say.",
    ),
    BROKEN: Meaning("failed at {what}", "Look into its log."),
    STARTING: Meaning("is starting, or too busy for {what}", "Ask again in a minute."),
}
AT_FAULT = Meaning("or a proxy before it is at fault, at {what}", "Look into the logs of both.")
STRANGE = Meaning("does not do that with {what}", "Look into its log.")
CERTIFICATE = (
    "Name the file with the certificates of its authority by the variable REQUESTS_CA_BUNDLE."
)


def refused(asked: Asked, failure: Failure) -> Refused:
    """Return the error for a request that failed."""
    meaning = MEANINGS.get(failure.status) or (AT_FAULT if failure.status > BROKEN else STRANGE)
    number = "" if failure.status in (NO_ANSWER, PAGE, LED_AWAY) else str(failure.status)
    words = ", ".join(filter(None, [number, failure.said]))
    fields = asked._asdict()
    what = f"Jenkins at {asked.server} {meaning.what.format(**fields)}" + (
        f": {words}." if words else "."
    )
    return Refused(what, hint=_hint(meaning, failure, asked), failure=failure)


def _hint(meaning: Meaning, failure: Failure, asked: Asked) -> str:
    if failure.status == FORBIDDEN and _PERMISSION.search(failure.said):
        needed = _PERMISSION.search(failure.said)
        return f"Ask its administrator to give '{asked.user}' the permission {needed[0]}."  # type: ignore[index]
    if failure.wait_s:
        return f"Ask again in {failure.wait_s} s."
    return CERTIFICATE if "certificate" in failure.said.lower() else meaning.hint


def read_words(status: int, text: str, error_header: str, token: str) -> str:
    """Return what an answer says, in a line: Jenkins' own header, a permission, a short text."""
    plain = " ".join(_NO_WORDS.sub(" ", text).split())
    if status == FORBIDDEN:
        permission = _PERMISSION.search(plain)
        plain = f"{permission[0]} is missing" if permission else plain
    return shorten(error_header or plain, token)


def shorten(text: str, token: str) -> str:
    """Return a text on one line, not long, and without the token."""
    line = " ".join(text.split())
    line = line.replace(token, "(redacted)") if token else line
    return (line if len(line) <= LONGEST_WORDS else f"{line[:LONGEST_WORDS]}…").rstrip(".")
