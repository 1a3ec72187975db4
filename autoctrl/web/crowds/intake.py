"""What of a request is taken in, as far as its head tells: whatever comes, it costs little."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import h11

from autoctrl.web.crowds.body import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_HEAD = 16 * 1024
MOST_LINES = 128  # of a head
WORDS = {
    408: "The request was not whole in time.",
    411: "Say how long the body is (Content-Length): a body in chunks is not taken.",
    413: "This is too long, or has a body where none belongs.",
    431: "The head of this request is too long.",
    503: "Too many are connected here. Try again in a moment.",
}
PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class Intake(h11.Connection):
    """Takes the requests of one connection apart and tells of each event.

    Refused before anything of a body is looked at: a body in chunks, of which each may hold one
    byte and costs as much as many; one that is longer than any that is read here; one that comes
    with anything but ``POST``; and a head of too many lines.
    """

    def __init__(self, tell: Callable[[object], None]) -> None:
        """Tell ``tell`` of each event."""
        super().__init__(h11.SERVER, LARGEST_HEAD)
        self._tell = tell
        self.refusal = 400

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """Return what comes next. Raises ``RemoteProtocolError`` for what is refused; ``refusal``
        is its status then.
        """
        if self.their_state is h11.IDLE and count_lines(self.trailing_data[0]) > MOST_LINES:
            self._refuse(431)
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.refusal = error.error_status_hint
            raise
        if isinstance(event, h11.Request):
            code = judge_head(event.method, list(event.headers))
            if code:
                self._refuse(code)
        self._tell(event)
        return event

    def _refuse(self, code: int) -> NoReturn:
        self.refusal = code
        message = "This request is refused by its head."
        raise h11.RemoteProtocolError(message, code)


def count_lines(received: bytes) -> int:
    """Return how many lines a head has, of which this is the beginning."""
    ends = [end for blank in (b"\r\n\r\n", b"\n\n") if (end := received.find(blank)) >= 0]
    return 1 + received.count(b"\n", 0, min(ends, default=len(received)))


def judge_head(method: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return the status with which a request is refused by its head alone, 0 if it is not.

    The names of ``headers`` are in small letters.
    """
    if any(name == b"transfer-encoding" for name, _ in headers):
        return 411
    largest = LARGEST if method == b"POST" else 0
    return 413 if body_size(headers) > largest else 0


def body_size(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return how many bytes a request says that its body has; 0 where it says nothing that can be
    read.
    """
    lengths = (value for name, value in headers if name == b"content-length" and value.isdigit())
    return int(next(lengths, b"0")[:20])


def spell_refusal(code: int) -> bytes:
    """Return the answer to a request that is not taken, after which the connection ends."""
    words = f"{WORDS.get(code, 'This is not a request that is understood.')}\n".encode()
    lines = [
        f"HTTP/1.1 {code} {PHRASES.get(code, 'Bad Request')}",
        "connection: close",
        "content-type: text/plain; charset=utf-8",
        f"content-length: {len(words)}",
        *(["retry-after: 2"] if code == 503 else []),  # noqa: PLR2004 - the status itself
    ]
    return "\r\n".join([*lines, "", ""]).encode() + words
