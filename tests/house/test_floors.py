"""The house has floors: imports point down only, wherever they stand, and never in a circle."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.house.source import ROOT, findings, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A room may import from the floors below its own, and from itself.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "node"),
    ("process",),
    ("model", "files"),
    ("config", "ports", "git", "book"),
    ("campaigns", "freshness", "incidents", "pauses", "mattermost"),
    ("locks", "stores", "executors", "notifiers", "sources", "quotas", "science"),
    ("handlers",),
    ("machine", "verbs", "views"),
    ("compose", "testing", "conformance"),
    ("operations", "experiments"),
    ("hooks",),
    ("login",),
    ("web", "chat", "client"),
    ("cli",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ADAPTERS = {
    "stores",
    "executors",
    "notifiers",
    "sources",
    "quotas",
}  # opened by compose, met through ports
MAY_OPEN_ADAPTERS = {"compose", "testing"}
SCIENCE_MAY_IMPORT = {"errors", "files", "model", "science"}


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of all of ours that a module imports, lazily and for types too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("autoctrl."))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "autoctrl":
            assert node.level == 0, "imports are written with their full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    """Return the room, the first name below the package, that a module lies in."""
    return path.relative_to(ROOT / "autoctrl").parts[0].removesuffix(".py")


def is_allowed(room: str, target: str) -> bool:
    """Say whether a room may import from another."""
    if room == target:
        return True
    if target in ADAPTERS and room not in MAY_OPEN_ADAPTERS:
        return False
    if room == "science":
        return target in SCIENCE_MAY_IMPORT
    return FLOOR_OF[target] < FLOOR_OF[room]


def test_imports_point_down_only() -> None:
    """A module imports only from the floors below its room, from its room, and never an adapter."""
    assert not findings(modules("autoctrl"), forbidden)


def forbidden(path: Path) -> set[str]:
    """Return the rooms that a module imports from and must not."""
    room = room_of(path)
    if room == "__init__":  # the front door opens rooms when it is asked for a name
        return set()
    assert room in FLOOR_OF, f"{room} has no floor; give it one here and in the architecture page"
    targets = {name.split(".")[1] for name in imports(path)} - {"__version__"}
    return {target for target in targets if not is_allowed(room, target)}


def module_of(name: str, known: dict[str, Path]) -> str | None:
    """Return the module that a dotted name means: itself, or the one that holds the member."""
    return next((found for found in (name, name.rpartition(".")[0]) if found in known), None)


def test_there_is_no_circle() -> None:
    """No module imports itself by way of others, counted with lazy imports and those for types."""
    known = {
        str(path.relative_to(ROOT).with_suffix(""))
        .replace("/", ".")
        .removesuffix(".__init__"): path
        for path in modules("autoctrl")
    }
    del known["autoctrl"]  # the front door
    graph = {
        name: {
            found
            for target in imports(path)
            if (found := module_of(target, known)) and found != name
        }
        for name, path in known.items()
    }
    while ends := graph.keys() - inside(graph):
        graph = {name: targets for name, targets in graph.items() if name not in ends}
    assert not graph


def inside(graph: dict[str, set[str]]) -> set[str]:
    """Return the modules that import one of the graph and are imported by one."""
    imported = set().union(*graph.values())
    return {name for name, targets in graph.items() if name in imported and targets & graph.keys()}
