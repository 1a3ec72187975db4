"""How much a message matters."""

from __future__ import annotations

from autoctrl.model.severity import Severity


def test_severities_are_ordered() -> None:
    """Each is at least as severe as itself and those before it, and not as those after it."""
    order = [Severity.INFO, Severity.WARNING, Severity.ALARM]
    for here, severity in enumerate(order):
        reached = [severity.is_at_least(other) for other in order]
        assert reached == [there <= here for there in range(len(order))]
