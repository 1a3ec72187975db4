"""One notifier at work in a process of its own, which ends with its time.

Whatever a service does, nobody waits for it: the process that makes cycles starts this one and
looks later what has become of each message.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.machine.outbox import Deed, Fate, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from autoctrl.machine.outbox import Post
    from autoctrl.ports import Message, Notifier

LIMIT_S = 10
LONGEST_REASON = 500


class Errand(NamedTuple):
    """A post, and the message that people are to read."""

    post: Post
    message: Message


class Answer(NamedTuple):
    """What became of an errand, short enough that whoever sends never waits for who listens.

    fate     how it ended
    message  id that the notifier gave, None without one
    reason   what went wrong, empty if people can see it
    """

    fate: Fate
    message: str | None = None
    reason: str = ""


class Sending:
    """Posts on their way by one notifier."""

    def __init__(
        self, name: str, notifier: Notifier, errands: Sequence[Errand], limit_s: int = LIMIT_S
    ) -> None:
        """Start to send; after ``limit_s`` seconds what is not sent is given up."""
        self.name, self.errands = name, errands
        self.results: list[Result] = []
        self._begun = 0
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        from multiprocessing import get_context  # a cycle that tells nobody does without

        fork = get_context("fork")
        self._answers, theirs = fork.Pipe(duplex=False)
        self._process = fork.Process(
            target=_run_errands, args=(theirs, notifier, errands, limit_s), daemon=True
        )
        self._process.start()
        theirs.close()

    def is_over(self, wait_s: float = 0.0) -> bool:
        """Say whether the fate of every post is known, after waiting so long at most."""
        ends = min(time.monotonic() + wait_s, self._deadline)
        while self._answers.poll(max(0.0, ends - time.monotonic())) and self._take():
            pass
        if self._process.is_alive() and time.monotonic() < self._deadline:
            return False
        self._end()
        return True

    def _take(self) -> bool:
        """Take one answer; return False if there are no more."""
        try:
            answer = self._answers.recv()
        except (EOFError, OSError):
            return False
        if answer is None:
            self._begun += 1
        else:
            self.results.append(Result(self.errands[len(self.results)].post, *answer))
        return True

    def _end(self) -> None:
        """End the process, and say what is known of the posts that it has not answered for."""
        while self._answers.poll() and self._take():
            pass
        self._process.kill()
        self._process.join()
        self._answers.close()
        silent = f"it gave no answer within {self._limit_s} s"
        for number in range(len(self.results), len(self.errands)):
            # What a slow notifier has not begun is no fault of it, if it has done something.
            has_begun = number < self._begun
            reason = silent if has_begun or not self.results else ""
            fate = Fate.MAYBE if has_begun else Fate.UNSEEN
            self.results.append(Result(self.errands[number].post, fate, None, reason))


def _run_errands(
    answers: Connection, notifier: Notifier, errands: Sequence[Errand], limit_s: int
) -> None:
    """Send one message after the other; say before each that it begins, and after it how it went.

    The kernel ends this process in time, also when the one that started it is gone.
    """
    os.dup2(2, 1)  # what a notifier prints must not mix with the command's own output
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limit_s + 1)
    for errand in errands:
        answers.send(None)
        answer = send(notifier, errand)
        answers.send(answer._replace(reason=answer.reason[:LONGEST_REASON]))


def send(notifier: Notifier, errand: Errand) -> Answer:
    """Send one message, and return what became of it."""
    post, message = errand
    try:
        if post.deed is not Deed.REPEAT and post.message is not None:
            told = post.message if notifier.change(post.message, message) else None
        else:
            told = notifier.tell(message)
    except PerhapsTold as error:
        return Answer(Fate.MAYBE, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
        return Answer(Fate.UNSEEN, reason=f"{type(error).__name__}: {error}")
    if told is None:
        return Answer(Fate.UNSEEN, reason=_why_unseen(notifier))
    return _check_id(told)


def _check_id(told: object) -> Answer:
    """Return that people can see a message, if what a notifier gave back can be kept as its id."""
    if isinstance(told, str) and len(told) <= LONGEST_REASON and told.isprintable():
        return Answer(Fate.SEEN, told)
    return Answer(Fate.MAYBE, reason="it gave back no text by which its message is known")


def _why_unseen(notifier: Notifier) -> str:
    """Return what a notifier that told nobody says of itself."""
    try:
        return f"it told nobody, and says: {notifier.ping()}"
    except NotifierError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}"
