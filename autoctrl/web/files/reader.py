"""Files that lie where they may never be read: on a file system that does not answer."""

from __future__ import annotations

from collections import Counter
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING, TypeVar, cast

from autoctrl.errors import ServiceDown

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

WAIT_S = 10.0
TURN_S = 2.0
MOST_WAITING = 16
MOST_IN_PLACE = 3
ASKING = "asks a file system"


class FileReader:
    """Asks questions of file systems, and gives up on one that does not answer.

    Such a question is left behind in a thread of its own until it is answered. At most
    ``most_waiting`` may be left so; then every other is refused soon, so that the rest of a server
    goes on. A place that has left ``MOST_IN_PLACE`` without an answer is not asked until it has
    given one.
    """

    def __init__(
        self, wait_s: float = WAIT_S, turn_s: float = TURN_S, most_waiting: int = MOST_WAITING
    ) -> None:
        """Wait ``turn_s`` for a turn, and ``wait_s`` for an answer."""
        self.wait_s, self.turn_s = wait_s, turn_s
        self._turns = BoundedSemaphore(most_waiting)
        self._left: Counter[str] = Counter()
        self._lock = Lock()

    def ask(self, question: Callable[[], Answer], place: str = "") -> Answer:
        """Return the answer, or raise what the question raises; ``ServiceDown`` if none comes.

        ``place`` names where it is asked: what is silent there says nothing of other places.
        """
        if self._left[place] >= MOST_IN_PLACE or not self._turns.acquire(timeout=self.turn_s):
            raise _silence()
        asked = _Asked()
        answers: SimpleQueue[tuple[Answer | None, Exception | None]] = SimpleQueue()

        def answer() -> None:
            try:
                answers.put((question(), None))
            except Exception as error:  # noqa: BLE001 - raised again where it was asked
                answers.put((None, error))
            finally:
                self._turns.release()
                self._note_answer(place, asked)

        Thread(target=answer, name=ASKING, daemon=True).start()
        try:
            found, error = answers.get(timeout=self.wait_s)
        except Empty:
            self._note_silence(place, asked)
            raise _silence() from None
        if error is not None:
            raise error
        return cast("Answer", found)

    def _note_silence(self, place: str, asked: _Asked) -> None:
        with self._lock:
            if not asked.is_answered:
                asked.is_left = True
                self._left[place] += 1

    def _note_answer(self, place: str, asked: _Asked) -> None:
        with self._lock:
            asked.is_answered = True
            if asked.is_left:
                self._left[place] -= 1


class _Asked:
    """One question: whether it has been answered, and whether nobody waits for that any more."""

    is_answered = is_left = False


FILES = FileReader()  # all that one server reads


def _silence() -> ServiceDown:
    return ServiceDown(
        "The file system with this file does not answer.",
        hint="Try again later; whoever looks after it may know more.",
    )
