"""What a service sends, and what it is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class Request(NamedTuple):
    """One request, read whole.

    path      below which it arrived, without a query
    headers   by name in small letters
    received  when it arrived
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received: datetime


class Answer(NamedTuple):
    """What the service is answered."""

    status: int = 200
    body: bytes = b""
    content_type: str = TEXT


Hook = Callable[[Request], Answer]


def answer_json(value: object, status: int = 200) -> Answer:
    """Return an answer whose body is this value as JSON."""
    return Answer(status, json.dumps(value).encode(), JSON)
