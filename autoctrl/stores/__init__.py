"""Where records are kept: ``open_store`` makes the store that a URL names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Clock, Hint, Store

SCHEMES = ("memory", "sqlite", "influxdb", "influxdbs")


def open_store(url: str, *, clock: Clock | None = None) -> Store:
    """Open the store that ``url`` names, making it if it does not exist yet.

    ``sqlite:PATH`` is a file on a local disk. ``memory:`` is a new store that ends with the
    process, ``memory:NAME`` the same one for all in this process that open it.
    ``influxdb://HOST:PORT/ORG/BUCKET`` is a bucket of a server, for several machines. ``clock``
    gives the time that people read on a lease; leases are judged by the store's own clock. Raises
    ``SettingsError`` for another URL, ``StoreError`` if it cannot be opened.
    """
    scheme, colon, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from autoctrl.stores.sqlite.store import SqliteStore

        return SqliteStore(rest, clock=clock)
    if scheme == "memory" and colon:
        from autoctrl.stores.memory import MemoryStore

        return MemoryStore(rest, clock=clock)
    if scheme in {"influxdb", "influxdbs"}:
        from autoctrl.stores.influx.address import parse_address
        from autoctrl.stores.influx.store import InfluxStore

        return InfluxStore(parse_address(url))
    raise _refused(url, scheme)


def read_hints(url: str, store_id: str, task: TaskKey) -> list[Hint]:
    """Return the newest hint of every attempt of a task of the store ``store_id`` from the bucket
    that ``url`` names.

    Raises ``SettingsError`` for another URL, ``StoreError`` if the bucket cannot be read.
    """
    from autoctrl.stores.influx.hints import read_hints as read

    return read(url, store_id, task)


def ping_hints(url: str) -> str:
    """Return one line about the bucket for hints; raises as ``read_hints`` if jobs could not write
    it.
    """
    from autoctrl.stores.influx.hints import ping_hints as ping

    return ping(url)


def _refused(url: str, scheme: str) -> SettingsError:
    why = "names no file" if scheme in SCHEMES else f"has an unknown scheme '{scheme}'"
    hint = "" if scheme in SCHEMES else f"{nearest(scheme, SCHEMES)} "
    message = f"The store '{url.partition('?')[0]}' {why}."
    return SettingsError(message, hint=f"{hint}Write it as in: [store] url = 'sqlite:autoctrl.db'.")


__all__ = ["open_store", "ping_hints", "read_hints"]
