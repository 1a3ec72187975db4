"""A request as it arrives: its path, its query, its body."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.fakes.discord import answers
from tests.fakes.discord.forms import EDITED, POSTED, Form, read_body, read_snowflake

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.discord.answers import Answer

ROUTE = re.compile(
    r"/api/v10/webhooks/(?P<webhook>\d{17,20})/(?P<token>[\w-]{60,80})"
    r"(?:/messages/(?P<message>\d{17,20}))?",
    re.ASCII,
)
SECRET = re.compile(r"(?<=/webhooks/)([^/\s]*/)[^/?\s]+")
BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


class Refused(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.code)
        self.answer = answer


def redact(text: str) -> str:
    """Return a text without the tokens of the addresses in it."""
    return SECRET.sub(r"\1TOKEN", text)


def refuse_constant(name: str) -> None:
    """Refuse NaN and infinities, which are no JSON."""
    message = f"{name} is no JSON"
    raise ValueError(message)


@dataclass(frozen=True)
class Call:
    """One request.

    headers  by their names in lower case
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @cached_property
    def route(self) -> re.Match[str] | None:
        """Return the parts of the path, None if it is none of this service."""
        return ROUTE.fullmatch(self.path)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def is_awaited(self) -> bool:
        """Whether the client wants to hear of the message that it posts."""
        value = self.parameters.get("wait", "false")
        if value not in BOOLEANS:
            form = Form()
            form.refuse("wait", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
            raise Refused(answers.form_error(form.errors))
        return BOOLEANS[value]

    @property
    def thread_id(self) -> str | None:
        """Return the thread that the message lies in or belongs to."""
        value = self.parameters.get("thread_id")
        form = Form()
        if value is not None:
            read_snowflake(form, "thread_id", value)
        if form.errors:
            raise Refused(answers.form_error(form.errors))
        return value

    def json_or_none(self) -> Any:
        """Return the body, None if it is no JSON."""
        try:
            return json.loads(self.body, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            return None

    def read_form(self, longest: int, accuse: Callable[[str], None]) -> dict[str, Any]:
        """Return what the body says, refuse what it may not say."""
        if len(self.body) > longest:
            raise Refused(answers.error(413, 40005))
        form = Form()
        if self.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            message = "Expected \"Content-Type\" header to be one of {'application/json'}."
            form.refuse("", "CONTENT_TYPE_INVALID", message)
            raise Refused(answers.form_error(form.errors))
        try:
            body = json.loads(self.body, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            raise Refused(answers.error(400, 50109)) from None
        said = read_body(form, body, POSTED if self.method == "POST" else EDITED)
        for fault in form.faults:
            accuse(f"{fault}: {self.method} {self.path}")
        if form.errors:
            raise Refused(answers.form_error(form.errors))
        return said
