"""Deliveries on disk: one file each, by the order of their arrival, until they are acknowledged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from autoctrl.files import sync_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SUFFIX = ".json"


class Spool:
    """A folder of deliveries, which several processes may fill and empty at once."""

    def __init__(self, folder: Path) -> None:
        """Keep deliveries in ``folder``, which is made when it is first needed."""
        self.folder = folder

    def add(self, key: str, body: bytes) -> None:
        """Keep a delivery under a key of its own, if it is not there already; it is on disk then.

        Raises ``OSError``.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if not any(name.endswith(f"-{key}{SUFFIX}") for name in self.names()):
            path = self.folder / f"{time.time_ns():020d}-{key}{SUFFIX}"
            write_whole(path, body, is_durable=True)
        sync_folder(self.folder)

    def names(self) -> list[str]:
        """Return the names of the deliveries that wait, oldest first. Raises ``OSError``."""
        try:
            return sorted(path.name for path in self.folder.iterdir() if path.suffix == SUFFIX)
        except FileNotFoundError:
            return []

    def newest_first(self) -> Iterator[tuple[str, bytes | OSError]]:
        """Yield name and content of each that waits, or why it cannot be read. Raises ``OSError``.

        As ``remove`` begins with the oldest, whoever reads while another removes may miss old ones,
        but never sees an old one without the newer ones that were there.
        """
        for name in reversed(self.names()):
            try:
                yield name, (self.folder / name).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                yield name, error

    def remove(self, names: Iterable[str]) -> None:
        """Forget deliveries, the oldest first. Raises ``OSError``."""
        for name in sorted(names):
            (self.folder / name).unlink(missing_ok=True)
