"""Small things are read, large things are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house.source import FUNCTIONS, code_lines, definitions, modules, name_of

if TYPE_CHECKING:
    from pathlib import Path

MODULE_LINES = 540
FUNCTION_LINES = 56


@pytest.mark.parametrize("path", modules("autoctrl", "workflows", "tests"), ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    """No module is longer than 540 lines, no function than 56 lines of code."""
    assert len(path.read_text().splitlines()) <= MODULE_LINES
    lengths = {
        name: len(code_lines(path) & set(range(node.lineno, (node.end_lineno or 0) + 1)))
        for name, node in definitions(path)
        if isinstance(node, FUNCTIONS)
    }
    assert not {name: length for name, length in lengths.items() if length > FUNCTION_LINES}
