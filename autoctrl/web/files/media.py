"""How a file is handed to a browser: as what, by which name, and which part of it; pure."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

UNKNOWN = "application/octet-stream"
PNG, PNG_BEGIN = "image/png", b"\x89PNG\r\n\x1a\n"
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
TEXTS = frozenset({".csv", ".log", ".md", ".toml", ".tsv", ".txt", ".yaml", ".yml"})
HEAD = 4096  # bytes by which a text is told from something else
MOST_SHOWN = 16 * 1024 * 1024  # a larger text is handed over, not shown

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_CUT = re.compile(r"[\xc2-\xf4][\x80-\xbf]{0,3}\Z".encode("latin-1"))


class Media(NamedTuple):
    """As what a file is handed over.

    type      its media type
    is_shown  a browser may show it; else it is to be kept as a file
    """

    type: str
    is_shown: bool


class Span(NamedTuple):
    """A part of a file, from its byte ``begin`` to before ``end``."""

    begin: int
    end: int


def media_of(name: str, head: bytes, size: int) -> Media:
    """Return as what a file is handed over: shown is only a PNG, a JSON or a text, by its name and
    by its first bytes; nothing in which a browser would look for a script.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".png" and head.startswith(PNG_BEGIN):
        return Media(PNG, is_shown=True)
    if ending in TEXTS | {".json"} and size <= MOST_SHOWN and is_text(head):
        return Media(JSON if ending == ".json" else TEXT, is_shown=True)
    return Media(UNKNOWN, is_shown=False)


def is_text(head: bytes) -> bool:
    """Say whether a file that begins so is a text: UTF-8 without NUL."""
    whole = _CUT.sub(b"", head[:HEAD]) if len(head) >= HEAD else head
    try:
        return "\0" not in whole.decode()
    except UnicodeDecodeError:
        return False


def disposition(name: str, *, is_shown: bool) -> str:
    """Return the header that says whether a file is shown and by which name it is kept (RFC 6266),
    once for old browsers and once in full.
    """
    kind = "inline" if is_shown else "attachment"
    plain = _UNSAFE.sub("_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def read_range(header: str, size: int) -> Span | None:
    """Return the part of a file of ``size`` bytes that a ``Range`` header asks for.

    None for the whole: without a header, and for what need not be understood, such as several
    parts. A part that lies behind the end is empty: then there is nothing to answer with.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    first, last = match.groups() if match else ("", "")
    if not first and not last:
        return None
    if not first:  # the last bytes
        return Span(max(0, size - int(last)), size)
    begin, end = int(first), min(int(last or size) + 1, size)
    if last and int(last) < begin:
        return None
    return Span(min(begin, size), max(end, min(begin, size)))
