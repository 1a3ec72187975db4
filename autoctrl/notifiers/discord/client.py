"""Asks a webhook, no faster than Discord bears and never again once it is gone."""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from autoctrl.errors import NotifierError, SettingsError
from autoctrl.notifiers.discord.connection import NoAnswer, NotSent, Request, exchange
from autoctrl.notifiers.discord.quoting import is_id
from autoctrl.notifiers.patience import time_left_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autoctrl.notifiers.discord.connection import Answer
    from autoctrl.notifiers.discord.webhook import Webhook

UNKNOWN_WEBHOOK = 10015
MOST_TRIES = 5
LONGEST_REASON = 200
DEFAULT_WAIT_S = 1.0  # where the network before Discord refuses and does not say for how long


class Refused(NotifierError):
    """Discord did not carry out a request; ``code`` is its own number of the reason, 0 without."""

    def __init__(self, message: str, *, hint: str = "", code: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class WebhookClient:
    """Sends requests to the webhook that a file names at the time."""

    def __init__(
        self,
        read: Callable[[], Webhook],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        time_left: Callable[[], float] = time_left_s,
    ) -> None:
        """Ask nothing yet; ``read`` returns the webhook or raises ``SettingsError``."""
        self._read, self._clock, self._sleep, self._time_left = read, clock, sleep, time_left
        self._gone: Webhook | None = None
        self._free_at = -math.inf

    def post(self, body: Mapping[str, Any]) -> Answer:
        """Post a message, wait until it is saved. Raises as ``describe`` does."""
        return self._ask(lambda webhook: Request("POST", webhook.target(is_post=True), body))

    def change(self, message_id: str, body: Mapping[str, Any]) -> Answer:
        """Replace a message. Raises as ``describe`` does."""
        return self._ask(lambda webhook: Request("PATCH", webhook.target(message_id), body))

    def describe(self) -> Answer:
        """Return what Discord says of the webhook.

        Raises ``Refused``, ``NotSent`` and ``NoAnswer``.
        """
        return self._ask(lambda webhook: Request("GET", webhook.target()))

    def _ask(self, request_to: Callable[[Webhook], Request]) -> Answer:
        deadline = self._clock() + self._time_left()
        try:
            webhook = self._read()
        except SettingsError as error:
            raise NotSent(error.message, hint=error.hint) from error
        request = request_to(webhook)
        answer = self._try(webhook, request, deadline)
        for _ in range(MOST_TRIES - 1):
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                break
            answer = self._try(webhook, request, deadline)
        if answer.status != HTTPStatus.OK:
            raise _refusal(webhook, answer)
        if not is_id(str(answer.body.get("id", ""))):
            message = "Something else than Discord answers, or it does not say what it has done."
            raise NoAnswer(message, hint="Check the network and its proxy; look into the channel.")
        return answer

    def _try(self, webhook: Webhook, request: Request, deadline: float) -> Answer:
        """Send a request as soon as it may be sent."""
        if webhook == self._gone:  # who asks again and again is shut out
            raise _gone(webhook)
        self._wait_until_free(deadline)
        answer = exchange(webhook, request, deadline - self._clock())
        self._note(webhook, answer)
        return answer

    def _wait_until_free(self, deadline: float) -> None:
        """Wait as long as Discord wants. Raises ``NotSent`` if there is no time for that."""
        now = self._clock()
        wait_s = self._free_at - now
        if max(wait_s, 0.0) >= deadline - now:
            message = "There was no time left to send the message."
            if wait_s > 0:
                message = f"Discord wants to be left alone for {wait_s:.1f} s."
            raise NotSent(message, hint="It is tried again by itself.")
        if wait_s > 0:
            self._sleep(wait_s)

    def _note(self, webhook: Webhook, answer: Answer) -> None:
        """Remember when the next request may be sent, and whether there may be one."""
        if answer.body.get("code") == UNKNOWN_WEBHOOK:
            self._gone = webhook
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            given = answer.body.get("retry_after", answer.headers.get("retry-after"))
            self._free_at = self._clock() + _seconds(given, DEFAULT_WAIT_S)
        elif answer.headers.get("x-ratelimit-remaining") == "0":
            given = answer.headers.get("x-ratelimit-reset-after")
            self._free_at = self._clock() + _seconds(given, 0.0)


def _seconds(given: object, default: float) -> float:
    """Return a number of seconds as Discord gives it, ``default`` if that is none."""
    try:
        seconds = float(str(given))
    except ValueError:
        return default
    return seconds if seconds >= 0 else default  # an infinite one is a long wait, NaN is none


def _gone(webhook: Webhook) -> Refused:
    hint = f"Put the address of the new one into {webhook.file}."
    return Refused("the webhook is gone; make a new one.", hint=hint, code=UNKNOWN_WEBHOOK)


def _refusal(webhook: Webhook, answer: Answer) -> Refused:
    """Return the reason of an answer that is none of success."""
    code = answer.body.get("code")
    number = code if isinstance(code, int) else 0
    if number == UNKNOWN_WEBHOOK:
        return _gone(webhook)
    said = webhook.redact(" ".join(str(answer.body.get("message", "")).split()))
    reason = f": {said[:LONGEST_REASON]}" if said else ""
    message = f"Discord refuses with {answer.status}{reason.removesuffix('.')}."
    return Refused(message, hint=_hint(webhook, answer.status), code=number)


def _hint(webhook: Webhook, status: int) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Copy the address of the webhook into {webhook.file} again."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return "It is tried again by itself."
    return "Check the webhook and its channel; one of a forum needs ?thread_id=… in its address."
