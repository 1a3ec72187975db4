"""The rooms of the page have floors, too: each imports from those below it only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.house.source import ROOT, findings, modules
from tests.house.test_floors import imports

if TYPE_CHECKING:
    from pathlib import Path

FLOORS: tuple[tuple[str, ...], ...] = (
    ("entry", "crowds", "files"),
    ("site",),
    ("exchange",),
    ("pages", "api", "monitoring"),
    ("app",),
    ("server",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
WEB = ROOT / "autoctrl" / "web"


def test_rooms_of_the_page_import_from_below_only() -> None:
    """A module imports from its own room and from the floors below it."""
    faces = WEB / "__init__.py"
    pages = [path for path in modules("autoctrl") if WEB in path.parents and path != faces]
    assert not findings(pages, forbidden)


def forbidden(path: Path) -> set[str]:
    """Return the rooms of the page that a module imports from and must not."""
    room = path.relative_to(WEB).parts[0].removesuffix(".py")
    targets = {name.split(".")[2] for name in imports(path) if name.startswith("autoctrl.web.")}
    return {one for one in targets - {room} if FLOOR_OF[one] >= FLOOR_OF[room]}
