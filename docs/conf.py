"""How the documentation becomes a site; ``scripts/docs`` builds it in ``build/site``.

The pages stay as they are read in a repository. What a site needs beside them is made here: the
menu from the index, definition lists from the tables in docstrings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from autoctrl import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project, author, release = "autoctrl", "The autoctrl developers", __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**.md"]
include_patterns += ["workflows/*/README.md"]
root_doc = INDEX = "docs/index"
html_theme, html_title = "furo", "autoctrl"
html_extra_path = ["site"]  # leads from the root of the site to the index
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "description"
suppress_warnings = ["toc.not_included", "misc.highlighting_failure"]

SECTION = re.compile(r"(?m)^## (.+)\n((?:(?!^## ).*\n?)*)")
LINK = re.compile(r"\]\(([^)#]+)\.md\)")
FIELD = re.compile(r"(?P<name>\S+(?:,? \S+)*?)  +(?P<text>\S.*)")


def add_menu(_: Sphinx, document: str, source: list[str]) -> None:
    """Give the index a menu of its own links, section by section."""
    if document != INDEX:
        return
    for title, body in SECTION.findall(source[0]):
        pages = "\n".join(f"/docs/{link}" for link in LINK.findall(body))
        pages = pages.replace("/docs/../", "/")
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"


def spell_fields(*event: Any) -> None:  # noqa: ANN401 - as the event hands them over
    """Turn the table of a docstring, a name and what it means in each line, into a definition
    list.
    """
    lines: list[str] = event[-1]
    spelled: list[str] = []
    is_in_table = False
    for line in lines:
        field = FIELD.fullmatch(line)
        was_in_table = is_in_table
        is_in_table = bool(field) or (was_in_table and line.startswith("  "))
        if was_in_table and not is_in_table:
            spelled.append("")
        if field:
            spelled += [f"``{field['name']}``", f"    {field['text']}"]
        else:
            spelled.append(f"    {line.strip()}" if is_in_table else line)
    lines[:] = spelled


def setup(app: Sphinx) -> None:
    """Let both take part in the building."""
    app.connect("source-read", add_menu)
    app.connect("autodoc-process-docstring", spell_fields)
