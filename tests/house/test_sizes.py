"""Small things are read, large things are believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.house.source import FUNCTIONS, ROOT, code_lines, definitions, modules, name_of

if TYPE_CHECKING:
    from pathlib import Path

MODULE_LINES = 400
FUNCTION_LINES = 40
HANDS = ("compose", "rounds", "loop", "worker", "owner", "wrapper")
MACHINE = ("errors", "model", "ports", "locks", "handlers", "verbs", *HANDS)
ADAPTERS = ("config", "stores", "executors", "notifiers", "sources")
FACES = ("__init__", "cli", "hint", "views", "report", "scaffold", "testing", "replacing", "rootio")
SERVICES = ("stores.influx", "executors.htcondor")
SCIENCE = ("camera", "quality", "friends", "web")
LIMITS = {
    "the machine": (MACHINE, 5000),
    "the adapters": (ADAPTERS, 3000),
    "the services": (SERVICES, 3500),
    "the faces": (FACES, 3000),
}


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


def room(path: Path) -> str:
    """Return the room, the first name below the package, that a module lies in; a service has a room in a room."""
    parts = path.relative_to(ROOT / "autoctrl").parts
    service = ".".join(parts[:2])
    return service if service in SERVICES else parts[0].removesuffix(".py")


@pytest.mark.parametrize("part", LIMITS)
def test_each_part_of_the_house_stays_small(part: str) -> None:
    """Machine, adapters, services and faces have at most the lines of code that decision 6 gives them."""
    rooms, limit = LIMITS[part]
    assert sum(len(code_lines(path)) for path in modules("autoctrl") if room(path) in rooms) <= limit


def test_every_room_is_counted() -> None:
    """A new room belongs to a part of the house that has a limit, or to the science and the web page."""
    counted = {name for rooms, _ in LIMITS.values() for name in rooms} | set(SCIENCE)
    assert {room(path) for path in modules("autoctrl")} <= counted
