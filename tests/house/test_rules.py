"""The rules for tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.house.source import FUNCTIONS, definitions, modules, name_of, tree

if TYPE_CHECKING:
    from pathlib import Path

TESTS = [path for path in modules("tests", "workflows") if path.name.startswith("test_")]


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_every_test_says_in_a_sentence_what_it_shows(path: Path) -> None:
    """The docstring of a test is one sentence about behaviour."""
    tests = [
        node
        for _, node in definitions(path)
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_")
    ]
    silent = [test.name for test in tests if not is_sentence(ast.get_docstring(test))]
    assert not silent


def is_sentence(text: str | None) -> bool:
    """Whether a docstring is a single paragraph that ends with a full stop."""
    return text is not None and "\n\n" not in text and text.endswith(".")


@pytest.mark.parametrize("path", modules("tests/unit"), ids=name_of)
def test_unit_tests_do_not_sleep(path: Path) -> None:
    """No unit test imports the module that sleeps: time is injected."""
    names = {
        alias.name
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert "time" not in names
