"""Why somebody is not let in."""

from __future__ import annotations

import math

from autoctrl.errors import AutoctrlError

UNKNOWN_KEY = "unknown_key"
DOWN_HINT = "Those who are logged in stay so; try again in a few minutes."


class LoginRefused(AutoctrlError):
    """Somebody is not who they say, or not any more; the text holds no token and no code.

    ``word`` is what the provider calls it, or ``UNKNOWN_KEY``; else empty.
    """

    def __init__(self, message: str, *, hint: str = "", word: str = "") -> None:
        """Keep ``word`` beside the words for people."""
        super().__init__(message, hint=hint)
        self.word = word


class ProviderDown(AutoctrlError):
    """The provider of logins does not answer, or not as it should; sessions go on meanwhile.

    ``retry_s`` says in how many seconds it is worth asking again.
    """

    def __init__(self, message: str, *, hint: str = "", retry_s: int = 5) -> None:
        """Keep ``retry_s`` beside the words for people."""
        super().__init__(message, hint=hint)
        self.retry_s = retry_s


class TooManyAsk(AutoctrlError):
    """Somebody, or everybody together, asks more often than is answered.

    ``retry_s`` says in how many seconds there is an answer again.
    """

    def __init__(self, retry_s: float) -> None:
        """Say so."""
        message = "Too many logins and tokens are tried here."
        super().__init__(message, hint="Try again in a moment.")
        self.retry_s = max(1, math.ceil(retry_s))
