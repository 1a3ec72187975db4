"""The documentation is true: its examples run, and print what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.examples import ROOT, Block, Command, Reader, blocks, commands, matches

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("autoctrl", "autoctrl-camera")
COLD = {"README.md", "docs/howto/operate.md"}  # our commands start there as a person's do
PAGES += sorted((ROOT / "workflows").glob("*/README.md"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_examples_of_the_docs_are_true(page: str, tmp_path: Path) -> None:
    """Every example of a page runs in the order of the page and prints what the page shows."""
    text = (ROOT / page).read_text()
    warm = [one for one in PROGRAMS if f"$ {one} " in text and page not in COLD]
    reader = Reader(tmp_path, warm)
    for block in blocks(text, page):
        reader.follow(block)


def test_a_fence_says_what_is_done_with_it() -> None:
    """Language and flags of a fence are read from its first line, and an indented block loses its
    indentation.
    """
    text = (
        "Text\n\n```console exit=2\n$ a\n```\n\n  ```python file='x y.py'\n  if a:\n    b\n  ```\n"
    )
    assert blocks(text, "p") == [
        Block("p:3", "console", {"exit": "2"}, "$ a\n"),
        Block("p:7", "python", {"file": "x y.py"}, "if a:\n  b\n"),
    ]


def test_a_command_ends_where_its_output_begins() -> None:
    """Lines after a command are its output, unless they continue it."""
    assert commands("$ a \\\n    b\nout\n\nmore\n$ c\n> d\n") == [
        Command("a \\\n    b", "out\n\nmore"),
        Command("c\nd", None),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "is_true"),
    [
        ("a b", "a b   \n", True),
        ("a b", "a c\n", False),
        ("a", "a\nb\n", False),
        ("took ... s", "took 0.3 s\n", True),
        ("a\n...", "a\nb\nc\n", True),
        ("a\n...\nc", "a\nc\n", True),
        ("...\nc", "a\nb\n", False),
    ],
)
def test_dots_stand_for_what_changes(shown: str, printed: str, *, is_true: bool) -> None:
    """Three dots match any text of a line, or any lines when they stand alone, and nothing else
    matches by chance.
    """
    assert matches(shown, printed) is is_true


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (Block("p:1", "console", {}, "$ echo a\nb\n"), "p:1 shows"),
        (Block("p:2", "console", {}, "$ false\n"), "p:2: exit 1"),
        (Block("p:3", "console", {"exit": "1"}, "$ true\n"), "p:3: exit 0"),
        (Block("p:4", "sh", {"file": "../../x"}, "#!/bin/sh\n"), "outside"),
        (Block("p:5", "python", {"run": ""}, "raise SystemExit(3)\n"), "p:5: exit 3"),
    ],
)
def test_docs_that_are_not_true_are_found(block: Block, complaint: str, tmp_path: Path) -> None:
    """A page whose example prints something else, fails, or succeeds where it should fail is named
    with its line.
    """
    with pytest.raises(AssertionError, match=complaint):
        Reader(tmp_path).follow(block)


def test_a_reader_of_docs_keeps_folder_and_variables(tmp_path: Path) -> None:
    """What one block leaves behind, the next one finds: the folder, exported variables, files."""
    reader = Reader(tmp_path)
    reader.follow(Block("p:1", "console", {}, "$ mkdir demo && cd demo\n$ export WHO='a b'\n"))
    reader.follow(Block("p:2", "sh", {"file": "hello"}, "#!/bin/sh\necho hello $WHO\n"))
    reader.follow(Block("p:3", "console", {}, "$ ./hello\nhello a b\n$ pwd\n.../project/demo\n"))
    reader.follow(Block("p:4", "console", {"no-run": ""}, "$ false\n"))
