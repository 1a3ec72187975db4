"""Which calls were started: it tells an interrupted call from one that never had its turn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from autoctrl.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class StartedCalls:
    """A file for each workflow with a line for each call, written before the call is made.

    It need not survive a crash of the machine: a call that is forgotten is made again without
    counting.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the files below ``folder``."""
        self.folder = folder

    def path(self, tag: str) -> Path:
        """Return the file of the workflow that a tag belongs to."""
        store, campaign, workflow = tag.split("/")[:3]
        return self.folder / store / campaign / f"{workflow}.begun"

    def known(self, tag: str) -> set[str]:
        """Return the tags of this tag's workflow whose calls were started."""
        try:
            return set(self.path(tag).read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return set()

    def keep_only(self, tag: str, tags: Collection[str]) -> None:
        """Forget all calls of this tag's workflow but those of ``tags``."""
        path = self.path(tag)
        kept = sorted(self.known(tag).intersection(tags))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, "".join(f"{line}\n" for line in kept).encode())

    def open(self, tag: str) -> int:
        """Return a descriptor to which calls of this tag's workflow are appended, a line each."""
        return os.open(self.path(tag), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
