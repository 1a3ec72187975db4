"""An SQLite store that may be read and not written."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.ports import Selection
from autoctrl.stores.sqlite import database, reader
from autoctrl.stores.sqlite.store import SqliteStore
from tests.contract.samples import task

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
READ = f"""
import ctypes, os, sys
from autoctrl.stores.sqlite.store import SqliteStore
from autoctrl.ports import Selection
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
store = SqliteStore(sys.argv[1])
print(store.store_id, len(store.tasks(Selection("prompt"))))
"""


@pytest.fixture
def shown() -> Iterator[Path]:
    """Return a folder into which anybody may look, and nobody else may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def read(path: Path) -> list[str]:
    """Return the id and the number of tasks, as somebody sees them who may only read."""
    words = [sys.executable, "-c", READ, str(path)]
    mode = path.parent.stat().st_mode
    if os.geteuid() != 0:
        path.parent.chmod(0o555)
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    finally:
        path.parent.chmod(mode)
    return done.stdout.split()


def test_who_may_not_write_may_read(shown: Path) -> None:
    """A store is read without the right to write, while somebody has it open and when nobody
    has; nothing is left beside it.
    """
    path = shown / "store.sqlite"
    store = SqliteStore(path)
    store.append([task()])
    assert read(path) == [store.store_id, "1"]
    store.append([task("2")])
    assert read(path) == [store.store_id, "2"]
    store.close()
    assert read(path) == [store.store_id, "2"]
    assert [file.name for file in shown.iterdir()] == ["store.sqlite"]


@pytest.fixture
def path(shown: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a store with one task that nobody has open, and which may not be written."""
    made = shown / "store.sqlite"
    store = SqliteStore(made)
    store.append([task()])
    store.close()
    for module in ("database", "connection"):
        monkeypatch.setattr(f"autoctrl.stores.sqlite.{module}.may_write", lambda _: False)
    return made


def write(path: Path, unit: str, monkeypatch: pytest.MonkeyPatch) -> SqliteStore:
    """Write a task as another user who may."""
    with monkeypatch.context() as patched:
        for module in ("database", "connection"):
            patched.setattr(f"autoctrl.stores.sqlite.{module}.may_write", reader.may_write)
        store = SqliteStore(path)
        store.append([task(unit)])
    return store


def count(store: SqliteStore) -> int:
    """Return how many tasks a store has."""
    return len(store.tasks(Selection("prompt")))


def test_a_reader_sees_what_others_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written after a reader has opened the file is seen, also when the writer has gone."""
    seen = SqliteStore(path)
    assert count(seen) == 1
    write(path, "2", monkeypatch).close()
    assert count(seen) == 2
    writer = write(path, "3", monkeypatch)
    assert count(seen) == 3
    writer.close()
    assert count(seen) == 3


def test_a_reader_does_not_trust_a_file_that_changes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read while somebody wrote is not shown."""
    seen = SqliteStore(path)
    with pytest.raises(StoreError, match="was written while it was read"), seen.connection.using():
        write(path, "2", monkeypatch).close()
    assert count(seen) == 2


def test_a_reader_is_refused_to_write(path: Path) -> None:
    """A reader's verb is refused, with what to do."""
    with pytest.raises(StoreError, match=r"cannot be written.*right to write"):
        SqliteStore(path).append([task("2")])


def test_a_reader_does_not_bring_a_file_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of an earlier version is left to its owner."""
    later = (*database.MIGRATIONS, "later.sql")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with pytest.raises(StoreError, match="written by an earlier autoctrl"):
        SqliteStore(path)


def test_a_copy_is_read_as_what_it_was(path: Path) -> None:
    """Who reads a copy sees the store that was copied."""
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    assert SqliteStore(copy).store_id == SqliteStore(path).store_id
