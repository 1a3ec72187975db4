"""Where records are kept: ``open_store`` opens the store that a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import StoreAdapter, find_store, list_words
from autoctrl.errors import StoreError, UsageError, nearest
from autoctrl.stores.urls import refused_url

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from autoctrl.config import Settings
    from autoctrl.ports import Clock, Store, Tables


def open_store(url: str, *, clock: Clock | None = None) -> Store:
    """Open the store that ``url`` names, making it if it does not exist yet.

    ``sqlite:PATH`` is a file on a local disk. ``memory:`` is a new store that ends with the
    process, ``memory:NAME`` the same one for all in this process that open it.
    ``influxdb://HOST:PORT/ORG/BUCKET`` is a bucket of a server, for several machines; other
    schemes may be installed. ``clock`` gives the time that people read on a lease; leases are
    judged by the store's own clock. Raises ``SettingsError`` for another URL, ``StoreError`` if it
    cannot be opened.
    """
    store: Store = _adapter(url).open(url, clock)
    return store


def open_project_store(settings: Settings) -> Store:
    """Open the store of a project, making it, and a folder for it, if they do not exist yet."""
    return _open_complete(settings, settings.store.url)


def open_lasting_store(settings: Settings, url: str, *, must_exist: bool) -> Store:
    """Open another store, its URL written as in the settings of the project.

    Raises ``UsageError`` for one that ends with the process, ``StoreError`` if it ``must_exist``
    and does not: it is not made then.
    """
    if not _adapter(url).is_lasting:
        message = f"'{url}' ends with this command."
        raise UsageError(message, hint="Name a store that lasts, as in: sqlite:new.sqlite.")
    return _open_complete(settings, url, must_exist=must_exist)


def open_project_tables(settings: Settings) -> AbstractContextManager[Tables]:
    """Open the tables for people in the store of a project.

    Raises ``UsageError`` if it is no InfluxDB.
    """
    url = settings.store.url
    if url.partition(":")[0] not in {"influxdb", "influxdbs"}:
        message = f"The store '{url.partition('?')[0]}' is no InfluxDB, and Grafana cannot read it."
        raise UsageError(message, hint="See docs/howto/connect-influxdb.md.")
    from autoctrl.stores.influx.tables import open_tables

    return open_tables(_adapter(url).complete(url, settings.folder, settings.store.token_file))


def _open_complete(settings: Settings, url: str, *, must_exist: bool = False) -> Store:
    adapter = _adapter(url)
    complete = adapter.complete(url, settings.folder, settings.store.token_file)
    if not must_exist:
        adapter.prepare(complete)
    elif not adapter.exists(complete):
        message = f"There is no store {complete.partition(':')[2]}."
        raise StoreError(message, hint="A relative path counts from the project's folder.")
    store: Store = adapter.open(complete, None)
    return store


def _adapter(url: str) -> StoreAdapter:
    scheme, colon, _ = url.partition(":")
    adapter = find_store(scheme)
    if adapter is not None and colon:
        return adapter
    if adapter is not None:
        raise refused_url(url, "names no file")
    hint = nearest(scheme, list_words("stores"))
    raise refused_url(url, f"has an unknown scheme '{scheme}'", hint)


__all__ = ["open_lasting_store", "open_project_store", "open_project_tables", "open_store"]
