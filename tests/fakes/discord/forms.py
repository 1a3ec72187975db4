"""What a body may say, and which error names what it may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

Reader = Callable[["Form", str, Any], Any]
SNOWFLAKE_LENGTHS = range(17, 21)
FLAGS = (0, 4, 4096, 4100)
EMPTY: dict[str, Any] = {"content": "", "embeds": [], "flags": 0}
KINDS = ("everyone", "roles", "users")


@dataclass
class Form:
    """What has been found wrong in a body.

    errors  nested as Discord nests them: by key, by index, then ``_errors``
    faults  what Discord would let pass and a client must not do
    """

    errors: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def refuse(self, path: str, code: str, message: str) -> None:
        """Note an error at a path such as ``embeds.0.title``; an empty one means the whole."""
        place = self.errors
        for part in path.split(".") if path else ():
            place = place.setdefault(part, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})


def text_of(longest: int, *, shortest: int = 0, is_wanted: bool = False) -> Reader:
    """Return a reader of a text of so many characters, counted after trimming."""

    def read(form: Form, path: str, value: Any) -> str:
        if not isinstance(value, str):
            form.refuse(path, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
            return ""
        trimmed = value.strip()
        if is_wanted and not trimmed:
            form.refuse(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif shortest and not shortest <= len(trimmed) <= longest:
            message = f"Must be between {shortest} and {longest} in length."
            form.refuse(path, "BASE_TYPE_BAD_LENGTH", message)
        elif len(trimmed) > longest:
            form.refuse(path, "BASE_TYPE_MAX_LENGTH", f"Must be {longest} or fewer in length.")
        return trimmed

    return read


def list_of(read: Reader, longest: int) -> Reader:
    """Return a reader of a list of at most so many."""

    def read_list(form: Form, path: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            form.refuse(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return []
        if len(value) > longest:
            form.refuse(path, "BASE_TYPE_MAX_LENGTH", f"Must be {longest} or fewer in length.")
        return [read(form, f"{path}.{number}", item) for number, item in enumerate(value)]

    return read_list


def object_of(readers: dict[str, Reader], wanted: tuple[str, ...] = ()) -> Reader:
    """Return a reader of an object with these keys; null means that a key is not there."""

    def read_object(form: Form, path: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            message = "Only dictionaries may be used in a ModelType"
            form.refuse(path, "MODEL_TYPE_CONVERT", message)
            return {}
        prefix = f"{path}." if path else ""
        unknown = sorted(value.keys() - readers.keys())
        form.faults += [f"unknown key {prefix}{key}" for key in unknown]
        given = {key: value[key] for key in readers if value.get(key) is not None}
        for key in wanted:
            if key not in given:
                form.refuse(f"{prefix}{key}", "BASE_TYPE_REQUIRED", "This field is required")
        return {key: readers[key](form, f"{prefix}{key}", item) for key, item in given.items()}

    return read_object


def read_boolean(form: Form, path: str, value: Any) -> bool:
    """Accept true and false."""
    if not isinstance(value, bool):
        form.refuse(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return value is True


def read_snowflake(form: Form, path: str, value: Any) -> str:
    """Accept an id, as a text of digits."""
    is_number = isinstance(value, str) and value.isascii() and value.isdecimal()
    if not is_number or len(value) not in SNOWFLAKE_LENGTHS:
        form.refuse(path, "NUMBER_TYPE_COERCE", f"Value {value!r} is not snowflake.")
    return str(value)


def read_url(form: Form, path: str, value: Any) -> str:
    """Accept an address of the web."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
    except ValueError:
        parts = urlsplit("")
    if parts.scheme and parts.scheme not in {"http", "https"}:
        message = f"Scheme \"{parts.scheme}\" is not supported. Scheme must be one of ('http', "
        form.refuse(path, "URL_TYPE_INVALID_SCHEME", message + "'https').")
    elif not parts.scheme or not parts.hostname or any(map(str.isspace, value)):
        form.refuse(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    return str(value)


def read_timestamp(form: Form, path: str, value: Any) -> str:
    """Accept a time in ISO 8601."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        message = f"Could not parse {value}. Should be ISO8601."
        form.refuse(path, "DATE_TIME_TYPE_PARSE", message)
    return str(value)


def read_color(form: Form, path: str, value: Any) -> int:
    """Accept a colour, 0xRRGGBB as a number."""
    if isinstance(value, bool) or not isinstance(value, int):
        form.refuse(path, "NUMBER_TYPE_COERCE", f"Value {value!r} is not int.")
        return 0
    if value < 0:
        message = "int value should be greater than or equal to 0."
        form.refuse(path, "NUMBER_TYPE_MIN", message)
    if value > 0xFFFFFF:
        message = "int value should be less than or equal to 16777215."
        form.refuse(path, "NUMBER_TYPE_MAX", message)
    return value


def read_flags(form: Form, path: str, value: Any) -> int:
    """Accept flags that a webhook may set."""
    if isinstance(value, bool) or value not in FLAGS:
        form.refuse(path, "BASE_TYPE_CHOICES", f"Value must be one of {FLAGS}.")
        return 0
    return int(value)


def read_kind(form: Form, path: str, value: Any) -> str:
    """Accept a kind of mention."""
    if value not in KINDS:
        form.refuse(path, "BASE_TYPE_CHOICES", f"Value must be one of {KINDS}.")
    return str(value)


def read_username(form: Form, path: str, value: Any) -> str:
    """Accept a name that does not look like one of Discord's own."""
    name: str = text_of(80, shortest=1)(form, path, value)
    for word in ("clyde", "discord"):
        if word in name.lower():
            message = f'Username cannot contain "{word}"'
            form.refuse(path, "USERNAME_INVALID_CONTAINS", message)
    return name


ALLOWED = object_of(
    {
        "parse": list_of(read_kind, 3),
        "users": list_of(read_snowflake, 100),
        "roles": list_of(read_snowflake, 100),
    }
)


def read_allowed_mentions(form: Form, path: str, value: Any) -> dict[str, Any]:
    """Accept who may be called: a kind as a whole or some of it by name, never both."""
    allowed: dict[str, Any] = ALLOWED(form, path, value)
    parsed = allowed.get("parse")
    if parsed is None:
        form.faults.append("allowed_mentions without parse")
    for kind in ("users", "roles"):
        names = allowed.get(kind, [])
        if kind in (parsed or ()) and names:
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            form.refuse(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
        if len(set(names)) < len(names):
            message = "The set already contains this value"
            form.refuse(f"{path}.{kind}", "SET_TYPE_ALREADY_CONTAINS_VALUE", message)
    if parsed and not form.errors:
        form.faults.append(f"allowed_mentions calls whoever a text names: parse is {parsed}")
    return allowed


FIELD = object_of(
    {
        "name": text_of(256, is_wanted=True),
        "value": text_of(1024, is_wanted=True),
        "inline": read_boolean,
    },
    wanted=("name", "value"),
)
EMBED = object_of(
    {
        "title": text_of(256),
        "description": text_of(4096),
        "url": read_url,
        "timestamp": read_timestamp,
        "color": read_color,
        "fields": list_of(FIELD, 25),
        "footer": object_of({"text": text_of(2048, is_wanted=True)}, wanted=("text",)),
        "author": object_of({"name": text_of(256, is_wanted=True)}, wanted=("name",)),
    }
)


def size_of(embed: dict[str, Any]) -> int:
    """Return how many characters the texts of an embed have."""
    texts = [embed.get("title", ""), embed.get("description", "")]
    texts += [embed.get("footer", {}).get("text", ""), embed.get("author", {}).get("name", "")]
    for row in embed.get("fields", ()):
        texts += [row.get("name", ""), row.get("value", "")]
    return sum(map(len, texts))


def read_embeds(form: Form, path: str, value: Any) -> list[dict[str, Any]]:
    """Accept embeds that are short enough, each and together."""
    embeds: list[dict[str, Any]] = list_of(EMBED, 10)(form, path, value)
    if sum(map(size_of, embeds)) > 6000:
        message = "Embed size exceeds maximum size of 6000"
        form.refuse(path, "MAX_EMBED_SIZE_EXCEEDED", message)
    return embeds


EDITED: dict[str, Reader] = {
    "content": text_of(2000),
    "embeds": read_embeds,
    "flags": read_flags,
    "allowed_mentions": read_allowed_mentions,
}
POSTED: dict[str, Reader] = {
    **EDITED,
    "username": read_username,
    "avatar_url": read_url,
    "tts": read_boolean,
    "thread_name": text_of(100, shortest=1),
}


def read_body(form: Form, body: Any, readers: dict[str, Reader]) -> dict[str, Any]:
    """Return what a body says, texts trimmed; null in an edit empties what it names."""
    said: dict[str, Any] = object_of(readers)(form, "", body)
    given = body if isinstance(body, dict) else {}
    if given.get("allowed_mentions") is None:
        form.faults.append("allowed_mentions is missing")
    said.update({key: empty for key, empty in EMPTY.items() if key in given and given[key] is None})
    return said
