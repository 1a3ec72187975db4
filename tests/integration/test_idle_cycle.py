"""A cycle that has nothing to do is what a project does most of its life, so it stays light."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.compose import open_project
from tests.benchmarks.contenders import AUTOCTRL
from tests.benchmarks.counting import count_steps
from tests.benchmarks.filled import fill

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    *(
        "asyncio",
        "rich",
        "numpy",
        "uproot",
        "awkward",
        "scipy",
        "sklearn",
        "matplotlib",
        "jinja2",
        "starlette",
    ),
    *("uvicorn", "requests", "influxdb_client", "htcondor2"),
}
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\w+)", re.MULTILINE)


def project(folder: Path, runs: int) -> Path:
    """Return a new project with runs that are done in three chained workflows."""
    AUTOCTRL.prepare(folder)
    with open_project(folder) as opened:
        fill(opened, runs)
    return folder


def imported_by(*words: str) -> set[str]:
    """Return what a Python process and its children import, by the first part of the name."""
    command = [sys.executable, "-X", "importtime", *words]
    return set(
        IMPORTED.findall(subprocess.run(command, capture_output=True, text=True, check=True).stderr)
    )


def test_importing_the_package_imports_nothing_else() -> None:
    """What ``import autoctrl`` loads is neither a library nor a module of ours that a handler did
    not ask for.
    """
    loaded = imported_by("-c", "import autoctrl")
    assert "autoctrl" in loaded
    assert not loaded & {*HEAVY, "click", "sqlite3", "json"}


def test_an_idle_cycle_imports_no_heavy_library(tmp_path: Path) -> None:
    """A cycle of the command line with nothing to do imports no heavy library, its workflows'
    processes included.
    """
    folder = project(tmp_path / "idle", 2)
    module = folder / "workflows" / "chain" / "handler.py"
    module.write_text(f"import colorsys\n{module.read_text()}")
    loaded = imported_by("-m", "autoctrl.cli", "cycle", "--project", str(folder))
    assert {"autoctrl", "click", "sqlite3", "colorsys"} <= loaded
    assert not loaded & {*HEAVY, "subprocess", "tempfile", "zoneinfo", "difflib", "getpass"}


@pytest.mark.parametrize("runs", [30, 300])
def test_an_idle_cycle_does_not_look_at_what_is_done(tmp_path: Path, runs: int) -> None:
    """A cycle takes as many steps in the store with many runs done as with three."""
    assert (
        count_steps(project(tmp_path / "many", runs))
        == count_steps(project(tmp_path / "few", 3))
        > 0
    )
