"""Run lines: split into words first, each word filled after, never through a shell."""

from __future__ import annotations

import shlex
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import UsageError, WorkflowError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Filling = str | int | float | tuple[str, ...]

ALWAYS = frozenset(
    {"unit", "campaign", "workflow", "version", "python", "folder", "cpus", "memory_mb"}
)
OPEN_ENDED = ("campaign.", "run.")


class Piece(NamedTuple):
    """A literal text followed by at most one placeholder."""

    literal: str
    name: str | None
    spec: str


class NotKnownYet(UsageError):
    """A placeholder such as ``{run.fill}`` has no value for this unit yet."""


def parse_line(where: str, line: str | Sequence[str], known: Iterable[str]) -> list[list[Piece]]:
    """Split a run line and check every placeholder against the names that will have a value.

    Raises ``WorkflowError`` for unbalanced quotes or braces and for an unknown placeholder, naming
    the nearest.
    """
    try:
        words = shlex.split(line) if isinstance(line, str) else list(line)
    except ValueError as error:
        message = f"{where}: the line '{line}' cannot be split into words: {error}."
        raise WorkflowError(message, hint="Check its quotes.") from error
    if not words:
        message = f"{where} is empty."
        raise WorkflowError(
            message, hint="Give a command, e.g. run_line='mytool {raw} --output {output}'."
        )
    names = ALWAYS | set(known)
    return [parse_word(where, word, names) for word in words]


def parse_word(where: str, word: str, names: Iterable[str]) -> list[Piece]:
    """Take one word apart. Raises ``WorkflowError`` as ``parse_line`` does."""
    try:
        parts = list(Formatter().parse(word))
    except ValueError as error:
        message = f"{where}: '{word}' is no template: {error}."
        raise WorkflowError(
            message, hint="Write {{ and }} for braces that mean themselves."
        ) from error
    pieces = []
    for literal, name, spec, conversion in parts:
        if name is not None and (conversion or "{" in (spec or "") or not is_known(name, names)):
            message = f"{where}: unknown placeholder {{{name}}} in '{word}'. {nearest(name, names)}"
            raise WorkflowError(message, hint="Write {{ and }} for braces that mean themselves.")
        pieces.append(Piece(literal, name, spec or ""))
    return pieces


def is_known(name: str, names: Iterable[str]) -> bool:
    """Say whether a placeholder will have a value: a known name, ``campaign.<setting>`` or
    ``run.<attribute>``.
    """
    return name in set(names) or any(
        name.startswith(start) and len(name) > len(start) for start in OPEN_ENDED
    )


def fill_line(words: Sequence[Sequence[Piece]], values: Mapping[str, Filling]) -> tuple[str, ...]:
    """Put the values in; a word that is one placeholder with several files becomes several words.

    Raises ``NotKnownYet`` if a value is missing.
    """
    filled: list[str] = []
    for pieces in words:
        only = pieces[0] if len(pieces) == 1 and not pieces[0].literal else None
        value = values.get(only.name) if only is not None and only.name is not None else None
        if isinstance(value, tuple):
            filled.extend(value)
        else:
            filled.append(fill_word(pieces, values))
    return tuple(filled)


def fill_word(pieces: Sequence[Piece], values: Mapping[str, Filling]) -> str:
    """Put the values into one word. Raises ``NotKnownYet`` if a value is missing."""
    text = []
    for literal, name, spec in pieces:
        text.append(literal)
        if name is not None:
            text.append(_format(name, spec, values))
    return "".join(text)


def _format(name: str, spec: str, values: Mapping[str, Filling]) -> str:
    if name not in values:
        message = f"{{{name}}} has no value yet"
        raise NotKnownYet(message)
    value = values[name]
    if isinstance(value, tuple):
        if len(value) != 1:
            message = f"{{{name}}} stands for {len(value)} files"
            raise NotKnownYet(message, hint="Let it be a word of its own.")
        value = value[0]
    try:
        return format(value, spec)
    except ValueError as error:
        message = f"{{{name}:{spec}}} does not fit {value!r}: {error}"
        raise NotKnownYet(message) from error
