"""A reader of the documentation finds each page, and where each piece of code goes."""

from __future__ import annotations

import re

from tests.acceptance.examples import FENCE
from tests.house.source import ROOT
from tests.house.test_documented import LINK


def test_every_page_is_in_the_index() -> None:
    """The index has a line for every page below docs/."""
    index = ROOT / "docs/index.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md")} - {index.resolve()}
    assert not sorted(str(page.relative_to(ROOT)) for page in pages - listed)


def test_a_reader_sees_where_code_goes() -> None:
    """A page that is rendered hides the words after a fence: the line above names the file."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    nameless = []
    for page in pages:
        text = page.read_text()
        for fence in FENCE.finditer(text):
            path = re.search(r"file=(\S+)", fence["info"])
            above = text[: fence.start()].rstrip().rpartition("\n")[2]
            if path and f"`{path[1]}`" not in above:
                nameless.append(f"{page.relative_to(ROOT)}: {path[1]}")
    assert not nameless


def test_a_howto_begins_with_the_answer() -> None:
    """What one sees or wants and what to do stands at the top, as a table or as what to type,
    before any file of an example has to be written.
    """
    late = []
    for page in sorted((ROOT / "docs/howto").glob("*.md")):
        text = page.read_text()
        head = re.split(r"(?m)^```\w+.* ?file=|^<details>", text)[0]
        above = "## ".join(re.split(r"(?m)^## ", head)[:2])
        if not re.search(r"(?m)^\| ?---|^```", above):
            late.append(page.name)
    assert not late
