"""Which deployed release makes the cycles of a campaign, written down when that changes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from autoctrl.config.release import release_of
from autoctrl.errors import Conflict
from autoctrl.model.names import RELEASE
from autoctrl.model.output import MarkRecord
from autoctrl.model.succession import following

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from autoctrl.ports import Store


def note_release(store: Store, campaign: str, folder: Path, now: datetime) -> None:
    """Write down that the release in which a project lies makes cycles, unless it did before.

    A project that nobody has deployed lies in none. Raises ``StoreError``.
    """
    release = release_of(folder)
    if release is None:
        return
    before = next(iter(store.marks(RELEASE, campaign)), None)
    if before is None or before.values.get("commit") != release.name:
        mark = MarkRecord(RELEASE, campaign, "", {"commit": release.name}, now)
        with suppress(Conflict):  # another process does the same now
            store.append([following(before, mark)])
