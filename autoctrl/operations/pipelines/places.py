"""Where a project has its Jenkinsfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Jenkinsfile"
PLACES = (NAME, f".ci/{NAME}", f"workflows/*/{NAME}")


def find_jenkinsfiles(project: Path) -> list[Path]:
    """Return the Jenkinsfiles of a project: at its root, in ``.ci``, beside each handler.

    Raises ``UsageError`` if it has none.
    """
    found = sorted(path for place in PLACES for path in project.glob(place) if path.is_file())
    if not found:
        message = f"There is no Jenkinsfile in {project}, neither at the root nor in a workflow."
        raise UsageError(message, hint="autoctrl new-workflow makes one beside the handler.")
    return found
