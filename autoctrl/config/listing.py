"""Every setting as a list, for the reference and for the test that compares the two."""

from __future__ import annotations

from dataclasses import MISSING
from typing import NamedTuple

from autoctrl.config.adapters import SECTION_BASES, Adapter, find_built_in
from autoctrl.config.sections import (
    SECTIONS,
    WORKFLOWS,
    ProjectSettings,
    WorkflowSettings,
    settings_of,
    type_word,
)
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
    """Return all settings that come with autoctrl, in the order of the reference."""
    listed = _section("", ProjectSettings)
    for section, kind in SECTIONS.items():
        listed += _section(f"{section}.", kind)
    explanation = "Type of the run attribute of this name; only declared attributes are kept."
    listed.append(SettingInfo("runs.attributes.<name>", " | ".join(PARSERS), "", explanation))
    for section in SECTION_BASES:
        for word, adapter in find_built_in(section).items():
            if isinstance(adapter, Adapter):
                listed += _section(f"{section}.<name>.", adapter.settings, f" ({word})")
    listed += _section(f"{WORKFLOWS}.<name>.", WorkflowSettings)
    explanation = "Any setting again, as it is in this environment."
    return [*listed, SettingInfo("environments.<name>.…", "table", "", explanation)]


def _section(prefix: str, kind: type, suffix: str = "") -> list[SettingInfo]:
    return [
        SettingInfo(
            f"{prefix}{name}{suffix}",
            " | ".join(item.metadata["choices"]) or type_word(item),
            _as_toml(item.default) if item.default is not MISSING else "",
            item.metadata["doc"],
        )
        for name, item in settings_of(kind).items()
    ]


def _as_toml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
