"""How much a message to people matters."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How much a message matters, from least to most.

    INFO     good to know
    WARNING  may need somebody
    ALARM    needs somebody
    """

    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"

    def is_at_least(self, other: Severity) -> bool:
        """Say whether it matters as much as ``other``, or more."""
        order = list(Severity)
        return order.index(self) >= order.index(other)
