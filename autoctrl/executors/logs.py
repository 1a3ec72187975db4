"""Logs of jobs, shown as text, however large they are and whatever is in them.

A job may put anything in the place of its log. So only plain files are read, and only a part of
them; the names of several files mean that one follows the other.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import ServiceDown, UsageError
from autoctrl.files import open_plain
from autoctrl.ports import LogPiece, LogWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LIMIT = 1024 * 1024
COUNTED = 8 * 1024 * 1024
LONGEST_CHARACTER = 4  # bytes, in UTF-8
STREAMS = ("stdout", "stderr")


class LogBytes(NamedTuple):
    """A log as it is now: its size, and how bytes of it are read, by begin and end."""

    size: int
    read: Callable[[int, int], bytes]


def check_stream(stream: str, handle: str) -> None:
    """Raise ``UsageError`` unless jobs have a log of this name."""
    if stream not in STREAMS:
        message = f"There is no log '{stream}' of {handle}."
        raise UsageError(message, hint=f"Known: {', '.join(STREAMS)}.")


@contextmanager
def reading_log(handle: str) -> Iterator[None]:
    """Let an ``OSError`` say that the log of an attempt cannot be read, as ``ServiceDown``."""
    try:
        yield
    except OSError as error:
        message = f"The log of {handle} cannot be read: {error.strerror}."
        raise ServiceDown(message) from error


def read_log(root: Path, *paths: Path, limit: int = LIMIT) -> str:
    r"""Return a log's text, empty if there is none yet; its files lie beneath ``root``.

    Bytes that are not UTF-8 and control characters appear as ``\xff``; of more than ``limit`` bytes
    the middle is left out, with a note. Raises ``OSError`` if a file cannot be read or is no plain
    file.
    """
    with _opened(root, paths) as log:
        if log.size <= limit:
            return make_readable(log.read(0, log.size))
        head = log.read(0, limit // 4)
        tail = log.read(log.size - (limit - limit // 4), log.size)
    left_out = log.size - len(head) - len(tail)
    return (
        f"{make_readable(head)}\n[… {left_out} bytes left out here; the whole log is {paths[0]} "
        f"…]\n{make_readable(tail)}"
    )


def read_piece(root: Path, *paths: Path, window: LogWindow) -> LogPiece:
    """Return a part of a log whose files lie beneath ``root``. Raises as ``read_log``."""
    with _opened(root, paths) as log:
        return cut_piece(log, window)


def piece_of_text(text: str, window: LogWindow) -> LogPiece:
    """Return a part of a log that is known whole."""
    raw = text.encode()
    return cut_piece(LogBytes(len(raw), lambda begin, end: raw[begin:end]), window)


def cut_piece(log: LogBytes, window: LogWindow) -> LogPiece:
    """Return a part of a log, of whole lines where it has any, else of whole characters."""
    length = max(1, min(window.length, LIMIT))
    if window.begin is None:
        end = log.size if window.end is None else min(window.end, log.size)
        raw = _read_before(log, end, length)
        begin = end - len(raw)
    else:
        begin = min(window.begin, log.size)
        raw = _read_after(log, begin, length)
    return LogPiece(
        text=make_readable(raw),
        begin=begin,
        end=begin + len(raw),
        size=log.size,
        line=_line_at(log, begin) if window.line is None else window.line,
    )


def _read_after(log: LogBytes, begin: int, length: int) -> bytes:
    raw = log.read(begin, begin + length)
    if begin + len(raw) >= log.size:
        return raw
    return raw[: raw.rfind(b"\n") + 1] or _without_half(raw)


def _read_before(log: LogBytes, end: int, length: int) -> bytes:
    begin = max(0, end - length)
    raw = log.read(begin, end)
    if begin == 0 or log.read(begin - 1, begin) == b"\n":
        return raw
    line = raw.find(b"\n") + 1
    return raw[line:] if 0 < line < len(raw) else raw.lstrip(_CONTINUED)


_CONTINUED = bytes(range(0x80, 0xC0))  # bytes inside a character of UTF-8


def _without_half(raw: bytes) -> bytes:
    """Return bytes without a last character of which only a part is there."""
    begun = raw.rstrip(_CONTINUED)
    is_cut = begun[-1:] >= b"\xc0" and len(raw) - len(begun) < LONGEST_CHARACTER
    return (begun[:-1] if is_cut else raw) or raw


def _line_at(log: LogBytes, position: int) -> int | None:
    """Return the number of the line at a position, None if that is too far inside."""
    if position > COUNTED:
        return None
    before = log.read(0, position)
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")


@contextmanager
def _opened(root: Path, paths: Sequence[Path]) -> Iterator[LogBytes]:
    """Open files that follow one another; those that are missing are left out."""
    with ExitStack() as stack:
        parts: list[tuple[int, int]] = []
        for path in paths:
            try:
                descriptor = open_plain(root, path)
            except FileNotFoundError:
                continue
            stack.callback(os.close, descriptor)
            parts.append((descriptor, os.fstat(descriptor).st_size))

        def read(begin: int, end: int) -> bytes:
            found, before = b"", 0
            for descriptor, size in parts:
                first, last = max(begin - before, 0), min(end - before, size)
                found += os.pread(descriptor, last - first, first) if first < last else b""
                before += size
            return found

        yield LogBytes(sum(size for _, size in parts), read)


def make_readable(raw: bytes) -> str:
    """Return text that a terminal can show; line ends of any kind become new lines."""
    text = raw.decode(errors="backslashreplace").replace("\r\n", "\n").replace("\r", "\n")
    return _control().sub(lambda match: f"\\x{ord(match.group()):02x}", text)


@cache
def _control() -> re.Pattern[str]:
    """Match a character that a terminal does not show; compiling that takes long, so not before."""
    return re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")
