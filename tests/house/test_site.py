"""The documentation is a site: it builds without a warning, so that no link of it leads nowhere."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SPHINX = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]


@pytest.mark.timeout(900)
def test_site_builds_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    """Every link between pages and to headings is known, the index is the menu, and the docstrings
    are a page of it.
    """
    site = tmp_path / "site"
    words = [*SPHINX, "-b", "html", "-c", "docs", "-d", str(tmp_path / "trees"), ".", str(site)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    front = (site / "docs/index.html").read_text()
    menu = re.findall(r'class="toctree-l1[^>]*><a[^>]*href="([^"#]+)', front)
    assert {"tutorial.html", "../README.html", "howto/be-on-shift.html"} <= set(menu)
    interface = (site / "docs/reference/api.html").read_text()
    assert 'id="autoctrl.BatchHandler"' in interface
    assert "url=docs/index.html" in (site / "index.html").read_text()
