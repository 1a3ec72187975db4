"""Files that lie where they may never be read: on a file system that does not answer."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import TYPE_CHECKING, TypeVar, cast

from autoctrl.errors import ServiceDown

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

WAIT_S = 10.0
TURN_S = 2.0
MOST_WAITING = 16


class FileReader:
    """Asks questions of file systems, and gives up on one that does not answer.

    Such a question is left behind in a thread of its own until it is answered. At most
    ``most_waiting`` may be left so; then every other is refused soon, so that the rest of a server
    goes on.
    """

    def __init__(
        self, wait_s: float = WAIT_S, turn_s: float = TURN_S, most_waiting: int = MOST_WAITING
    ) -> None:
        """Wait ``turn_s`` for a turn, and ``wait_s`` for an answer."""
        self.wait_s, self.turn_s = wait_s, turn_s
        self._turns = BoundedSemaphore(most_waiting)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer, or raise what the question raises; ``ServiceDown`` if none comes."""
        if not self._turns.acquire(timeout=self.turn_s):
            raise _silence()
        answers: SimpleQueue[tuple[Answer | None, Exception | None]] = SimpleQueue()

        def answer() -> None:
            try:
                answers.put((question(), None))
            except Exception as error:  # noqa: BLE001 - raised again where it was asked
                answers.put((None, error))
            finally:
                self._turns.release()

        Thread(target=answer, daemon=True).start()
        try:
            found, error = answers.get(timeout=self.wait_s)
        except Empty:
            raise _silence() from None
        if error is not None:
            raise error
        return cast("Answer", found)


FILES = FileReader()  # all that one server reads


def _silence() -> ServiceDown:
    return ServiceDown(
        "The file system with this file does not answer.",
        hint="Try again later; whoever looks after it may know more.",
    )
