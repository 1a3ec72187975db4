"""The rules for tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.house.source import FUNCTIONS, definitions, findings, imported, modules

if TYPE_CHECKING:
    from pathlib import Path

TESTS = [path for path in modules("tests", "workflows") if path.name.startswith("test_")]


def test_every_test_says_in_a_sentence_what_it_shows() -> None:
    """The docstring of a test is one sentence about behaviour."""
    assert not findings(TESTS, silent)


def silent(path: Path) -> list[str]:
    """Return the tests of a module that say nothing, or not in a sentence."""
    tests = [
        node
        for _, node in definitions(path)
        if isinstance(node, FUNCTIONS) and node.name.startswith("test_")
    ]
    return [test.name for test in tests if not is_sentence(ast.get_docstring(test))]


def is_sentence(text: str | None) -> bool:
    """Whether a docstring is a single paragraph that ends with a full stop."""
    return text is not None and "\n\n" not in text and text.endswith(".")


def test_unit_tests_do_not_sleep() -> None:
    """No unit test imports the module that sleeps: time is injected."""
    assert not findings(modules("tests/unit"), lambda path: "time" in imported(path))
