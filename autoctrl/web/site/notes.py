"""What is said after a form was posted."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NOTES = 500


class Notes:
    """What came of a form, kept for the one page that is opened after it."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._kept: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._lock = Lock()

    def keep(self, lines: Sequence[str]) -> str:
        """Keep some lines and return the name under which they are taken."""
        name = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[name] = tuple(lines)
            while len(self._kept) > MOST_NOTES:
                self._kept.popitem(last=False)
        return name

    def take(self, name: str) -> tuple[str, ...]:
        """Return the lines kept under a name and forget them; none if there is nothing."""
        with self._lock:
            return self._kept.pop(name, ())
