"""The documentation can be found: one page leads to all others."""

from __future__ import annotations

from tests.house.source import ROOT
from tests.house.test_documented import LINK


def test_every_page_is_in_the_index() -> None:
    """The index has a line for every page below docs/."""
    index = ROOT / "docs/index.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md")} - {index.resolve()}
    assert not sorted(str(page.relative_to(ROOT)) for page in pages - listed)
