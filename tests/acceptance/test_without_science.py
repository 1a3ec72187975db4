"""An installation without the extra for science: no NumPy, no ROOT files, no compiled kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BLOCKER = """
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages} or name.startswith("autoctrl.science.camera._"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Blocker())
"""
PACKAGES = {"awkward", "h5py", "hist", "isal", "matplotlib", "numpy", "scipy", "uproot"}


class Installation:
    """Commands as they are where the packages of the extra are not installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blocked").mkdir()
        blocker = BLOCKER.format(packages=PACKAGES)
        (folder / "blocked" / "sitecustomize.py").write_text(blocker)

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call a command of ours and wait for it."""
        command = [str(Path(sys.executable).with_name(words[0])), *words[1:]]
        paths = [str(self.folder / "blocked"), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": ":".join(filter(None, paths))}
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Make an installation whose Python finds none of the packages."""
    made = Installation(tmp_path_factory.mktemp("bare"))
    assert made.call("python", "-c", "import numpy").returncode == 1
    return made


def test_a_new_project_comes_to_rest(bare: Installation) -> None:
    """What ``autoctrl init`` writes is processed to the end."""
    assert bare.call("autoctrl", "init", "fresh").returncode == 0
    done = bare.call("autoctrl", "loop", "--until-idle", "--project", "fresh")
    assert done.returncode == 0, done.stderr
    said = bare.call("autoctrl", "status", "--project", "fresh", "--format", "json").stdout
    assert {run["status"] for run in json.loads(said)["runs"]} == {"done"}


@pytest.mark.parametrize(
    "line",
    [
        "autoctrl-camera simulate --runs 4500 --output raw",
        "autoctrl-camera dq reco.root --pedestal pedestal.root --output dq.json",
        "python -m autoctrl.science.rootio merge all.root part.root",
        "python -m autoctrl.science.rootio check reco.root friend.root",
    ],
)
def test_what_needs_the_packages_names_the_extra(bare: Installation, line: str) -> None:
    """One sentence says that packages are missing and which extra has them."""
    done = bare.call(*line.split())
    assert done.returncode == 2
    assert "needs packages that are not installed" in done.stderr
    assert "science" in done.stderr
    assert "Traceback" not in done.stderr
