"""Run lines: split into words first, each word filled after, never through a shell."""

from __future__ import annotations

import shlex
from string import Formatter
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from autoctrl.errors import UsageError, WorkflowError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Filling = str | int | float | tuple[str, ...]

NUMBERS = frozenset({"run", "version", "cpus", "memory_mb", "first", "last"})
ALWAYS = frozenset(
    {"unit", "campaign", "workflow", "version", "python", "folder", "cpus", "memory_mb"}
)
ATTRIBUTE = "run."
OPEN_ENDED = ("campaign.", ATTRIBUTE)


class Piece(NamedTuple):
    """A literal text followed by at most one placeholder."""

    literal: str
    name: str | None
    spec: str


class NotKnownYet(UsageError):
    """A placeholder such as ``{run.fill}`` has no value for this unit yet."""


class CannotFill(UsageError):
    """A placeholder has a value that can never stand where it is wanted."""


def parse_line(where: str, line: str | Sequence[str], known: Iterable[str]) -> list[list[Piece]]:
    """Split a run line and check every placeholder against the names that will have a value.

    Raises ``WorkflowError`` for unbalanced quotes or braces, for an unknown placeholder, naming the
    nearest, and for a format that its value can never have.
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
        message = f"{where}: '{word}' is not a template: {error}."
        raise WorkflowError(message, hint="Write {{ and }} for literal braces.") from error
    pieces = []
    for literal, name, spec, conversion in parts:
        piece = Piece(literal, name, spec or "")
        pieces.append(piece)
        if name is not None:
            is_plain = not conversion and "{" not in piece.spec
            if not is_plain or not is_known(name, names):
                _refuse(where, word, name, names)
            _check_format(where, name, piece.spec)
    return pieces


def _refuse(where: str, word: str, name: str, names: Iterable[str]) -> NoReturn:
    message = f"{where}: unknown placeholder {{{name}}} in '{word}'. {nearest(name, names)}"
    raise WorkflowError(message, hint="Write {{ and }} for literal braces.")


def is_known(name: str, names: Iterable[str]) -> bool:
    """Say whether a placeholder will have a value.

    It is one of the names, ``campaign.<setting>`` or ``run.<attribute>``.
    """
    return name in set(names) or any(
        name.startswith(start) and len(name) > len(start) for start in OPEN_ENDED
    )


def _check_format(where: str, name: str, spec: str) -> None:
    """Raise ``WorkflowError`` if no value that the placeholder may have can be written so."""
    kind = "a number" if name in NUMBERS else "a text"
    samples: tuple[str | float, ...] = (1,) if name in NUMBERS else ("text",)
    if name.startswith(ATTRIBUTE):
        kind, samples = "a number or a text", (1, 1.0, "text")
    if not any(_can_format(sample, spec) for sample in samples):
        message = f"{where}: {{{name}:{spec}}} can never be filled, because {name} is {kind}."
        raise WorkflowError(message, hint="Write the format as for Python's format().")


def _can_format(value: str | float, spec: str) -> bool:
    try:
        format(value, spec)
    except ValueError:
        return False
    return True


def fill_line(words: Sequence[Sequence[Piece]], values: Mapping[str, Filling]) -> tuple[str, ...]:
    """Put the values in; a word that is one placeholder with several files becomes several words.

    Raises ``NotKnownYet`` if a value is missing, ``CannotFill`` if one does not fit.
    """
    filled: list[str] = []
    for pieces in words:
        value = values.get(only_placeholder(pieces) or "")
        if isinstance(value, tuple):
            filled.extend(value)
        else:
            filled.append(fill_word(pieces, values))
    return tuple(filled)


def only_placeholder(pieces: Sequence[Piece]) -> str | None:
    """Return the placeholder that a word consists of, None if it consists of anything else."""
    return pieces[0].name if len(pieces) == 1 and not pieces[0].literal else None


def fill_word(pieces: Sequence[Piece], values: Mapping[str, Filling]) -> str:
    """Put the values into one word. Raises as ``fill_line`` does."""
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
            message = f"{{{name}}} stands for {len(value)} files; make it a word of its own"
            raise CannotFill(message)
        value = value[0]
    try:
        return format(value, spec)
    except ValueError as error:
        message = (
            f"{{{name}:{spec}}} does not fit {value!r}: {error}; correct the format or the value"
        )
        raise CannotFill(message) from error
