"""Values as a source finds them, turned into the declared types of run attributes."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError
from autoctrl.model.run import parse_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.run import Value


def typed_value(name: str, value: object, types: Mapping[str, str]) -> Value | None:
    """Return a declared attribute's value in its type, None if it is blank or no number: not yet
    known.

    Text is parsed; a number may stand for a time (seconds since 1970) and for a text. Raises
    ``UsageError`` if the value is not of the type.
    """
    kind = types[name]
    if isinstance(value, str):
        found = parse_attribute(name, value.strip(), types) if value.strip() else None
    elif value is None or isinstance(value, bool) or not isinstance(value, int | float):
        found = (
            value if isinstance(value, bool) and kind == "bool" else _as_text(name, value, types)
        )
    else:
        found = _from_number(name, value, types)
    return None if isinstance(found, float) and math.isnan(found) else found


def _from_number(name: str, value: float, types: Mapping[str, str]) -> Value | None:
    kind = types[name]
    if kind == "float":
        return float(value)
    if kind == "int" and (isinstance(value, int) or value.is_integer()):
        return int(value)
    if kind == "time" and math.isfinite(value):
        return datetime.fromtimestamp(value, UTC)
    return _as_text(name, value, types)


def _as_text(name: str, value: object, types: Mapping[str, str]) -> Value | None:
    if isinstance(value, dict | list):
        message = f"Run attribute '{name}' is declared as {types[name]}, which {value} is not."
        raise UsageError(message)
    return None if value is None else parse_attribute(name, str(value), types)
