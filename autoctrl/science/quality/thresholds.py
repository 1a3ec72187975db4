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
    """A run to compare with: its name in sentences, and its numbers.

    The standard deviation of a number has its name with ``_error`` at the end.
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
        if reference is not None and number in reference.numbers:
            yield from self._differences(number, numbers, reference)

    def _differences(
        self, number: str, numbers: Mapping[str, float], reference: Reference
    ) -> Iterator[str]:
        value, there = numbers[number], reference.numbers[number]
        distance = abs(value - there)
        found = f"{number} = {value:.6g} is"
        where = f"{'below' if value < there else 'above'} {there:.6g} of {reference.name}"
        if self.relative is not None and distance > self.relative * abs(there):
            part = f"{distance / abs(there):.1%}" if there else "any part"
            yield f"{found} {part} {where} (limit {self.relative:.1%})"
        error = _error_of_difference(number + ERROR, numbers, reference.numbers)
        if self.sigmas is not None and distance > self.sigmas * error:
            sigmas = f"{distance / error:.1f}" if error else "infinitely many"
            yield f"{found} {sigmas} standard deviations {where} (limit {self.sigmas:g})"


def _error_of_difference(
    name: str, numbers: Mapping[str, float], others: Mapping[str, float]
) -> float:
    return hypot(numbers.get(name, 0.0), others.get(name, 0.0))


@dataclass(frozen=True)
class Threshold:
    """The limits of one number; one that ``may_miss`` is fine where it could not be measured."""

    number: str
    warn: Limits = field(default_factory=Limits)
    alarm: Limits = field(default_factory=Limits)
    may_miss: bool = False

    def judge(self, numbers: Mapping[str, float], reference: Reference | None = None) -> Verdict:
        """Judge the number; one that is missing or not finite is an alarm, unless it may miss."""
        value = numbers.get(self.number)
        if value is None or not isfinite(value):
            if self.may_miss:
                return Verdict(self.number, Level.FINE)
            return Verdict(self.number, Level.ALARM, f"{self.number} is missing")
        for level, limits in ((Level.ALARM, self.alarm), (Level.WARN, self.warn)):
            if reason := limits.excess(self.number, numbers, reference):
                return Verdict(self.number, level, reason)
        return Verdict(self.number, Level.FINE)


def find_worst(verdicts: Sequence[Verdict]) -> Level:
    """Return the worst level of some verdicts; fine when there is none."""
    return max(
        (verdict.level for verdict in verdicts), key=lambda level: level.rank, default=Level.FINE
    )
