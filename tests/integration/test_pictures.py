"""The pictures of the README stay true: what they show is what is shown today."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import ask
from tests.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PICTURES = ROOT / "docs/pictures"
TAKEN = "start=2026-02-01T06:10:00Z end=2026-02-01T07:10:00Z"
RUNS = (
    f"4500 kind=pedestal fill=2125 events=25 {TAKEN} hv_state=0 exposure_s=0.3",
    f"4501-4503 kind=physics fill=2125 events=6 {TAKEN} hv_state=1 exposure_s=0.3",
    f"4504 kind=physics fill=2126 events=6 {TAKEN} hv_state=1 exposure_s=0.3",
)
DONE = (
    ("4500", "camera-pedestal"),
    ("4501-4504", "camera-reco"),
    ("4501-4504", "camera-friends"),
    ("4501-4504", "camera-dq"),
    ("fill:2125", "camera-trend"),
)
STALE = "the README's pictures show something else than {name} today: run scripts/pictures"


def load_script() -> ModuleType:
    """Return the script that takes the pictures."""
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "scripts/_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bring the runs of ``scripts/run`` to done without work: tasks are completed by hand."""
    folder = tmp_path_factory.mktemp("camera")
    (folder / "autoctrl.toml").write_bytes((ROOT / "autoctrl.toml").read_bytes())
    (folder / "raw").mkdir()
    (folder / "raw/runs.csv").write_text("run,end\n")
    for name in ("workflows", "templates"):
        (folder / name).symlink_to(ROOT / name)
    for line in RUNS:
        runs, *facts = line.split()
        said = ask(folder, "runs", "add", runs, *(f"--set={fact}" for fact in facts))
        assert said.code == 0, said.err
    assert ask(folder, "cycle").code == 0
    for units, workflow in DONE:
        said = ask(folder, "complete", units, workflow, "--reason", "for a picture")
        assert said.code == 0, said.err
    return folder


def test_the_picture_of_the_terminal_shows_what_status_prints(project: Path) -> None:
    """The status of the project that was photographed says the same words."""
    script = load_script()
    said = ask(project, "status", COLUMNS=str(script.COLUMNS))
    shown = json.loads((PICTURES / "shown.json").read_text())["terminal"]
    today = script.words_of(f"$ autoctrl status\n{said.out}")
    assert today == shown, STALE.format(name="autoctrl status")


def test_the_picture_of_the_page_shows_what_the_page_says(project: Path) -> None:
    """So does its overview in a browser."""
    pytest.importorskip("starlette")
    from starlette.testclient import TestClient

    from autoctrl.compose import Project
    from autoctrl.config import load_settings
    from autoctrl.process import SystemClock
    from autoctrl.web import create_app

    with Project(load_settings(project), SystemClock()) as opened:
        browser = TestClient(create_app(opened), base_url="http://127.0.0.1:8080")
        today = load_script().words_of(browser.get("/").text)
    shown = json.loads((PICTURES / "shown.json").read_text())["page"]
    assert today == shown, STALE.format(name="the page")


def test_the_readme_shows_those_pictures() -> None:
    """All three are in the README, and are as large as pictures are."""
    text = (ROOT / "README.md").read_text()
    for name in ("page.png", "terminal.png", "plot.png"):
        assert f"docs/pictures/{name}" in text
        assert (PICTURES / name).stat().st_size > 5000
