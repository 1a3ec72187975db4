"""Small things are read, large things are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.house.source import FUNCTIONS, code_lines, definitions, findings, modules

if TYPE_CHECKING:
    from pathlib import Path

MODULE_LINES = 540
FUNCTION_LINES = 56


def test_modules_and_functions_are_short() -> None:
    """No module is longer than 540 lines, no function than 56 lines of code."""
    assert not findings(modules("autoctrl", "workflows", "tests"), too_long)


def too_long(path: Path) -> dict[str, int]:
    """Return the lengths of a module and of its functions, those that are too long."""
    lines = len(path.read_text().splitlines())
    lengths = {
        name: len(code_lines(path) & set(range(node.lineno, (node.end_lineno or 0) + 1)))
        for name, node in definitions(path)
        if isinstance(node, FUNCTIONS)
    }
    found = {name: length for name, length in lengths.items() if length > FUNCTION_LINES}
    return found | ({"the module": lines} if lines > MODULE_LINES else {})
