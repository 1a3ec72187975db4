"""Finding and loading workflow modules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import WorkflowError
from autoctrl.handlers.modules import find_modules, load_module

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "from autoctrl import InlineHandler\n"


def module(folder: Path, text: str, name: str = "count") -> Path:
    place = folder / "workflows" / name / "handler.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def test_modules_are_found_by_their_place(tmp_path: Path) -> None:
    """Every workflows/<name>/handler.py, in the order of names; hidden and private folders and
    other files are none.
    """
    for name in ("b", "a", ".hidden", "_private"):
        module(tmp_path, "", name)
    (tmp_path / "workflows" / "c").mkdir()
    assert [path.parent.name for path in find_modules(tmp_path)] == ["a", "b"]
    assert find_modules(tmp_path / "nowhere") == []


def test_a_module_declares_its_handlers_in_order(tmp_path: Path) -> None:
    """Several are possible, one under two names is one, and each knows its folder."""
    text = HEAD + "z = InlineHandler('z', print)\na = InlineHandler('a', print)\nsame = z\n"
    place = module(tmp_path, text)
    handlers = load_module(place)
    assert [handler.workflow for handler in handlers] == ["z", "a"]
    assert {handler.folder for handler in handlers} == {place.parent}


def test_a_module_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    """By its plain name; the search path is left as it was, after a failure too."""
    place = module(
        tmp_path, HEAD + "from beside_of_count import work\nh = InlineHandler('c', work)\n"
    )
    (place.parent / "beside_of_count.py").write_text("def work(task): pass\n")
    before = list(sys.path)
    assert load_module(place)[0].workflow == "c"
    with pytest.raises(WorkflowError):
        load_module(module(tmp_path, "import nothing_of_the_kind\n", "bad"))
    assert sys.path == before


def test_two_modules_of_one_file_name_do_not_meet(tmp_path: Path) -> None:
    """All are called handler.py; each is loaded as itself."""
    places = [
        module(tmp_path, HEAD + f"h = InlineHandler('{name}', print)\n", name)
        for name in ("a", "b")
    ]
    assert [load_module(place)[0].workflow for place in places] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "import nothing_of_the_kind\n",
            r"count/handler\.py cannot be loaded: ModuleNotFoundError in line 1: .*Try it",
        ),
        ("x = 1\n\n1 / 0\n", r"ZeroDivisionError in line 3: division by zero"),
        ("raise SystemExit(3)\n", r"SystemExit in line 1: 3"),
        ("def f(:\n", r"SyntaxError"),
        ("x = 1\n", r"declares no handler"),
        (
            HEAD + "InlineHandler('Count', print)\n",
            r"cannot be loaded: 'Count' is not a name for a workflow",
        ),
        (
            HEAD + "a = InlineHandler('c', print)\nb = InlineHandler('c', print)\n",
            r"declares 'c' twice",
        ),
        ("import json\njson.loads('{')\n", r"JSONDecodeError in line 2"),
    ],
)
def test_a_module_that_cannot_be_used_says_why(tmp_path: Path, text: str, says: str) -> None:
    """What went wrong, in which module, and in which line of it."""
    with pytest.raises(WorkflowError, match=says):
        load_module(module(tmp_path, text))
