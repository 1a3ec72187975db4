"""What every cycle asks for, read in one request when a moment begins."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.stores.influx.journal import Journal
    from autoctrl.stores.influx.server import FluxRow
    from autoctrl.stores.influx.view import View


class Snapshot:
    """The newest marks, the newest run and the low-water marks, while a moment lasts."""

    def __init__(self, view: View, journal: Journal) -> None:
        self._view = view
        self._journal = journal
        self._rows: list[FluxRow] | None = None

    @contextmanager
    def moment(self) -> Iterator[None]:
        """Read everything within the block as of one state; a moment within another is the same."""
        if self._view.is_in_moment:
            yield
            return
        with self._view.moment(self._ask) as rows:
            self._rows = rows
            try:
                yield
            finally:
                self._rows = None

    def _ask(self, upto: int) -> str:
        journal = self._journal
        return (
            journal.newest_marks(None, upto) + journal.newest_run(upto) + journal.newest_water(upto)
        )

    def find(
        self, result: str, is_meant: Callable[[FluxRow], bool] = lambda _: True
    ) -> list[FluxRow] | None:
        """Return the rows of a stream; None outside of a moment, or if one does not count."""
        if self._rows is None:
            return None
        found = [row for row in self._rows if row.result == result and is_meant(row)]
        return found if all(self._view.counts(row.position) for row in found) else None

    def drop(self) -> None:
        """Forget what was read: something newer has been written here."""
        self._rows = None
