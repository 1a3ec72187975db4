"""The SQLite file itself: opened, checked, migrated; SQLite's errors in our words."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.errors import StoreError
from autoctrl.stores.sqlite.mounts import refuse_network
from autoctrl.stores.sqlite.reader import may_write, open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_ID = 0x6175_7463  # "autc"
MIGRATIONS = ("schema_1.sql", "schema_2.sql", "schema_3.sql", "schema_4.sql")
PRIMARY_CODE = 0xFF
RETRY_S = 0.01

_WHY = {
    sqlite3.SQLITE_BUSY: (
        "is locked by another process",
        "Try again; if it stays locked, look for a process that hangs.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "is locked by another process",
        "Try again; if it stays locked, look for a process that hangs.",
    ),
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk or the quota is full",
        "Make room on that disk, then go on.",
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written: the disk or the file is read-only",
        "Give this user the right to write the file and its folder.",
    ),
    sqlite3.SQLITE_PERM: (
        "may not be read by this user",
        "Give this user the right to read and write it.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened or created",
        "Check that it is a file, and that this user may write to it and to its folder.",
    ),
    sqlite3.SQLITE_CONSTRAINT: ("refused a record", "This is a defect: report it with this text."),
    sqlite3.SQLITE_NOTADB: (
        "is not an SQLite database; the file was left as it is",
        "Give another path, or restore a copy.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged; nothing was changed",
        (
            "Keep a copy, remove FILE-wal and write a backup into it (cat BACKUP > FILE), or "
            "try sqlite3 FILE .recover"
        ),
    ),
}


def _explain(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
    if code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and _is_full(path):
        code = sqlite3.SQLITE_FULL
    if (
        code == sqlite3.SQLITE_CANTOPEN
        and path.parent.is_dir()
        and not os.access(path.parent, os.W_OK)
    ):
        code = sqlite3.SQLITE_READONLY
    why, hint = _WHY.get(code, ("cannot be used", "Look at the disk it lies on."))
    return StoreError(f"The store {path} {why} ({error}).", hint=hint)


def _is_full(path: Path) -> bool:
    try:
        room = os.statvfs(path.parent)
    except OSError:
        return False
    return room.f_bavail == 0 or (room.f_files > 0 and room.f_favail == 0)


@contextmanager
def border(path: Path) -> Iterator[None]:
    """Raise ``StoreError`` in place of SQLite's errors, and for values that SQLite cannot hold."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error
    except (OverflowError, UnicodeEncodeError) as error:
        message = f"The store {path} cannot hold a value: {error}."
        raise StoreError(
            message, hint="Whole numbers may have at most 64 bits, and texts must be valid Unicode."
        ) from error


def connect(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open the database; it is made or migrated if needed.

    ``busy_s`` is how long to wait for another process. Raises ``StoreError`` if the file was
    written by a newer version or another program, is damaged, locked or not writable, or lies on a
    network file system; it is left as it was. A file that this user may not write is opened for
    reading alone.
    """
    refuse_network(path)
    if not path.parent.is_dir():
        message = f"The store {path} cannot be created: there is no folder {path.parent}."
        raise StoreError(message, hint="Create the folder, or give another path in [store] url.")
    is_ours = may_write(path)
    with border(path):
        if is_ours:
            connection = sqlite3.connect(
                path, timeout=busy_s, isolation_level=None, check_same_thread=False
            )
        else:
            connection = open_reader(path, busy_s)
    try:
        with border(path):
            (_prepare if is_ours else _check_for_reading)(connection, path, busy_s)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, busy_s: float) -> None:
    version = _version_at_once(connection, path)
    if _pragma(connection, "journal_mode") != "wal":
        _switch_to_wal(connection, path, busy_s)
    if version < len(MIGRATIONS):
        _migrate(connection, path)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -8192")


def _check_for_reading(connection: sqlite3.Connection, path: Path, busy_s: float) -> None:
    """Raise ``StoreError`` if the file is not as this version writes it."""
    del busy_s
    version = _version_at_once(connection, path)
    if version < len(MIGRATIONS):
        message = f"The store {path} was written by an earlier autoctrl, and you may not change it."
        hint = "Whoever owns it brings it up to date by any verb, such as autoctrl status."
        raise StoreError(message, hint=hint)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _version_at_once(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version from one state of the file: another process may be making it now."""
    connection.execute("BEGIN")
    try:
        return _checked_version(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(str(_pragma(connection, "user_version")))
    is_ours = _pragma(connection, "application_id") == APPLICATION_ID
    if not is_ours and (
        version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    ):
        message = f"The file {path} is a database of another program; it was left as it is."
        raise StoreError(message, hint="Give another path in [store] url.")
    if version > len(MIGRATIONS):
        message = (
            f"The store {path} was written by a newer autoctrl: its schema is version {version}, "
            f"this one knows up to {len(MIGRATIONS)}. It was left as it is."
        )
        raise StoreError(
            message, hint="Upgrade autoctrl, or restore a copy made before the upgrade."
        )
    return version


def _switch_to_wal(connection: sqlite3.Connection, path: Path, busy_s: float) -> None:
    # SQLite does not wait where waiting could be a deadlock, so several first openers wait here.
    deadline = time.monotonic() + busy_s
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if (
                error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY
                or time.monotonic() > deadline
            ):
                raise
            time.sleep(RETRY_S)
            continue
        if mode != "wal":
            message = (
                f"The store {path} lies on a file system that cannot share memory between "
                "processes."
            )
            raise StoreError(message, hint="Put it on a local disk.")
        return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name in MIGRATIONS[_checked_version(connection, path) :]:
            for statement in migration(name):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def migration(name: str) -> Iterator[str]:
    """Yield the statements of one of ``MIGRATIONS``.

    SQLite would end the transaction if it got them as one script.
    """
    script = Path(__file__).with_name(name).read_text(encoding="utf-8")
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""
