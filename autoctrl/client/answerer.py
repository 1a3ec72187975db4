"""What answers a client's questions: a folder or a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Query = dict[str, str | list[str]]


class Answerer(Protocol):
    """Answers questions as ``/api`` does."""

    def ask(self, path: str, query: Query) -> Any:  # noqa: ANN401 - whatever the address answers
        """Return the JSON of an address below ``/api``.

        Raises ``UsageError`` for a wrong question, ``StoreError`` if there is no answer.
        """

    def pages(self, path: str, query: Query) -> Iterator[Any]:
        """Yield the pages of an address below ``/api`` that answers page by page, the last first;
        as few as the answer may have. Raises as ``ask``.
        """

    def download(self, path: str, query: Query, target: Path) -> None:
        """Write the file at an address below ``/api`` into ``target``; raises likewise."""

    def close(self) -> None:
        """Close what is open."""
