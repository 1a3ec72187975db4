"""Secrets in files: a line each, of which a second one is good meanwhile when they are changed."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

MOST_LINES = 2
LARGEST_BYTES = 4096


def read_secret_lines(path: Path, setting: str, *, shortest: int = 1) -> tuple[str, ...]:
    """Return the one or two secrets in the file that ``setting``, such as ``[hooks] secret_file``,
    names; each has at least ``shortest`` characters.

    Raises ``SettingsError``, which never holds what stands in the file: if it cannot be read, if
    others may read it, and if it holds something else.
    """
    why, hint = "", "Name a file that this user may read."
    lines: list[str] = []
    try:
        with path.open("rb") as file:
            is_shared = bool(path.stat().st_mode & stat.S_IROTH)
            lines = file.read(LARGEST_BYTES).decode("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it does not hold plain letters and digits"
    else:
        if is_shared:
            why, hint = "everybody may read it", f"Say: chmod 600 {path}"
        elif not 0 < len(lines) <= MOST_LINES:
            why, hint = f"it holds {len(lines)} words", "Write one secret, or two on a line each."
        elif any(len(line) < shortest for line in lines):
            why = f"a secret in it has fewer than {shortest} characters"
            hint = "Make one with: python3 -c 'import secrets; print(secrets.token_hex(32))'"
    if why:
        message = f"{setting} = '{path}' cannot be used: {why}."
        raise SettingsError(message, hint=hint)
    return tuple(lines)
