"""Science is one closed room with one door, and installing it is a choice."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING

import pytest

from autoctrl import science
from tests.house.source import ROOT, findings, imported, modules, tree
from tests.house.test_floors import imports, room_of

if TYPE_CHECKING:
    from pathlib import Path

ROOM = "autoctrl.science."
PACKAGE = modules("autoctrl")


def test_others_use_the_door_alone() -> None:
    """Whatever lies outside imports the names that the room's front page lists, and no others."""
    outside = [path for path in PACKAGE if room_of(path) != "science"]
    assert findings(outside, behind_the_door) == {}


def behind_the_door(path: Path) -> set[str]:
    """Return what a module imports of the room and is not on its front page."""
    names = {name.removeprefix(ROOM) for name in imports(path) if name.startswith(ROOM)}
    return names - set(science.__all__)


def test_the_package_imports_no_test() -> None:
    """Oracles are for tests: nothing that is installed needs them."""
    assert findings(PACKAGE, lambda path: imported(path) & {"tests"}) == {}


def test_the_door_opens_to_what_it_names() -> None:
    """Every name is there, a function with a sentence about it; another name is refused."""
    assert all(getattr(science, name).__doc__ for name in science.__all__)
    with pytest.raises(AttributeError, match=r"'autoctrl\.science' has no attribute 'sums'"):
        _ = science.sums


def test_an_installation_without_science_needs_no_compiler() -> None:
    """Every compiled module is optional, and NumPy is wanted by the extra alone."""
    kernels = [
        {word.arg: ast.unparse(word.value) for word in call.keywords}
        for call in ast.walk(tree(ROOT / "setup.py"))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Extension"
    ]
    assert kernels
    assert all(kernel["optional"] == "True" for kernel in kernels)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = settings["project"]["dependencies"]
    assert not any(package.startswith(("numpy", "scipy", "uproot")) for package in wanted)
