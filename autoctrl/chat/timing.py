"""Answers within a second: what takes longer is answered later."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

from autoctrl.chat.replies import refuse, say
from autoctrl.errors import AutoctrlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.chat.desk import Desk
    from autoctrl.chat.replies import Reply

WORKING = say("Working on it. The answer follows.")
BUSY = refuse("Too much is being asked at once. Nothing was done. Say it again in a moment.")


class _Handover:
    """One answer, which is taken in time or not."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._reply: Reply | None = None
        self._is_late = False

    def give(self, reply: Reply) -> bool:
        """Give the answer; return whether somebody waits for it still."""
        with self._lock:
            self._reply = reply
            self._lock.notify_all()
            return not self._is_late

    def take(self, patience_s: float) -> Reply | None:
        """Return the answer, None if it does not come in time."""
        with self._lock:
            self._lock.wait_for(lambda: self._reply is not None, patience_s)
            self._is_late = self._reply is None
            return self._reply


def answer_in_time(
    desk: Desk,
    work: Callable[[], Reply],
    later: Callable[[Reply], None],
    *,
    is_public: bool = False,
) -> Reply:
    """Return what ``work`` gives, or that it takes longer: then ``later`` gets the answer.

    What follows the first answer goes to ``later`` as well; so does one that ``is_public``, also if
    it was in time, unless it is a refusal.
    """
    handover = _Handover()

    def run() -> None:
        reply = guard(desk, work)
        is_taken = handover.give(reply)
        if not is_taken or (is_public and not reply.is_refusal):
            _deliver(desk, later, reply)
        while reply.following is not None:
            reply = guard(desk, reply.following)
            _deliver(desk, later, reply)

    if not desk.workers.start(run):
        return BUSY
    return handover.take(desk.workers.patience_s) or WORKING


def guard(desk: Desk, work: Callable[[], Reply]) -> Reply:
    """Return what ``work`` gives; an error becomes an answer."""
    try:
        return work()
    except AutoctrlError as error:
        return refuse(str(error))
    except Exception as error:  # noqa: BLE001 - somebody waits for an answer
        frame = traceback.extract_tb(error.__traceback__)[-1]
        desk.complain(f"{type(error).__name__} at {frame.filename}:{frame.lineno}")
        return refuse(f"That went wrong inside of autoctrl: {type(error).__name__}.")


def _deliver(desk: Desk, later: Callable[[Reply], None], reply: Reply) -> None:
    try:
        later(reply)
    except AutoctrlError as error:
        desk.complain(str(error))
