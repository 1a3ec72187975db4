"""Thresholds: small values that judge a number as fine, worth a warning, or an alarm.

A number is judged against limits that are fixed, or against the same number of a reference run: by
how much of it, or by how many standard deviations, it may differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import hypot, isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ERROR = "_error"


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
class Reference:
    """A run to compare with: its name in sentences, and its numbers; standard deviations end in
    ``_error``.
    """

    name: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Limits:
    """How far a number may go before it is a warning, or an alarm.

    ``within`` is (lowest, highest), both still inside; None leaves a side open.  ``relative`` is
    the largest part of the reference's value, and ``sigmas`` the largest number of standard
    deviations, by which it may differ from it.
    """

    within: tuple[float | None, float | None] = (None, None)
    relative: float | None = None
    sigmas: float | None = None

    def excess(self, number: str, numbers: Mapping[str, float], reference: Reference | None) -> str:
        """Return the sentence that says what is beyond which limit; empty if nothing is."""
        return next(self._excesses(number, numbers, reference), "")

    def _excesses(
        self, number: str, numbers: Mapping[str, float], reference: Reference | None
    ) -> Iterator[str]:
        value, (low, high) = numbers[number], self.within
        if low is not None and value < low:
            yield f"{number} = {value:.6g} is below {low:g}"
        if high is not None and value > high:
            yield f"{number} = {value:.6g} is above {high:g}"
        if reference is None or number not in reference.numbers:
            return
        there = reference.numbers[number]
        where = f"{'below' if value < there else 'above'} {there:.6g} of {reference.name}"
        if self.relative is not None and abs(value - there) > self.relative * abs(there):
            part = f"{abs(value - there) / abs(there):.1%}" if there else "any part"
            yield f"{number} = {value:.6g} is {part} {where} (limit {self.relative:.1%})"
        if self.sigmas is None:
            return
        error = hypot(numbers.get(number + ERROR, 0.0), reference.numbers.get(number + ERROR, 0.0))
        if abs(value - there) > self.sigmas * error:
            away = f"{abs(value - there) / error:.1f}" if error else "endlessly many"
            yield (
                f"{number} = {value:.6g} is {away} standard deviations {where} (limit "
                f"{self.sigmas:g})"
            )


@dataclass(frozen=True)
class Threshold:
    """The limits of one number; one that ``may_miss`` is fine where it could not be measured."""

    number: str
    warn: Limits = field(default_factory=Limits)
    alarm: Limits = field(default_factory=Limits)
    may_miss: bool = False

    def judge(self, numbers: Mapping[str, float], reference: Reference | None = None) -> Verdict:
        """Judge the number; one that is missing, infinite or no number is an alarm, unless it may
        miss.
        """
        value = numbers.get(self.number)
        if value is None or not isfinite(value):
            if self.may_miss:
                return Verdict(self.number, Level.FINE)
            return Verdict(self.number, Level.ALARM, f"{self.number} is missing")
        for level, limits in ((Level.ALARM, self.alarm), (Level.WARN, self.warn)):
            if reason := limits.excess(self.number, numbers, reference):
                return Verdict(self.number, level, reason)
        return Verdict(self.number, Level.FINE)


def worst(verdicts: Sequence[Verdict]) -> Level:
    """Return the worst level of some verdicts; fine when there is none."""
    return max(
        (verdict.level for verdict in verdicts), key=lambda level: level.rank, default=Level.FINE
    )
