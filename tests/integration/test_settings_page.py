"""The reference of settings says what the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoctrl.config import SettingInfo, every_setting

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text()


@pytest.mark.parametrize("setting", every_setting(), ids=lambda setting: setting.name)
def test_a_setting_stands_in_the_reference_as_it_is(setting: SettingInfo) -> None:
    """Type, default and explanation are those of the code, word by word."""
    default = f"`{setting.default}`" if setting.default else "none"
    words = setting.type.replace(" | ", ", ")
    assert f"| `{setting.name}` | {words} | {default} | {setting.explanation} |" in PAGE


def test_the_reference_has_no_setting_that_does_not_exist() -> None:
    """Every row of the page is a setting."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(every_setting())
