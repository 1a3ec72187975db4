"""The checkout that a deployed project lies in: named after its commit, held by whoever uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from autoctrl.config.deployment import RELEASES

if TYPE_CHECKING:
    from pathlib import Path

SHORT_COMMIT = 12
RELEASE_NAME = re.compile(rf"[0-9a-f]{{{SHORT_COMMIT}}}")


def is_release(folder: Path) -> bool:
    """Say whether a folder is where a release lies, as its name and the one above say."""
    return folder.parent.name == RELEASES and RELEASE_NAME.fullmatch(folder.name) is not None


def release_of(folder: Path) -> Path | None:
    """Return the release that a folder lies in, None if it lies in none; links are not followed."""
    return next((found for found in (folder, *folder.parents) if is_release(found)), None)
