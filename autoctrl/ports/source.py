"""Where runs are discovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from autoctrl.model.run import Value


class Seen(NamedTuple):
    """One run as a source saw it now.

    number      run number
    attributes  typed values that the source knows; absent ones stay as they are
    is_closed   data taking has ended, as far as the source can tell
    delivery    the newest delivery that told it, where it is shown only until that is
                acknowledged; empty where the source sees it for ever
    """

    number: int
    attributes: Mapping[str, Value]
    is_closed: bool
    delivery: str = ""


class Source(Protocol):
    """Where runs are discovered."""

    name: str

    def discover(self) -> Iterable[Seen]:
        """Return the runs that are there now, by number.

        One that cannot be read is left out and named in ``problems``; nothing is raised for it.
        """

    @property
    def problems(self) -> Sequence[str]:
        """Sentences about what could not be read in the last ``discover``."""


@runtime_checkable
class Inbox(Source, Protocol):
    """A source that is told of runs: it shows each delivery until that is in the store.

    secret_file  file with the keys by which deliveries are signed
    """

    secret_file: Path

    def read(self, body: bytes) -> Sequence[Seen]:
        """Return the runs that a delivery tells of, perhaps none. Raises ``UsageError``."""

    def keep(self, key: str, body: bytes) -> None:
        """Keep a delivery, durably; ``key`` is its own, and the same one is not kept twice.

        Raises ``DataError`` if that is not possible.
        """

    def acknowledge(self) -> None:
        """Forget the deliveries that the last ``discover`` showed: what they told is in the store.

        Raises ``DataError`` if that is not possible; they are shown again then.
        """
