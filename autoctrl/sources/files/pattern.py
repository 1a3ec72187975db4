"""Paths of raw files as a pattern: found by listing folders, read for the run number and
attributes.
"""

from __future__ import annotations

import os
import re
import stat
import string
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

RUN = "run"
RUN_FORMAT = re.compile(r"0?(\d*)d?")


class FoundFile(NamedTuple):
    """One file that matches a pattern.

    path      below the root, or absolute
    bytes     its size
    mtime_ns  when it was last changed, nanoseconds since 1970
    run       the run number in its path
    values    text of the other fields in its path, by name
    """

    path: str
    bytes: int
    mtime_ns: int
    run: int
    values: Mapping[str, str]


class Segment(NamedTuple):
    """One name of a path: literal text, or an expression whose groups are the fields."""

    literal: str
    expression: re.Pattern[str] | None
    fields: tuple[str, ...]


class Pattern:
    """``raw/run{run:05d}.mid.gz``: fields in braces, ``*`` and ``?`` for any characters of one
    name.
    """

    def __init__(self, text: str, known: Iterable[str], where: str) -> None:
        """Read ``text``; ``known`` are the attributes that may stand in it beside the run.

        Raises ``SettingsError`` for an unknown field, a pattern without ``{run}`` or broken braces.
        """
        self.text = text
        self._base = "/" if text.startswith("/") else ""
        try:
            self._segments = [
                _segment(name, where, {RUN, *known}) for name in text.split("/") if name
            ]
        except ValueError as error:
            message = f"{where}: the pattern '{text}' cannot be read: {error}."
            raise SettingsError(message, hint="Every { needs its }.") from error
        if not any(RUN in segment.fields for segment in self._segments):
            message = f"{where}: the pattern '{text}' does not contain {{run}}."
            raise SettingsError(message, hint="Write the run number's place as {run} or {run:05d}.")

    def find(self, root: str, problem: Callable[[str], None]) -> Iterator[FoundFile]:
        """Yield every regular file below ``root`` that matches; ``problem`` is called for folders
        that cannot be listed.
        """
        return self._walk(root, self._base, 0, {}, problem)

    def _walk(
        self,
        root: str,
        folder: str,
        depth: int,
        values: dict[str, str],
        problem: Callable[[str], None],
    ) -> Iterator[FoundFile]:
        segment, is_last = self._segments[depth], depth == len(self._segments) - 1
        for name, entry in _entries(root, folder, segment, problem):
            found = _match(segment, name, values)
            if found is None:
                continue
            path = join_path(folder, name)
            if not is_last:
                yield from self._walk(root, path, depth + 1, found, problem)
                continue
            facts = _stat(entry or Path(join_path(root, path)))
            if facts is not None:
                yield FoundFile(path, facts.st_size, facts.st_mtime_ns, int(found.pop(RUN)), found)


def join_path(folder: str, name: str) -> str:
    """Return the path of ``name`` in ``folder``, as text: ten thousand files need no path
    objects.
    """
    return name if name.startswith("/") or not folder else f"{folder.rstrip('/')}/{name}"


def _entries(
    root: str, folder: str, segment: Segment, problem: Callable[[str], None]
) -> Iterable[tuple[str, os.DirEntry[str] | None]]:
    if segment.expression is None:
        return [(segment.literal, None)]
    try:
        with os.scandir(join_path(root, folder)) as listing:
            return [(entry.name, entry) for entry in listing]
    except NotADirectoryError:
        return []
    except OSError as error:
        problem(f"folder {join_path(root, folder)} cannot be listed: {error.strerror}")
        return []


def _match(segment: Segment, name: str, values: dict[str, str]) -> dict[str, str] | None:
    """Return the values with those of this name, None if it does not match or contradicts a name
    above.
    """
    if segment.expression is None:
        return dict(values)
    match = segment.expression.fullmatch(name)
    if match is None:
        return None
    found = dict(values)
    for field, text in zip(segment.fields, match.groups(), strict=True):
        plain = str(int(text)) if field == RUN else text
        if found.setdefault(field, plain) != plain:
            return None
    return found


def _stat(entry: os.DirEntry[str] | Path) -> os.stat_result | None:
    # A file may go away between the listing and this question; the next look will not list it.
    try:
        facts = entry.stat()
    except OSError:
        return None
    return facts if stat.S_ISREG(facts.st_mode) else None


def _segment(text: str, where: str, known: set[str]) -> Segment:
    expression, fields = "", []
    for literal, field, form, _ in string.Formatter().parse(text):
        expression += re.escape(literal).replace(r"\*", ".*").replace(r"\?", ".")
        if field is not None:
            fields.append(field)
            expression += _group(field, form or "", where, known)
    is_literal = not fields and not set("*?") & set(text)
    return Segment(text, None if is_literal else re.compile(expression, re.DOTALL), tuple(fields))


def _group(field: str, form: str, where: str, known: set[str]) -> str:
    if field not in known:
        message = (
            f"{where}: the pattern's field {{{field}}} is neither the run nor a declared attribute."
        )
        raise SettingsError(message, hint=nearest(field, known))
    if field != RUN:
        return "(.+?)"
    match = RUN_FORMAT.fullmatch(form)
    if match is None:
        message = f"{where}: {{run:{form}}} has an unknown format."
        raise SettingsError(
            message, hint="Write {run}, or {run:05d} for five digits with leading zeros."
        )
    width = int(match[1] or 1)
    # A longer number than the width has no leading zero, so that every run has exactly one name.
    return rf"(\d{{{width}}}|[1-9]\d{{{width},}})" if width > 1 else r"(\d+)"
