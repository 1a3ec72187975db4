"""Records as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any


def spell_time(moment: datetime) -> str:
    """Write a time as ``2026-11-20T18:04:05.123456Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_plain(value: Any) -> Any:  # noqa: ANN401 - a record's fields are of every type
    """Return a record, or any value inside one, as objects, lists, texts, numbers and None.

    A number that is not finite is None: JSON has none, and one would make the whole unreadable.
    """
    if isinstance(value, datetime):
        return spell_time(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | tuple | list | AbstractSet):
        return _container_to_plain(value)
    return value


def _container_to_plain(value: Any) -> Any:  # noqa: ANN401 - see above
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: to_plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, AbstractSet):
        return [to_plain(item) for item in sorted(value)]
    return [to_plain(item) for item in value]
