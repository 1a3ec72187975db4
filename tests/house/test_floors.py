"""The house has floors: imports point down only, whether at the top of a module or inside a function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.house.source import ROOT, modules, name_of, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PURE = {"errors", "wrapper", "hint", "owner", "model", "replacing", "rootio"}
ADAPTERS = {"stores", "executors", "notifiers", "sources"}
BELOW_ADAPTERS = {*PURE, "config", "ports"}
BELOW_HANDLERS = {*BELOW_ADAPTERS, "locks"}
BELOW_REPORT = {*BELOW_HANDLERS, "handlers", "verbs", "views"}
BELOW_COMPOSE = {*BELOW_REPORT, *ADAPTERS, "quality", "friends", "testing", "report", "scaffold"}

MAY_IMPORT = {
    "errors": set[str](),
    "wrapper": set[str](),
    "hint": set[str](),
    "owner": {"wrapper"},
    "model": {"errors", "wrapper"},
    "replacing": {"errors", "owner"},
    "rootio": {"errors", "wrapper", "owner", "replacing"},
    **dict.fromkeys(("config", "ports", "quality", "friends"), PURE),
    **dict.fromkeys(("locks", *ADAPTERS), BELOW_ADAPTERS),
    "camera": {"errors", "replacing", "rootio", "quality", "friends"},
    **dict.fromkeys(("handlers", "verbs", "views"), BELOW_HANDLERS),
    **dict.fromkeys(("report", "testing", "worker"), BELOW_REPORT),
    "scaffold": BELOW_REPORT,
    "compose": BELOW_COMPOSE,
    "rounds": {*BELOW_COMPOSE, "compose", "worker"},
    "loop": {*BELOW_COMPOSE, "compose", "rounds"},
    "web": {*BELOW_COMPOSE, "compose", "rounds", "loop"},
    "cli": {*BELOW_COMPOSE, "compose", "rounds", "loop", "web"},
}
TYPES_FOR_ALL = {"model", "ports"}  # may be imported under TYPE_CHECKING from any floor
EXCEPTION = ("handlers", "Handler.__call__", "compose")  # a workflow file is its own command line


def imports(node: ast.AST, place: str = "", *, only_types: bool = False) -> Iterator[tuple[str, str, bool]]:
    """Yield (imported room, dotted place, whether under TYPE_CHECKING) for each import of ours, functions included."""
    for child in ast.iter_child_nodes(node):
        inner = f"{place}.{child.name}".strip(".") if isinstance(child, (ast.FunctionDef, ast.ClassDef)) else place
        yield from ((name.split(".")[1], inner, only_types) for name in named(child) if name.startswith("autoctrl."))
        yield from imports(child, inner, only_types=only_types or "TYPE_CHECKING" in condition(child))


def condition(node: ast.AST) -> str:
    """Return the source of an if's condition, nothing for other nodes."""
    return ast.unparse(node.test) if isinstance(node, ast.If) else ""


def named(node: ast.AST) -> list[str]:
    """Return the dotted names of the modules or members that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written with their full name"
        return [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__"]
    return []


def room_of(path: Path) -> str:
    """Return the room, the first name below the package, that a module lies in."""
    return path.relative_to(ROOT / "autoctrl").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules("autoctrl"), ids=name_of)
def test_imports_point_down_only(path: Path) -> None:
    """A module imports only from the floors that its room may import from."""
    room = room_of(path)
    if room == "__init__":  # the front door names rooms for type checkers; at run time it opens them when asked
        assert all(only_types for _, _, only_types in imports(tree(path)))
        return
    assert room in MAY_IMPORT, f"{room} has no floor; give it one in MAY_IMPORT and in the architecture page"
    allowed = MAY_IMPORT[room] | {room}
    wrong = {
        f"{place or 'the module'} imports {target}"
        for target, place, only_types in imports(tree(path))
        if target not in allowed | (TYPES_FOR_ALL if only_types else set()) and (room, place, target) != EXCEPTION
    }
    assert not wrong
