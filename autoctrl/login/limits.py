"""How often people and programs may ask what costs the provider or the disk something."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.hooks.rate import Rate, RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta


class Toll(NamedTuple):
    """What one address may ask, and all of them together."""

    of_one: Rate
    of_all: Rate


# Logins that have begun are kept for ten minutes: this many can never push out another.
LOGINS = Toll(Rate(per_s=1.0, burst=120), Rate(per_s=10.0, burst=300))
TOKENS = Toll(Rate(per_s=2.0, burst=60), Rate(per_s=20.0, burst=300))


class Gatekeeper:
    """Counts what is asked; threads may share it."""

    def __init__(self, toll: Toll) -> None:
        """Count from nothing."""
        self._one, self._all = RateLimit(toll.of_one), RateLimit(toll.of_all)
        self._lock = Lock()

    def take(self, address: str, now: datetime) -> float:
        """Count one question; return 0, or after how many seconds there may be one again."""
        now_s, who = now.timestamp(), neighbourhood(address)
        with self._lock:
            return self._one.take(who, now_s) or self._all.take("", now_s)


def neighbourhood(address: str) -> str:
    """Return what one machine can have of addresses: of those of version 6 a whole network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    mapped = found.ipv4_mapped
    return str(mapped or ipaddress.ip_network((found, 64), strict=False))


class Turns:
    """A few may do something at once, a few more wait for that; who finds no room is told so."""

    def __init__(self, most: int, waiting: int = 0, patience_s: float = 5.0) -> None:
        """Let ``most`` do it at once, and others wait for ``patience_s`` at most."""
        self._free = BoundedSemaphore(most)
        self._room = BoundedSemaphore(most + waiting)
        self._patience_s = patience_s

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Take a turn; gives False if there was none."""
        is_in = self._room.acquire(blocking=False)
        is_ours = is_in and self._free.acquire(timeout=self._patience_s)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._free.release()
            if is_in:
                self._room.release()


class Refused:
    """Remembers for a while what was refused, so that it is not judged again; threads may share
    it.
    """

    def __init__(self, lasts: timedelta, most: int) -> None:
        """Remember ``most`` at once, the newest."""
        self._lasts, self._most = lasts, most
        self._until: OrderedDict[bytes, datetime] = OrderedDict()
        self._lock = Lock()

    def holds(self, digest: bytes, now: datetime) -> bool:
        """Say whether this was refused a moment ago."""
        with self._lock:
            until = self._until.get(digest)
        return until is not None and now < until

    def add(self, digest: bytes, now: datetime) -> None:
        """Remember what is refused."""
        with self._lock:
            self._until[digest] = now + self._lasts
            while len(self._until) > self._most:
                self._until.popitem(last=False)
