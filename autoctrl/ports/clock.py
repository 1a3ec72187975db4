"""What time it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """The time, injected so that tests do not wait."""

    def now(self) -> datetime:
        """Return the present time, aware UTC."""
