"""What a delivery says: one run or several, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from autoctrl.errors import UsageError, nearest
from autoctrl.model.unit import NO_RUN
from autoctrl.ports import Seen
from autoctrl.sources.values import typed_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.model.run import Value

KEYS = ("run", "attributes", "is_closed")
MOST_INTEGER = 2**63
LONGEST_TEXT = 4096
HINT = 'Send {"run": 4521, "attributes": {"kind": "physics"}}, or a list of such objects.'


def read_delivery(body: bytes, types: Mapping[str, str]) -> list[Seen]:
    """Return the runs that a delivery tells of, in its order; ``{}`` and ``[]`` tell of none.

    Attributes that are not declared are left out. Raises ``UsageError`` if something else is wrong.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = "The delivery is not JSON."
        raise UsageError(message, hint=HINT) from error
    if content == {}:
        return []
    items = content if isinstance(content, list) else [content]
    return [_read_run(item, types) for item in items]


def _read_run(item: Any, types: Mapping[str, str]) -> Seen:  # noqa: ANN401 - what JSON holds
    if not isinstance(item, dict):
        message = "The delivery is neither an object nor a list of objects."
        raise UsageError(message, hint=HINT)
    for key in item:
        if key not in KEYS:
            message = f"The key '{key[:40]}' is not known. {nearest(key[:40], KEYS)}"
            raise UsageError(message, hint=HINT)
    number = item.get("run")
    if type(number) is not int or not 0 <= number < NO_RUN:
        message = "The delivery has a run without its number."
        raise UsageError(message, hint=HINT)
    is_closed, given = item.get("is_closed", True), item.get("attributes", {})
    if not isinstance(is_closed, bool) or not isinstance(given, dict):
        message = f"Run {number}: is_closed must be true or false, attributes an object."
        raise UsageError(message, hint=HINT)
    return Seen(number, _attributes(number, given, types), is_closed)


def _attributes(
    number: int, given: Mapping[str, object], types: Mapping[str, str]
) -> dict[str, Value]:
    attributes = {}
    for name in types:
        try:
            value = typed_value(name, given.get(name), types)
        except UsageError as error:
            message = f"Run {number}: {error}"
            raise UsageError(message) from error
        except (ValueError, OverflowError, OSError) as error:  # a time that no clock shows
            raise _beyond(number, name) from error
        if value is not None and not _fits(value):
            raise _beyond(number, name)
        if value is not None:
            attributes[name] = value
    return attributes


def _fits(value: Value) -> bool:
    """Say whether every store can keep a value: otherwise the run could never be written."""
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT and value.isprintable()
    return not isinstance(value, int) or abs(value) < MOST_INTEGER


def _beyond(number: int, name: str) -> UsageError:
    message = f"Run {number}: the value of '{name}' cannot be kept."
    return UsageError(message, hint="It is too large, or has characters that do not print.")
