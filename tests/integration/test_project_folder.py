"""The settings file on disk: found from below, missing, unreadable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.config import find_project, load_settings
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_project_is_found_from_any_folder_below(tmp_path: Path) -> None:
    """The nearest autoctrl.toml above counts, wherever one stands."""
    (tmp_path / "autoctrl.toml").write_text("name = 'camera'\n")
    below = tmp_path / "workflows" / "reco"
    below.mkdir(parents=True)
    assert find_project(below) == tmp_path
    assert find_project(None, {"AUTOCTRL_PROJECT": str(below)}) == tmp_path
    assert load_settings(tmp_path, environ={}).project.name == "camera"


def test_no_project_says_how_to_make_one(tmp_path: Path) -> None:
    """Both ways of not finding a settings file point at init."""
    with pytest.raises(SettingsError, match="autoctrl init DIR"):
        find_project(tmp_path)
    with pytest.raises(SettingsError, match="autoctrl init"):
        load_settings(tmp_path)


def test_a_binary_settings_file_is_one_paragraph(tmp_path: Path) -> None:
    """A file that is no UTF-8 text is refused with its name."""
    (tmp_path / "autoctrl.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"autoctrl.toml cannot be read"):
        load_settings(tmp_path)
