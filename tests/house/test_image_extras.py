"""The image has what its settings may ask for."""

from __future__ import annotations

import re
import tomllib

from tests.house.source import ROOT


def test_an_image_has_every_extra_but_science() -> None:
    """So says the script that builds it; a page that needs a missing one would end at its start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = re.search(r"\|\| set -- (.+)", (ROOT / "scripts/image").read_text())
    assert found is not None
    assert {*found[1].split(), "science"} == {*project["optional-dependencies"]}
