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
    ``UsageError`` if the value is not of the type, or infinite.
    """
    kind = types[name]
    if _is_unknown(value, kind):
        return None
    if isinstance(value, str):
        return parse_attribute(name, value.strip(), types)
    if isinstance(value, bool) and kind == "bool":
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(name, value, types)
    return _as_text(name, value, types)


def _is_unknown(value: object, kind: str) -> bool:
    """Say whether a table has left a value open: nothing, blanks, or no number."""
    if isinstance(value, str):
        text = value.strip()
        return not text or (kind == "float" and text.lower().lstrip("+-") == "nan")
    return value is None or (isinstance(value, float) and math.isnan(value))


def _from_number(name: str, value: float, types: Mapping[str, str]) -> Value | None:
    kind = types[name]
    if kind == "float" and math.isfinite(value):
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
    return parse_attribute(name, str(value), types)
