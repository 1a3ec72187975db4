"""Leases as points, pure: each claim or renewal at a committed position, a release one ns after
what it ends.
"""

from __future__ import annotations

import json

from autoctrl.stores.influx.points import field_text, line
from autoctrl.stores.leases import Held, Ticks
from autoctrl.stores.rows import micros, moment

SERVER = "server"


def judged_at(now_ns: int) -> Ticks:
    """Return the moment by the server's clock, by which leases are judged."""
    return Ticks(SERVER, now_ns // 1000)


def word(held: Held) -> str:
    """Return the text of a lease."""
    return json.dumps([*held[:5], micros(held.expires)])


def held_in(text: str) -> Held:
    """Return the lease of a text."""
    said = json.loads(text)
    return Held._make((*said[:5], moment(said[5])))


def change_line(name: str, held: Held, position: int) -> str:
    """Return the point of a lease that was claimed or renewed at a position of the claimant's
    turn.
    """
    return line("lease", {"name": name}, _fields(held), position * 1000)


def released_line(name: str, held: Held, time_ns: int) -> str:
    """Return the point that ends the lease of the point at ``time_ns``: right after it, so that no
    later one is hit.
    """
    return line("lease", {"name": name}, _fields(held), time_ns // 1000 * 1000 + 1)


def _fields(held: Held) -> list[tuple[str, str]]:
    return [
        ("word", field_text(word(held))), ("owner", field_text(held.owner)), ("epoch", f"{held.epoch}i"),
        ("expires", field_text(held.expires.isoformat())),
    ]  # fmt: skip
