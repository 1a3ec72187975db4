"""Where runs are discovered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autoctrl.model.run import Value


class Seen(NamedTuple):
    """One run as a source saw it now.

    number      run number
    attributes  typed values that the source knows; absent ones stay as they are
    is_closed   data taking has ended, as far as the source can tell
    """

    number: int
    attributes: Mapping[str, Value]
    is_closed: bool


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
