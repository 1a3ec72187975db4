"""Leases as points, pure.

A claim or renewal stands at a committed position, a release one ns after the point that it ends.
"""

from __future__ import annotations

import json

from autoctrl.stores.influx.journal import LEASE
from autoctrl.stores.influx.points import NS_PER_US, field_text, line
from autoctrl.stores.leases import Held, Ticks
from autoctrl.stores.rows import micros, moment

SERVER = "server"


def judged_at(now_ns: int) -> Ticks:
    """Return the moment by the server's clock, by which leases are judged."""
    return Ticks(SERVER, now_ns // NS_PER_US)


def word(held: Held) -> str:
    """Return the text of a lease."""
    return json.dumps([*held[:5], micros(held.expires)])


def read_word(text: str) -> Held:
    """Return the lease of a text."""
    *fields, expires = json.loads(text)
    return Held._make((*fields, moment(expires)))


def change_line(name: str, held: Held, position: int) -> str:
    """Return the point of a lease that was claimed or renewed at a position of its turn."""
    return line(LEASE, {"name": name}, _fields(held), position * NS_PER_US)


def released_line(name: str, held: Held, time_ns: int) -> str:
    """Return the point that ends the lease of the point at ``time_ns``.

    It stands right behind that one, so it never hides a later point.
    """
    return line(LEASE, {"name": name}, _fields(held), time_ns // NS_PER_US * NS_PER_US + 1)


def _fields(held: Held) -> list[tuple[str, str]]:
    return [
        ("word", field_text(word(held))),
        ("owner", field_text(held.owner)),
        ("epoch", f"{held.epoch}i"),
        ("expires", field_text(held.expires.isoformat())),
    ]
