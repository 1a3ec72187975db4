"""Nested values as JSON text, the same for every store, so that all refuse the same values.

Tuples come back as lists and times as times; an empty value is stored as None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from autoctrl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

_TIME = "$time"


def _simplify(value: object) -> object:
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, Mapping):
        return dict(value)
    message = f"a value of type {type(value).__name__} ({value!r:.80})"
    raise TypeError(message)


_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=_simplify).encode


def encode(value: object) -> str | None:
    """Return JSON of ``value``, None if it is empty.

    Numbers, texts, booleans, None, times, and lists and mappings of them. Raises ``StoreError`` for
    anything else.
    """
    if not value:
        return None
    try:
        return _ENCODE(value)
    except (TypeError, ValueError) as error:
        message = f"A record cannot be stored: it contains {error}."
        hint = "Store numbers, texts, booleans, times, and lists and mappings of them."
        raise StoreError(message, hint=hint) from error


def _restore(pairs: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON holds anything
    return datetime.fromisoformat(pairs[_TIME]) if pairs.keys() == {_TIME} else pairs


# ``raw_decode`` does not look for spaces around the value: ``encode`` writes none.
_DECODE = json.JSONDecoder().raw_decode
_DECODE_TIMES = json.JSONDecoder(object_hook=_restore).raw_decode


def decode_mapping(text: str | None) -> dict[str, Any]:
    """Return the mapping that ``encode`` wrote, empty for None."""
    if not text:
        return {}
    loaded: dict[str, Any] = (_DECODE_TIMES if _TIME in text else _DECODE)(text)[0]
    return loaded


def decode_list(text: str | None) -> list[Any]:
    """Return the list that ``encode`` wrote, empty for None."""
    loaded: list[Any] = _DECODE(text)[0] if text else []
    return loaded


class Encoder:
    """Encodes each object of one batch once: thousands of jobs share one environment.

    It must not outlive the batch: objects are told apart by their identity, and may change later.
    """

    def __init__(self) -> None:
        """Start with nothing encoded."""
        self._known: dict[int, str | None] = {}

    def __call__(self, value: Any, plain: Callable[[Any], object] | None = None) -> str | None:  # noqa: ANN401 - any value of a record
        """Return what ``encode`` returns for ``value``, or for what ``plain`` turns it into."""
        if not value:
            return None
        known = self._known
        text = known.get(id(value))
        if text is None:
            text = known[id(value)] = encode(plain(value) if plain else value)
        return text
