"""Which versions of autoctrl a project can be run by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.config import parse_settings
from autoctrl.config.requirement import check_requirement, satisfies
from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("wanted", "version", "is_satisfied"),
    [
        (">=0.1,<0.3", "0.1.0", True),
        (">=0.1,<0.3", "0.3", False),
        (">=0.1, <0.3", "0.2.9", True),
        (">0.1", "0.1.0", False),
        (">0.1", "0.1.1", True),
        ("<=0.1", "0.1.0", True),
        ("==0.1", "0.1.0", True),
        ("==0.1", "0.1.1", False),
        ("!=0.1", "0.1.1", True),
        ("~=0.1", "0.9", True),
        ("~=0.1", "1.0", False),
        ("~=0.1.2", "0.1.5", True),
        ("~=0.1.2", "0.1.1", False),
        ("~=0.1.2", "0.2.0", False),
        (">=0.10", "0.9", False),
        (">=0.1", "0.1.0.dev3+local", True),
        (">=0.1", "unknown", False),
    ],
)
def test_versions_are_compared_by_their_numbers(
    wanted: str, version: str, *, is_satisfied: bool
) -> None:
    """Every clause must hold."""
    assert satisfies(wanted, version) is is_satisfied


@pytest.mark.parametrize("wanted", ["0.1", ">=x", "latest", ">=0.1,,<2", "=>1"])
def test_what_is_no_range_is_refused(wanted: str) -> None:
    """The sentence shows how to write one."""
    with pytest.raises(SettingsError, match="no range of versions"):
        satisfies(wanted, "7.0")


def test_a_project_says_which_version_it_wants(tmp_path: Path) -> None:
    """It is said before anything else that another version may not understand."""
    for wanted in ("", "  ", None, 7):
        check_requirement(wanted, "0.1")
    text = "autoctrl = '>=7'\n[wonders]\nnew = 1\n"
    with pytest.raises(SettingsError, match=r"wants autoctrl >=7, and version .* is installed"):
        parse_settings(text, tmp_path, environ={})
    assert parse_settings("autoctrl = '>=0.1'\n", tmp_path, environ={}).project.autoctrl == ">=0.1"
