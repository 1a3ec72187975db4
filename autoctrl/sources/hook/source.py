"""The source that is told of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import DataError, UsageError
from autoctrl.sources.hook.delivery import read_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.ports import Seen
    from autoctrl.sources.hook.spool import Spool


class HookSource:
    """Deliveries in a spool; each is shown until it is acknowledged.

    A run of which several tell is what they say together; the newest wins. One that cannot be read
    stays where it is, as a problem, until somebody looks.
    """

    def __init__(
        self, name: str, spool: Spool, secret_file: Path, types: Mapping[str, str]
    ) -> None:
        self.name, self.secret_file = name, secret_file
        self._spool, self._types = spool, types
        self._problems: list[str] = []
        self._shown: list[str] = []

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about what could not be read in the last ``discover``."""
        return tuple(self._problems)

    def read(self, body: bytes) -> list[Seen]:
        """Return the runs that a delivery tells of. Raises ``UsageError``."""
        return read_delivery(body, self._types)

    def keep(self, key: str, body: bytes) -> None:
        """Keep a delivery, durably. Raises ``DataError`` if that is not possible."""
        try:
            self._spool.add(key, body)
        except OSError as error:
            message = f"A delivery cannot be kept in {self._spool.folder}: {error.strerror}."
            raise DataError(message, hint="Make room, or repair the folder's rights.") from error

    def discover(self) -> list[Seen]:
        """Return the runs that deliveries tell of, by number."""
        self._problems, self._shown = [], []
        told: list[Seen] = []
        try:
            for name, body in self._spool.newest_first():
                told += self._tell(name, body)
        except OSError as error:
            self._problems.append(f"{self._spool.folder} cannot be read: {error.strerror}")
            return []
        runs: dict[int, Seen] = {}
        for run in reversed(told):
            runs[run.number] = _together(runs[run.number], run) if run.number in runs else run
        return [runs[number] for number in sorted(runs)]

    def _tell(self, name: str, body: bytes | OSError) -> list[Seen]:
        """Return what a delivery says, from its end to its begin."""
        if isinstance(body, OSError):
            self._problems.append(f"{self._spool.folder / name} cannot be read: {body.strerror}")
            return []
        try:
            runs = self.read(body)
        except UsageError as error:
            self._problems.append(f"{self._spool.folder / name}: {error}")
            return []
        self._shown.append(name)
        return [run._replace(delivery=name) for run in reversed(runs)]

    def acknowledge(self) -> None:
        """Forget the deliveries that the last ``discover`` showed. Raises ``DataError``."""
        try:
            self._spool.remove(self._shown)
        except OSError as error:
            message = f"Deliveries cannot be removed from {self._spool.folder}: {error.strerror}."
            raise DataError(message, hint="Repair the folder's rights.") from error


def _together(before: Seen, run: Seen) -> Seen:
    """Return what an earlier and a later delivery say of a run."""
    attributes = {**before.attributes, **run.attributes}
    return run._replace(attributes=attributes, is_closed=before.is_closed or run.is_closed)
