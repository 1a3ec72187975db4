"""What is remembered of people and programs: logins that are under way, sessions, tokens.

One file in the state folder that threads and processes share, and that only its user may read. Of
what a browser or a program shows it holds digests alone.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "login.sqlite"
BUSY_S = 10.0
TABLES = (
    """CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL, role INTEGER NOT NULL,
        maker TEXT NOT NULL, made REAL NOT NULL, expires REAL NOT NULL, used REAL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS flows (
        digest BLOB PRIMARY KEY, browser BLOB NOT NULL, nonce TEXT NOT NULL, verifier TEXT NOT NULL,
        target TEXT NOT NULL, expires REAL NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS sessions (
        digest BLOB PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, sid TEXT NOT NULL,
        name TEXT NOT NULL, role INTEGER NOT NULL, made REAL NOT NULL, used REAL NOT NULL,
        checked REAL NOT NULL, tried REAL NOT NULL, id_token TEXT NOT NULL,
        access_token TEXT NOT NULL, refresh_token TEXT NOT NULL
    ) WITHOUT ROWID""",
)


class Book:
    """The file, one transaction at a time."""

    def __init__(self, path: Path) -> None:
        """Use the file ``path``, which is made when it is first written to."""
        self.path = path

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the file to one writer; in the end all is on the disk, or nothing.

        Raises ``StoreError`` if the file cannot be used.
        """
        with self._open() as connection:
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                connection.execute(table)
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Give the file to a reader; None while there is none. Raises ``StoreError``."""
        if not self.path.exists():
            yield None
            return
        with self._open() as connection:
            is_made = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            yield connection if is_made else None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            with closing(connection):
                yield connection
        except (OSError, sqlite3.Error) as error:
            message = f"Logins and tokens cannot be kept in {self.path}: {error}."
            raise StoreError(message, hint="Make room, or repair the folder's rights.") from error
