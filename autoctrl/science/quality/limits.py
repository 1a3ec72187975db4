"""The settings file of a workflow's limits: one table for each number."""

from __future__ import annotations

import tomllib
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import SettingsError, nearest
from autoctrl.science.quality.thresholds import Level, Limits, Threshold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEYS = {
    f"{level}{kind}" for level in (Level.WARN, Level.ALARM) for kind in ("", "_relative", "_sigmas")
} | {"may_miss"}
ENDS = 2


class LimitsFile(NamedTuple):
    """What a settings file of limits says: thresholds, and the report of the reference run."""

    thresholds: tuple[Threshold, ...]
    reference: Path | None


def read_limits(path: Path) -> LimitsFile:
    """Read a settings file of limits.

    Raises ``SettingsError`` for a file that is not as it should be, with what is wrong and the
    nearest known key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"the limits in {path} cannot be read: {error}."
        raise SettingsError(message) from error
    reference = content.pop("reference", None)
    if reference is not None and not isinstance(reference, str):
        raise _wrong(path, "reference", "it is the path of a report, as text")
    thresholds = tuple(_threshold(path, number, table) for number, table in content.items())
    if reference is None:
        _refuse_comparisons(path, thresholds)
        return LimitsFile(thresholds, None)
    return LimitsFile(thresholds, path.parent / reference)


def _refuse_comparisons(path: Path, thresholds: Sequence[Threshold]) -> None:
    """Raise SettingsError for a number that is compared with a reference run."""
    for threshold in thresholds:
        for limits in (threshold.warn, threshold.alarm):
            if limits.relative or limits.sigmas:
                what = "it is compared with a reference run, and the file names none: reference = …"
                raise _wrong(path, threshold.number, what)


def _threshold(path: Path, number: str, table: Any) -> Threshold:  # noqa: ANN401 - whatever stands in the file
    if not isinstance(table, dict):
        what = "it is not a table; write [number] and below it warn = [lowest, highest]"
        raise _wrong(path, number, what)
    for key in table:
        if key not in KEYS:
            raise _wrong(path, f"{number}.{key}", f"there is no such key. {nearest(key, KEYS)}")
    may_miss = table.get("may_miss", False)
    warn, alarm = (_limits(path, number, table, level) for level in (Level.WARN, Level.ALARM))
    if not isinstance(may_miss, bool):
        raise _wrong(path, f"{number}.may_miss", "it is true or false")
    return Threshold(number, warn, alarm, may_miss=may_miss)


def _limits(path: Path, number: str, table: dict[str, Any], level: Level) -> Limits:
    within = _within(path, f"{number}.{level}", table.get(level, [None, None]))
    relative, sigmas = (
        _positive(path, f"{number}.{level}_{kind}", table.get(f"{level}_{kind}"))
        for kind in ("relative", "sigmas")
    )
    return Limits(within, relative, sigmas)


def _within(path: Path, key: str, value: Any) -> tuple[float | None, float | None]:  # noqa: ANN401 - whatever stands in the file
    is_pair = isinstance(value, list) and len(value) == ENDS
    if not is_pair or not all(end is None or _is_number(end) for end in value):
        raise _wrong(path, key, "it is [lowest, highest]; -inf and inf leave a side open")
    ends = [end for end in value if end is not None]
    if any(map(isnan, ends)) or ends != sorted(ends):
        raise _wrong(path, key, "it is [lowest, highest], in this order")
    lowest, highest = value
    return lowest, highest


def _positive(path: Path, key: str, value: Any) -> float | None:  # noqa: ANN401 - whatever stands in the file
    if value is None:
        return None
    if not _is_number(value) or not value > 0:
        raise _wrong(path, key, "it is a number above 0")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(path: Path, key: str, what: str) -> SettingsError:
    message = f"{path}, {key}: {what}."
    return SettingsError(message)
