"""A small file that threads and processes share, and that lasts: a few tables of SQLite that only
its user may read.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.files import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_S = 10.0
USED = "What was used already"


def digest_of(secret: str | bytes) -> bytes:
    """Return what a book keeps of a secret: it tells whether another is the same, and no more."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()


@contextmanager
def writing(path: Path, *tables: str, what: str = USED) -> Iterator[sqlite3.Connection]:
    """Give a book to one writer at a time; in the end all is on the disk, or nothing.

    The file, and what the ``tables`` declare in it, are made when they are first needed. Raises
    ``StoreError`` if it cannot be used, which says ``what`` cannot be kept.
    """
    with _open(path, what) as connection:
        # The folder is synchronised as well, so a journal cannot come back after a crash.
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("BEGIN IMMEDIATE")
        for table in tables:
            connection.execute(table)
        yield connection
        connection.execute("COMMIT")


@contextmanager
def reading(path: Path, *, what: str = USED) -> Iterator[sqlite3.Connection | None]:
    """Give a book to a reader; None while nothing was written. Raises ``StoreError``."""
    if not path.exists():
        yield None
        return
    with _open(path, what) as connection:
        is_made = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        yield connection if is_made else None


@contextmanager
def _open(path: Path, what: str) -> Iterator[sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        with closing(connection):
            yield connection
    except (OSError, sqlite3.Error) as error:
        message = f"{what} cannot be kept in {path}: {error}."
        raise StoreError(message, hint="Make room, or repair the folder's rights.") from error
