"""The store of one machine, an SQLite file: ``sqlite:PATH``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config import StoreAdapter
from autoctrl.stores.urls import refused_url

if TYPE_CHECKING:
    from autoctrl.ports import Clock, Store


def open_sqlite(url: str, clock: Clock | None) -> Store:
    """Open the file, making it if its folder exists. Raises ``SettingsError`` without a path."""
    from autoctrl.stores.sqlite.store import SqliteStore

    path = _path_of(url)
    if not path:
        raise refused_url(url, "names no file")
    return SqliteStore(path, clock=clock)


def complete(url: str, folder: Path, token_file: str) -> str:
    """Return the URL with a relative path counted from ``folder``."""
    del token_file
    path = _path_of(url)
    return f"sqlite:{folder / Path(path).expanduser()}" if path else url


def exists(url: str) -> bool:
    """Say whether the file is there and has been written; a URL without one is refused later."""
    path = _path_of(url)
    return not path or (Path(path).is_file() and Path(path).stat().st_size > 0)


def make_folder(url: str) -> None:
    """Make the folder of the file."""
    Path(_path_of(url)).parent.mkdir(parents=True, exist_ok=True)


def _path_of(url: str) -> str:
    return url.partition(":")[2]


ADAPTER = StoreAdapter(open_sqlite, complete=complete, prepare=make_folder, exists=exists)
