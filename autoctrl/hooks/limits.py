"""What the listener takes from whoever sends, and when it loses patience."""

from __future__ import annotations

from typing import NamedTuple

from autoctrl.hooks.rate import Rate


class Limits(NamedTuple):
    """The limits of one listener.

    head_bytes   longest request line and headers together
    body_bytes   longest body
    head_s       time in which the headers must have come, seconds
    body_s       time in which the body must have come after them, seconds
    answer_s     time in which an answer must be taken, seconds
    parting_s    how long the sender may take to hang up after its answer, seconds
    connections  open at once
    running      hooks at work at once
    patience_s   how long a request waits for one of these to end, seconds
    grace_s      how long hooks at work may take when the listener ends, seconds
    rate         requests of one address to one path; behind a proxy all come from one address
    """

    head_bytes: int = 16 * 1024
    body_bytes: int = 64 * 1024
    head_s: float = 10.0
    body_s: float = 10.0
    answer_s: float = 10.0
    parting_s: float = 1.0
    connections: int = 256
    running: int = 16
    patience_s: float = 1.0
    grace_s: float = 10.0
    rate: Rate = Rate(per_s=20, burst=100)
