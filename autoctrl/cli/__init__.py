"""The command ``autoctrl``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 fine, 1 something failed or was refused, 2 usage or
    environment.
    """
    from autoctrl.cli.app import run

    return run(argv)
