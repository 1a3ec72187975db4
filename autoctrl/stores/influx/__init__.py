"""The store for several machines: one bucket of an InfluxDB 2.7, or one database of a 1.8.

``influxdb://HOST:PORT/ORG/BUCKET``, with TLS ``influxdbs://…``.

``points``, ``lease_points`` and ``flux`` say what is written and asked, ``turns`` whose turn it is,
``batch`` what a batch becomes: all pure. ``server`` is the edge, ``view`` reads what counts, and
``mutex`` gives turns. ``journal`` asks, ``cache``, ``follower`` and ``snapshot`` remember,
``lease_book`` keeps the leases, ``append`` writes a batch, and ``store`` is the port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.config import StoreAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.ports import Clock, Store


def open_influx(url: str, clock: Clock | None) -> Store:
    """Open the bucket. Raises ``SettingsError`` for a URL that does not name one."""
    from autoctrl.stores.influx.address import parse_address
    from autoctrl.stores.influx.store import InfluxStore

    del clock
    return InfluxStore(parse_address(url))


def complete(url: str, folder: Path, token_file: str) -> str:
    """Return the URL with the path of the token's file, its own or ``token_file``."""
    from autoctrl.stores.influx.address import with_token_file

    return with_token_file(url, folder, token_file)


ADAPTER = StoreAdapter(open_influx, complete=complete)
