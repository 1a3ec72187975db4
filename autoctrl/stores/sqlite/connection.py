"""One process's connection to an SQLite file: threads take turns, a forked child opens it anew."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.stores.sqlite.database import border, connect
from autoctrl.stores.sqlite.reader import has_log, may_write, state_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


class SharedConnection:
    """The connection to the database at ``path``, shared by the threads of a process.

    ``busy_s`` is how long to wait for another process that writes.
    """

    def __init__(self, path: Path, busy_s: float) -> None:
        self.path = path
        self.steps = 0
        self._busy_s = busy_s
        self._is_counting = False
        self._abandoned: list[sqlite3.Connection | None] = []
        self._open()

    def _open(self) -> None:
        self._connect()
        self._lock = RLock()
        self._pid = os.getpid()
        if self._is_counting:
            self.count_steps()

    def _connect(self) -> None:
        self.is_writable = may_write(self.path)
        self._unchanged = None if self.is_writable or has_log(self.path) else state_of(self.path)
        self._connection: sqlite3.Connection | None = connect(self.path, self._busy_s)

    def count_steps(self) -> None:
        """Count the steps of SQLite's virtual machine in ``steps``: about one for each row."""
        self._is_counting = True
        with self.using() as connection:
            connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one thread at a time; SQLite's errors become ``StoreError``."""
        if self._pid != os.getpid():
            # The parent's connection must not even be closed here: closing could drop locks that
            # the parent relies on.
            self._abandoned.append(self._connection)
            self._open()
        with self._lock, border(self.path):
            if self._connection is None:
                message = f"The store {self.path} was closed."
                raise StoreError(message, hint="Open it again.")
            if self._is_outdated(self._connection):
                self._connection.close()
                self._connect()
            yield self._connection
            if self._unchanged is not None and self._unchanged != state_of(self.path):
                self._unchanged = state_of(self.path)
                message = f"The store {self.path} was written while it was read."
                raise StoreError(message, hint="Ask once more.")

    def _is_outdated(self, connection: sqlite3.Connection) -> bool:
        """Say whether somebody has written since a reader has opened the file as one that does not
        change.
        """
        if self._unchanged is None or connection.in_transaction:
            return False
        return has_log(self.path) or state_of(self.path) != self._unchanged

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.using() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection with one unchanging view of the database."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def apart(self) -> Iterator[sqlite3.Connection]:
        """Give a separate connection with one unchanging view, for reading that takes long."""
        with self.using():
            connection = connect(self.path, self._busy_s)
        with closing(connection), border(self.path):
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection as the only writer; in the end all is on the disk, or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def writing_for_this_boot(self) -> Iterator[sqlite3.Connection]:
        """Write, without waiting for the disk, what means nothing once the machine has stopped.

        The next ``writing`` takes it to the disk as well, so nothing durable is ever ahead of it.
        """
        with self.using() as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                with self._transaction("BEGIN IMMEDIATE"):
                    yield connection
            finally:
                connection.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Close the file."""
        if self._pid == os.getpid() and self._connection is not None:
            with self._lock, border(self.path):
                self._connection.close()
        self._connection = None
