"""What a report must hold, checked once, when it is read; a wrong value is named by its key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DataError
from autoctrl.science.quality.thresholds import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

REPORT_KIND = "a data-quality report"
LARGEST, WHOLE = 1e100, 2**63
LONGEST = 60
ENDS = 2


@dataclass(frozen=True)
class Rule:
    """What a value must be, in words and as a test.

    ``inside`` is the rule of what it holds, by key or for all; what ``may_lack`` need not be there.
    """

    wanted: str
    is_right: Callable[[Any], bool]
    inside: Rule | Mapping[str, Rule] = field(default_factory=dict)
    may_lack: bool = False


def is_number(value: object) -> bool:
    """Say whether a value is a number, neither infinite nor beyond what can be calculated with and
    drawn.
    """
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -LARGEST < value < LARGEST
    )


def is_whole(value: object) -> bool:
    """Say whether a value is a whole number, of 64 bits at most."""
    return type(value) is int and abs(value) < WHOLE


def is_text(value: object) -> bool:
    """Say whether a value is text."""
    return isinstance(value, str)


def is_file_name(value: object) -> bool:
    """Say whether a value is the name of a file, without a folder."""
    return (
        isinstance(value, str)
        and value.isprintable()
        and "/" not in value
        and value not in {"", ".", ".."}
    )


def _is_range(value: Any) -> bool:  # noqa: ANN401 - whatever stands in a file
    is_pair = isinstance(value, list) and len(value) == ENDS and all(map(is_whole, value))
    return is_pair and 0 <= value[0] <= value[1]


def is_list(value: object) -> bool:
    """Say whether a value is a list."""
    return isinstance(value, list)


def is_object(value: object) -> bool:
    """Say whether a value is an object: values by name."""
    return isinstance(value, dict)


NUMBER = Rule(f"a number below {LARGEST:g}", is_number)
WHOLE_NUMBER = Rule("a whole number", is_whole)
TEXT = Rule("text", is_text)
FILE_NAME = Rule("the name of a file without a folder", is_file_name)
LEVEL = Rule("fine, warn or alarm", lambda value: isinstance(value, str) and value in set(Level))
VERDICT = Rule("an object", is_object, {"number": TEXT, "level": LEVEL, "reason": TEXT})
REPORT = Rule(
    "an object",
    is_object,
    {
        "schema": Rule("1", lambda value: type(value) is int and value == 1),
        "run": WHOLE_NUMBER,
        "about": Rule("an object", is_object),
        "events": Rule("the first entry and the one after the last, [0, 200]", _is_range),
        "level": LEVEL,
        "numbers": Rule("an object of numbers by name", is_object, NUMBER),
        "verdicts": Rule("a list of objects", is_list, VERDICT),
        "plots": Rule("a list of names", is_list, TEXT),
        "weights": Rule("an object of numbers by plot", is_object, NUMBER),
        "failed": Rule("an object of reasons by plot", is_object, TEXT),
        "pictures": Rule("an object of files by plot", is_object, FILE_NAME),
        "histograms": Rule("an object", is_object, {"file": FILE_NAME, "sha256": TEXT}),
    },
)


def check_report(path: Path, content: object) -> None:
    """Raise DataError for the first value of a report that is missing or not what it must be."""
    check(path, "", content, REPORT)


def check(path: Path, key: str, value: Any, rule: Rule, kind: str = REPORT_KIND) -> None:  # noqa: ANN401 - of a file
    """Raise DataError, with file, key, what was found and what is wanted, if a rule is broken.

    ``kind`` is what the file should be.
    """
    if not rule.is_right(value):
        found = f"{key or 'it'} is {spell_found(value)}"
        message = f"{path} is not {kind}: {found}, not {rule.wanted}."
        raise DataError(message, hint=make_anew(kind))
    for name, inner, inside in _rules_inside(path, key, value, rule, kind):
        check(path, _join(key, name), inner, inside, kind)


def _rules_inside(
    path: Path,
    key: str,
    value: Any,  # noqa: ANN401 - of a file
    rule: Rule,
    kind: str,
) -> Iterator[tuple[str | int, Any, Rule]]:
    """Yield what a value holds: key, value and rule; raises DataError for a key that is missing."""
    held = dict(enumerate(value)) if isinstance(value, list) else value
    inside = rule.inside
    if isinstance(inside, Rule):
        yield from ((name, inner, inside) for name, inner in held.items())
        return
    missing = _missing_keys(inside, held)
    if missing:
        message = f"{path} is not {kind}: {key or 'it'} lacks {', '.join(missing)}."
        raise DataError(message, hint=make_anew(kind))
    for name, wanted in inside.items():
        if name in held:
            yield name, held[name], wanted


def _missing_keys(inside: Mapping[str, Rule], held: Mapping[Any, Any]) -> list[str]:
    return [name for name, rule in inside.items() if name not in held and not rule.may_lack]


def make_anew(kind: str = REPORT_KIND) -> str:
    """Return what to do about a file that is not what it should be."""
    return f"Make the {kind.rpartition(' ')[2]} again; it was changed, or another program wrote it."


def spell_found(value: object) -> str:
    """Return a value of a file as a sentence names it."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str | list):
        return f"the {'text' if isinstance(value, str) else 'list'} {_cut(ascii(value))}"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _join(key: str, name: object) -> str:
    if isinstance(name, int):
        return f"{key}[{name}]"
    spelled = _cut(str(name)) if str(name).isprintable() else _cut(ascii(name))
    return f"{key}.{spelled}" if key else spelled
