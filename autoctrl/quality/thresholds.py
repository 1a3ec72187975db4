"""Thresholds: small values that judge a number as fine, worth a warning, or an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARN = "warn"
    ALARM = "alarm"

    @property
    def rank(self) -> int:
        """Return 0 for fine, 1 for warn, 2 for alarm."""
        return list(Level).index(self)


@dataclass(frozen=True)
class Verdict:
    """How one number was judged, and why in words."""

    number: str
    level: Level
    reason: str = ""


@dataclass(frozen=True)
class Threshold:
    """Ranges of one number: within ``warn`` it is fine, within ``alarm`` a warning, else an alarm.

    A range is (lowest, highest), both still inside; None leaves a side open.
    """

    number: str
    warn: tuple[float | None, float | None] = (None, None)
    alarm: tuple[float | None, float | None] = (None, None)

    def judge(self, numbers: Mapping[str, float]) -> Verdict:
        """Judge the number; a number that is missing or not a number is an alarm."""
        value = numbers.get(self.number)
        if value is None or isnan(value):
            return Verdict(self.number, Level.ALARM, f"{self.number} is missing")
        for level, bounds in ((Level.ALARM, self.alarm), (Level.WARN, self.warn)):
            low, high = bounds
            if low is not None and value < low:
                return Verdict(self.number, level, f"{self.number} = {value:.6g} is below {low:g}")
            if high is not None and value > high:
                return Verdict(self.number, level, f"{self.number} = {value:.6g} is above {high:g}")
        return Verdict(self.number, Level.FINE)


def worst(verdicts: Sequence[Verdict]) -> Level:
    """Return the worst level of some verdicts; fine when there is none."""
    return max((verdict.level for verdict in verdicts), key=lambda level: level.rank, default=Level.FINE)
