"""An SQLite file that this user may read and not write: its connection, and whether what was read
holds together.

While a writer has the file open its log lies beside it, and readers share memory with the writer.
Without a log SQLite would have to make one. It is told instead that the file does not change, and
whether that was so is checked whenever something was read.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


class FileState(NamedTuple):
    """What changes with whatever is written into the file itself."""

    inode: int
    bytes: int
    changed_ns: int


def may_write(path: Path) -> bool:
    """Say whether this user may write a file, or make it."""
    return not path.exists() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def has_log(path: Path) -> bool:
    """Say whether there is what a writer has not yet put into the file itself, or may be."""
    return path.with_name(f"{path.name}-wal").exists()


def state_of(path: Path) -> FileState:
    """Return the present state of a file. Raises ``OSError``."""
    found = path.stat()
    return FileState(found.st_ino, found.st_size, found.st_mtime_ns)


def open_reader(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open a file for reading alone. Raises ``sqlite3.Error``."""
    how = "mode=ro" if has_log(path) else "immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path))}?{how}",
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
