"""How much of something is used, and how much is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from autoctrl.model.quota import Usage


class Quota(Protocol):
    """Room that somebody has granted: on a disk, in a storage service."""

    name: str

    def ask(self) -> Usage | None:
        """Return what is used and what is allowed, None while that is still being counted.

        It is called in a process of its own, which is ended after 20 s. Raises ``QuotaError`` with
        a sentence for whatever is no answer.
        """
