"""Science is one closed room with one door, and installing it is a choice."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING

import pytest

from autoctrl import science
from tests.house.source import ROOT, modules, name_of, tree
from tests.house.test_floors import imports, room_of

if TYPE_CHECKING:
    from pathlib import Path

ROOM = "autoctrl.science."
PACKAGE = modules("autoctrl")


@pytest.mark.parametrize("path", PACKAGE, ids=name_of)
def test_others_use_the_door_alone(path: Path) -> None:
    """Whatever lies outside imports the names that the room's front page lists, and no others."""
    if room_of(path) == "science":
        return
    names = {name.removeprefix(ROOM) for name in imports(path) if name.startswith(ROOM)}
    assert names <= set(science.__all__)


@pytest.mark.parametrize("path", PACKAGE, ids=name_of)
def test_the_package_imports_no_test(path: Path) -> None:
    """Oracles are for tests: nothing that is installed needs them."""
    for node in ast.walk(tree(path)):
        assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"))
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("tests") for alias in node.names)


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
