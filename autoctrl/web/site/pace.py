"""How fast each person and program may ask: everybody has turns of their own, which come back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from autoctrl.hooks.rate import Rate, RateLimit
from autoctrl.web.entry.visitor import visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from autoctrl.ports import Clock

QUESTIONS = Rate(per_s=50.0, burst=500)
VERBS = Rate(per_s=2.0, burst=20)


class Pace:
    """The turns of everybody who can be told apart, for questions and for verbs.

    Of those who are known by nothing, questions are not counted: behind a proxy all of them have
    one address, and whoever reads what is public waits at the turnstile.
    """

    def __init__(self, clock: Clock, questions: Rate = QUESTIONS, verbs: Rate = VERBS) -> None:
        """Give everybody these rates."""
        self._clock = clock
        self._questions, self._verbs = RateLimit(questions), RateLimit(verbs)

    def take_question(self, subject: str) -> None:
        """Take a turn of somebody who asks; answers 429 if they have none left."""
        if subject:
            self._take(self._questions, subject, "questions")

    def take_verb(self, identity: str) -> None:
        """Take a turn of somebody who says a verb; answers 429 if they have none left."""
        self._take(self._verbs, identity, "verbs")

    def _take(self, turns: RateLimit, identity: str, what: str) -> None:
        wait_s = turns.take(identity, self._clock.now().timestamp())
        if wait_s:
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise HTTPException(429, f"These are too many {what} at once.", headers)


def identity_of(request: Request) -> str:
    """Return by what somebody is told from others: beyond doubt, by name, or by the address."""
    visitor = visitor_of(request)
    return visitor.subject or visitor.name or (request.client.host if request.client else "")
