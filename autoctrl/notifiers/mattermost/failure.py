"""How a request fails, what that means and what to do about it: two tables, pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import NotifierError

if TYPE_CHECKING:
    from autoctrl.mattermost.address import Place

NO_ANSWER, STRANGE = 0, 200
BAD, UNKNOWN_TOKEN, FORBIDDEN, MISSING, BUSY, OFF = 400, 401, 403, 404, 429, 501
# A server that fails, or a proxy that lost it, may have carried out what it was asked.
UNCERTAIN = frozenset({STRANGE, 500, 502, 504})
LONGEST_WORDS = 200


class Failure(NamedTuple):
    """How a request failed.

    status      of HTTP; 0 if there was no answer, 200 if the answer is not Mattermost's
    said        what the server or the network said, without secrets
    is_perhaps  it may have been carried out all the same
    wait_s      after how many seconds the server wants to be asked again, None if it does not say
    """

    status: int
    said: str
    is_perhaps: bool = False
    wait_s: float | None = None


class Refused(NotifierError):
    """A request that failed; ``failure`` says how."""

    def __init__(self, message: str, *, hint: str, failure: Failure) -> None:
        """Keep ``failure`` beside the words."""
        super().__init__(message, hint=hint)
        self.failure = failure


class Meaning(NamedTuple):
    """What a status means.

    what  what is wrong, behind the name of the server
    hint  what to do; fields are those of ``Place``
    """

    what: str
    hint: str


OF_BOTH = {
    BUSY: Meaning("is asked too often", "It is tried again later."),
    413: Meaning("finds the message too long", "Look into the server's log."),
}
OF_BOT = {
    **OF_BOTH,
    NO_ANSWER: Meaning(
        "does not answer", "Check [notifiers.{notifier}] url, the network and the server."
    ),
    STRANGE: Meaning(
        "does not answer as Mattermost does",
        "Check [notifiers.{notifier}] url, and whether a proxy asks for a login.",
    ),
    BAD: Meaning("does not accept the message", "Look into the server's log."),
    UNKNOWN_TOKEN: Meaning(
        "refuses the token",
        "Put a token of the bot into the file that [notifiers.{notifier}] token_file names.",
    ),
    FORBIDDEN: Meaning(
        "does not let the bot into '{channel}'", "Add the bot to the channel '{channel}'."
    ),
    MISSING: Meaning(
        "shows the bot no channel '{channel}' of a team '{team}'",
        "Write team and channel as they stand in the channel's address, and add the bot to both.",
    ),
    OFF: Meaning("has this switched off", "Ask its administrator."),
}
OF_WEBHOOK = {
    **OF_BOTH,
    NO_ANSWER: Meaning(
        "does not answer",
        "Check the address in the file of [notifiers.{notifier}] webhook_file, the network and "
        "the server.",
    ),
    STRANGE: Meaning(
        "does not answer as a webhook of Mattermost does",
        "Check the address in the file of [notifiers.{notifier}] webhook_file.",
    ),
    BAD: Meaning(
        "refuses the webhook",
        "Make it anew, and put its address into the file of [notifiers.{notifier}] webhook_file.",
    ),
    FORBIDDEN: Meaning(
        "does not let the webhook into its channel", "Its owner must be in the channel."
    ),
    MISSING: Meaning(
        "does not find the webhook or its channel",
        "Check the address in the file of [notifiers.{notifier}] webhook_file.",
    ),
    OFF: Meaning(
        "has incoming webhooks switched off", "Ask its administrator for EnableIncomingWebhooks."
    ),
}
LED_AWAY = Meaning("leads elsewhere", "Write the address to which it leads, mostly https://.")
AT_FAULT = Meaning("or a proxy before it is at fault", "Look into the logs of both.")


def refused(place: Place, failure: Failure) -> Refused:
    """Return the error for a request that failed."""
    table = OF_BOT if place.channel else OF_WEBHOOK
    meaning = table.get(failure.status) or _by_class(failure.status)
    names = place._asdict()
    words = ", ".join(filter(None, [_number(failure.status), failure.said]))
    what = f"Mattermost at {place.server} {meaning.what.format(**names)}: {words}."
    return Refused(what, hint=meaning.hint.format(**names), failure=failure)


def _number(status: int) -> str:
    return "" if status in (NO_ANSWER, STRANGE) else str(status)


def _by_class(status: int) -> Meaning:
    """Return what a status means that has no row of its own."""
    if status >= 500:  # noqa: PLR2004 - the border of HTTP
        return AT_FAULT
    return LED_AWAY if status < BAD else Meaning("refuses that", "Look into the server's log.")


def shorten(said: str, secret: str) -> str:
    """Return what a server said as a few words of one line, without a secret, without a page."""
    text = " ".join(said.replace(secret, "(redacted)").split())
    if text.startswith("<"):
        return "a page of HTML"
    return text[:LONGEST_WORDS].rstrip(".") or "no reason given"
