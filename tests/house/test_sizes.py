"""Small things are read, large things are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house.source import FUNCTIONS, ROOT, code_lines, definitions, modules, name_of

if TYPE_CHECKING:
    from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 40
CORE_LINES = 5000
BESIDE_THE_CORE = ("camera", "quality", "friends", "web")


@pytest.mark.parametrize("path", modules("autoctrl", "workflows", "tests"), ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    """No module is longer than 400 lines, no function than 40 lines of code."""
    assert len(path.read_text().splitlines()) <= MODULE_LINES
    lengths = {
        name: len(code_lines(path) & set(range(node.lineno, (node.end_lineno or 0) + 1)))
        for name, node in definitions(path)
        if isinstance(node, FUNCTIONS)
    }
    assert not {name: length for name, length in lengths.items() if length > FUNCTION_LINES}


def test_the_core_stays_small() -> None:
    """The core, without camera, quality, friends and web, has at most 5000 lines of code."""
    core = [path for path in modules("autoctrl") if path.relative_to(ROOT / "autoctrl").parts[0] not in BESIDE_THE_CORE]
    assert sum(len(code_lines(path)) for path in core) <= CORE_LINES
