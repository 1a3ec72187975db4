"""Why somebody is not let in."""

from __future__ import annotations

from autoctrl.errors import AutoctrlError


class LoginRefused(AutoctrlError):
    """Somebody is not who they say, or not any more; the text holds no token and no code.

    ``word`` is what the provider calls it, empty if it was not the provider.
    """

    def __init__(self, message: str, *, hint: str = "", word: str = "") -> None:
        """Keep ``word`` beside the words for people."""
        super().__init__(message, hint=hint)
        self.word = word


class ProviderDown(AutoctrlError):
    """The provider of logins does not answer, or not as it should; sessions go on meanwhile."""
