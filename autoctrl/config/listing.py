"""Every setting as a list, for the reference and for the test that compares the two."""

from __future__ import annotations

from dataclasses import MISSING
from typing import NamedTuple

from autoctrl.config.sections import NAMED, SECTIONS, ProjectSettings, declared
from autoctrl.model.run import PARSERS


class SettingInfo(NamedTuple):
    """One setting, as people look it up.

    name         dotted, e.g. ``sources.<name>.pattern (files)``; the word in brackets is the
                 table's ``type``
    type         ``str``, ``int``, ``float`` or ``bool``, or the permitted words
    default      as autoctrl.toml would have it; empty if the setting must be given
    explanation  one sentence
    """

    name: str
    type: str
    default: str
    explanation: str


def every_setting() -> list[SettingInfo]:
    """Return all settings that exist, in the order of the reference."""
    listed = _section("", ProjectSettings)
    for section, kind in SECTIONS.items():
        listed += _section(f"{section}.", kind)
    explanation = "Type of the run attribute of this name; only declared attributes are kept."
    listed.append(SettingInfo("runs.attributes.<name>", " | ".join(PARSERS), "", explanation))
    for section, kinds in NAMED.items():
        for word, kind in kinds.items():
            listed += _section(f"{section}.<name>.", kind, f" ({word})" if word else "")
    explanation = "Any setting again, as it is in this environment."
    return [*listed, SettingInfo("environments.<name>.…", "table", "", explanation)]


def _section(prefix: str, kind: type, suffix: str = "") -> list[SettingInfo]:
    return [
        SettingInfo(
            f"{prefix}{name}{suffix}",
            " | ".join(item.metadata["choices"]) or str(item.type),
            _as_toml(item.default) if item.default is not MISSING else "",
            item.metadata["doc"],
        )
        for name, item in declared(kind).items()
    ]


def _as_toml(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )
