"""The settings file of a workflow's limits: one table for each number."""

from __future__ import annotations

import tomllib
from math import isnan
from typing import TYPE_CHECKING, Any

from autoctrl.errors import SettingsError, nearest
from autoctrl.science.quality.thresholds import Level, Limits, Threshold

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {
    f"{level}{kind}" for level in (Level.WARN, Level.ALARM) for kind in ("", "_relative", "_sigmas")
} | {"may_miss"}
ENDS = 2


def read_limits(path: Path) -> tuple[tuple[Threshold, ...], Path | None]:
    """Return the thresholds of a settings file, and the report of its reference run, if it names
    one.

    Raises ``SettingsError`` for a file that is not as it should be, with what is wrong and the
    nearest known key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"the limits in {path} cannot be read: {error}."
        raise SettingsError(message) from error
    named = content.pop("reference", None)
    if named is not None and not isinstance(named, str):
        raise _wrong(path, "reference", "it is the path of a report, as text")
    thresholds = tuple(_threshold(path, number, table) for number, table in content.items())
    compared = [
        t.number
        for t in thresholds
        for limits in (t.warn, t.alarm)
        if limits.relative or limits.sigmas
    ]
    if compared and named is None:
        raise _wrong(
            path,
            compared[0],
            "it is compared with a reference run, and the file names none: reference = …",
        )
    return thresholds, None if named is None else path.parent / named


def _threshold(path: Path, number: str, table: Any) -> Threshold:  # noqa: ANN401 - whatever stands in the file
    if not isinstance(table, dict):
        raise _wrong(
            path, number, "it is no table; write [number] and below it warn = [lowest, highest]"
        )
    for key in table:
        if key not in KEYS:
            raise _wrong(path, f"{number}.{key}", f"there is no such key. {nearest(key, KEYS)}")
    made = {str(level): _limits(path, number, table, level) for level in (Level.WARN, Level.ALARM)}
    may_miss = table.get("may_miss", False)
    if not isinstance(may_miss, bool):
        raise _wrong(path, f"{number}.may_miss", "it is true or false")
    return Threshold(number, made["warn"], made["alarm"], may_miss=may_miss)


def _limits(path: Path, number: str, table: dict[str, Any], level: Level) -> Limits:
    within = table.get(level, [None, None])
    is_pair = isinstance(within, list) and len(within) == ENDS
    if not is_pair or not all(end is None or _is_number(end) for end in within):
        raise _wrong(
            path, f"{number}.{level}", "it is [lowest, highest]; -inf and inf leave a side open"
        )
    ends = [end for end in within if end is not None]
    if any(isnan(end) for end in ends) or ends != sorted(ends):
        raise _wrong(path, f"{number}.{level}", "it is [lowest, highest], in this order")
    parts = {kind: table.get(f"{level}_{kind}") for kind in ("relative", "sigmas")}
    for kind, value in parts.items():
        if value is not None and not (_is_number(value) and value > 0):
            raise _wrong(path, f"{number}.{level}_{kind}", "it is a number above 0")
    return Limits((within[0], within[1]), parts["relative"], parts["sigmas"])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(path: Path, key: str, what: str) -> SettingsError:
    message = f"{path}, {key}: {what}."
    return SettingsError(message)
