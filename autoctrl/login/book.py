"""What is remembered of people and programs: logins that are under way, sessions, tokens.

One book in the state folder; of what a browser or a program shows it holds digests alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.book import reading, writing

if TYPE_CHECKING:
    import sqlite3
    from contextlib import AbstractContextManager
    from pathlib import Path

FILE_NAME = "login.sqlite"
KEPT = "Logins and tokens"
TABLES = (
    """CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, digest BLOB NOT NULL, name TEXT NOT NULL, role INTEGER NOT NULL,
        maker TEXT NOT NULL, made REAL NOT NULL, expires REAL NOT NULL, used REAL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS owners (id TEXT PRIMARY KEY, subject TEXT NOT NULL)
        WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS people (subject TEXT PRIMARY KEY, role INTEGER NOT NULL)
        WITHOUT ROWID""",
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
        self._is_whole = False

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the file to one writer; in the end all is on the disk, or nothing.

        Raises ``StoreError`` if the file cannot be used.
        """
        return writing(self.path, *TABLES, what=KEPT)

    def reading(self) -> AbstractContextManager[sqlite3.Connection | None]:
        """Give the file to a reader; None while there is none. Raises ``StoreError``.

        A file of an earlier time gets the tables that it lacks.
        """
        if not self._is_whole and self.path.exists():
            with self.writing():
                self._is_whole = True
        return reading(self.path, what=KEPT)
