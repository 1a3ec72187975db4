"""Events whose frames cannot be read: how many may be lost, and how many are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoctrl.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]


def parse_tolerance(text: str, chosen: tuple[int, int | None]) -> int:
    """Return how many events of a range may be lost: ``2``, or ``0.01`` or ``1%`` of the range.

    A fraction is rounded down.  Raises ``UsageError`` for another text, and for a fraction of a
    range without an end.
    """
    hint = "Write it as 2 (events), 0.01 or 1% (of the range)."
    match = re.fullmatch(r"(\d+)|(0?\.\d+|1\.0*)|(\d+(?:\.\d+)?)%", text.strip())
    if not match:
        message = f"{text!r} is neither a number nor a fraction of events."
        raise UsageError(message, hint=hint)
    if match[1]:
        return int(match[1])
    first, last = chosen
    if last is None:
        message = f"{text} of a range without an end is not known."
        raise UsageError(message, hint="Give --events FIRST:LAST, or a number of events.")
    fraction = float(match[2]) if match[2] else float(match[3]) / 100
    return int(fraction * (last - first) + 1e-9)


@dataclass
class Losses:
    """How many events of a range may be lost and are; ``problem`` is what ended the reading."""

    allowed: int = 0
    lost: int = 0
    problem: DataError | None = None

    def passing(
        self, events: Iterable[tuple[int, Frame | DataError]]
    ) -> Iterator[tuple[int, Frame | None]]:
        """Yield the events up to the first loss too many, with None for a lost frame."""
        try:
            for event, frame in events:
                if not isinstance(frame, DataError):
                    yield event, frame
                    continue
                if self.lost == self.allowed:
                    self.problem = self._too_many(frame)
                    return
                self.lost += 1
                yield event, None
        except DataError as error:
            self.problem = error

    def _too_many(self, error: DataError) -> DataError:
        if not self.allowed:
            return error
        message = f"{error.message} More events are lost than may be ({self.allowed})."
        return DataError(message, hint=error.hint)
