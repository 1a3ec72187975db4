"""The errors that autoctrl raises on purpose.

What reaches a caller is of one of these classes, or of one that a room derives from them for its
own use (``NotKnownYet``, ``Unreachable``, ``Truncated``, …). The tree::

    AutoctrlError                 one paragraph: what, on what, why, what to do
    ├── UsageError                the caller asked for something that does not exist or makes no
                                  sense
    │   ├── TransitionRefused     a status change that the transition table does not contain
    │   └── Changed               what somebody agreed to is not what would be done now
    ├── SettingsError             autoctrl.toml, AUTOCTRL_* or a workflow file is wrong
    │   └── MissingExtra          an optional dependency is not installed; names the extra
    ├── WorkflowError             a workflow module cannot be loaded or declares nonsense
    ├── StoreError                the store refused or could not answer
    │   ├── Conflict              somebody else moved the record first; nothing was written
    │   ├── LeaseHeld             another process holds the lease; says who and until when
    │   └── LeaseLost             the lease under which we wanted to write is no longer ours
    ├── ExecutorError             jobs could not be submitted, asked for or removed
    │   ├── ServiceDown           no answer: try again later, nothing is known
    │   └── SubmitRefused         a clear no to one submission
    ├── DeploymentError           a ref was not deployed; what was current still is
    ├── QuotaError                nobody knows how much room is left
    ├── NotifierError             a message did not reach people: no answer, a refusal
    ├── JenkinsError              Jenkins refused, or could not be asked
    └── DataError                 a file is corrupt, truncated or does not match its partner

An error's text is one paragraph; the hint (what to do) is its last sentence. Foreign exceptions
stop at the border: ``raise StoreError(...) from error``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_LIST = 40


class AutoctrlError(Exception):
    """What went wrong, on what, and why; ``hint`` says what to do about it.

    ``exit_code`` is what the command line returns for it: 2, usage or environment.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep ``message`` and ``hint`` as one paragraph."""
        self.message = " ".join(message.split())
        self.hint = " ".join(hint.split())
        super().__init__(f"{self.message} {self.hint}".strip())


class UsageError(AutoctrlError):
    """The caller asked for something that does not exist or makes no sense."""


class TransitionRefused(UsageError):
    """A status change that the transition table does not contain."""


class Changed(UsageError):
    """What would be done is no longer what somebody was shown and agreed to; nothing was done."""


class SettingsError(AutoctrlError):
    """A setting is unknown, misspelt, of the wrong type or contradicts another."""


class MissingExtra(SettingsError):
    """An optional dependency is missing; the message names the extra to install."""

    def __init__(self, what: str, extra: str) -> None:
        """Say that ``what`` needs the optional dependencies that ``extra`` names."""
        super().__init__(
            f"{what} needs packages that are not installed.",
            hint=f"They are the extra '{extra}'. In a checkout: pip install -e '.[{extra}]'; "
            "elsewhere see docs/howto/install.md.",
        )


class WorkflowError(AutoctrlError):
    """A workflow module cannot be loaded, or declares something impossible."""


class StoreError(AutoctrlError):
    """The store refused or could not answer."""


class Conflict(StoreError):
    """Somebody else moved the record first; nothing of the batch was written."""


class LeaseHeld(StoreError):
    """Another process holds the lease."""


class LeaseLost(StoreError):
    """The lease under which we wanted to write is no longer ours; nothing was written."""


class ExecutorError(AutoctrlError):
    """Jobs could not be submitted, asked for or removed."""


class ServiceDown(ExecutorError):
    """No answer: nothing is known, nothing may be concluded; try again later."""


class SubmitRefused(ExecutorError):
    """The executor said no to one submission, and why."""


class NotifierError(AutoctrlError):
    """A notifier cannot reach people: no answer, a refusal, a wrong address."""


class PerhapsTold(NotifierError):
    """A notifier cannot know whether people were told: its service took the message and was silent.

    The message is told once more, and then never again.
    """


class QuotaError(AutoctrlError):
    """A quota gave no answer, or none that makes sense: nothing is known, nothing is full."""


class DeploymentError(AutoctrlError):
    """A ref cannot or must not be deployed; nothing was switched."""


class JenkinsError(AutoctrlError):
    """Jenkins refused what it was asked, or could not be asked.

    ``is_passing`` says that the same may work a little later.
    """

    def __init__(self, message: str, *, hint: str = "", is_passing: bool = False) -> None:
        """Keep ``is_passing`` beside the words."""
        super().__init__(message, hint=hint)
        self.is_passing = is_passing


class DataError(AutoctrlError):
    """A file is corrupt, truncated, or does not match its partner."""


def find_system_word(error: BaseException) -> str:
    """Return what the system said of a connection that failed, as it stands in the error or in what
    caused it; empty if it said nothing.
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__cause__ or found.__context__
    return ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Hint ``Did you mean 'x'?`` for the known word closest to ``word``, or the known words if they
    are few.
    """
    from difflib import get_close_matches

    words = sorted(known)
    match = get_close_matches(word, words, n=1, cutoff=0.5)
    if match:
        return f"Did you mean '{match[0]}'?"
    if len(words) > LONGEST_LIST:
        return f"There are {len(words)}, and none resembles it."
    return f"Known: {', '.join(words)}." if words else "None is known."
