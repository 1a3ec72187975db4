"""Logs of jobs, shown as text, however large they are and whatever is in them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from autoctrl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 1024 * 1024
STREAMS = ("stdout", "stderr")


def check_stream(stream: str, handle: str) -> None:
    """Raise ``UsageError`` unless jobs have a log of this name."""
    if stream not in STREAMS:
        message = f"There is no log '{stream}' of {handle}."
        raise UsageError(message, hint=f"Known: {', '.join(STREAMS)}.")


def read_log(path: Path, limit: int = LIMIT) -> str:
    r"""Return a log's text, empty if there is none yet.

    Bytes that are not UTF-8 and control characters appear as ``\xff``; of more than ``limit`` bytes
    the middle is left out, with a note. Raises ``OSError`` if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            if size <= limit:
                return make_readable(file.read(limit))
            head = file.read(limit // 4)
            file.seek(size - (limit - limit // 4))
            tail = file.read(limit - limit // 4)
    except FileNotFoundError:
        return ""
    left_out = size - len(head) - len(tail)
    return (
        f"{make_readable(head)}\n[… {left_out} bytes left out here; the whole log is {path} "
        f"…]\n{make_readable(tail)}"
    )


def make_readable(raw: bytes) -> str:
    """Return text that a terminal can show; line ends of any kind become new lines."""
    text = raw.decode(errors="backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    return _control().sub(lambda match: f"\\x{ord(match.group()):02x}", text)


@cache
def _control() -> re.Pattern[str]:
    """Match a character that a terminal does not show; compiling that takes long, so not before."""
    return re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")
