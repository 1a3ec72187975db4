"""A reader of the documentation finds each page, and where each piece of code goes."""

from __future__ import annotations

import re

from tests.acceptance.examples import FENCE
from tests.house.source import ROOT
from tests.house.test_documented import LINK

# Words of other services, and such as are only stressed.
FOREIGN = {
    "client",
    "problem",
    "red",
    "yellow",
    "new",
    "larger",
    "later",
    "lone",
    "same unit",
    "network file system",
}


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


def test_every_word_that_a_page_introduces_is_in_the_glossary() -> None:
    """What is said in italics after an article, *a source*, is a word of ours."""
    glossary = (ROOT / "docs/glossary.md").read_text()
    known = {*re.findall(r"\*\*([^*]+)\*\*", glossary), *FOREIGN}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*/*.md"), *(ROOT / "docs").glob("*.md")]
    missing = []
    for page in pages:
        if page.parent.name != "decisions":
            words = re.findall(r"\b(?:[Aa]n?|The) \*([a-z][a-z -]+)\*(?!\*)", page.read_text())
            missing += [f"{page.name}: {word}" for word in words if word not in known]
    assert not missing


def test_the_architecture_names_what_is_there() -> None:
    """Every module that it names exists, and the list of files holds each database that we keep."""
    text = (ROOT / "docs/architecture.md").read_text()
    modules = [path.relative_to(ROOT / "autoctrl") for path in (ROOT / "autoctrl").rglob("*.py")]
    known = {path.as_posix() for path in modules} | {path.name for path in modules}
    named = set(re.findall(r"`((?!tests)[\w/]+\.py)`", text))
    assert not sorted(name for name in named if name.removeprefix("autoctrl/") not in known)
    sources = "\n".join(path.read_text() for path in (ROOT / "autoctrl").rglob("*.py"))
    kept = set(re.findall(r'^[A-Z_]+ = "(\w+\.sqlite)"$', sources, re.MULTILINE))
    assert kept
    assert not sorted(name for name in kept if f".autoctrl/{name}" not in text)
