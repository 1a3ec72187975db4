"""The camera's chain in its production form and embedded, from the same raw files: the physics is
the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import uproot

from tests.acceptance.exactly_once.loops import finish
from tests.services import ROOT, job_bin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.production.pair import Pair

PATIENCE_S = 600.0
TREES = {"camera-reco": "Events", "camera-friends": "Friends"}
TIMING = "t_"  # branches that say how long each stage took
POOL = """
[executors.local]
type = "htcondor"
config = "{config}"
schedd = "{schedd}"
mode = "spool"
python = "{bin}/python"
path = "{bin}:/usr/bin:/bin"
"""


def make(folder: Path, raw: Path, settings: str) -> Path:
    """Make a camera's project that shares its raw files with others."""
    folder.mkdir(mode=0o755)
    for name in ("workflows", "templates"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "raw").symlink_to(raw)
    (folder / "autoctrl.toml").write_text((ROOT / "autoctrl.toml").read_text() + settings)
    return folder


def ask(folder: Path, *words: str) -> Any:
    """Return what a verb says in JSON."""
    command = [
        sys.executable,
        "-m",
        "autoctrl.cli",
        *words,
        "--format",
        "json",
        "--project",
        str(folder),
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def arrays(folder: Path, workflow: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the branches of the workflow's tree, by unit and name."""
    found = {}
    for output in ask(folder, "outputs", "--workflow", workflow):
        (location,) = output["locations"]
        with uproot.open(location["url"]) as file:
            tree = file[TREES[workflow]]
            names = [name for name in tree.keys() if not name.startswith(TIMING)]  # noqa: SIM118 - a tree is no dict
            found[output["unit"]] = {name: tree[name].array(library="np") for name in names}
    return found


def check_equal(ours: Any, theirs: Any, what: str) -> None:
    """Check that two arrays, of which each entry may be one, are equal bit for bit."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), what
    if ours.dtype == object:
        for entry, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            check_equal(np.asarray(one), np.asarray(other), f"{what}, entry {entry}")
    else:
        assert ours.tobytes() == theirs.tobytes(), what


@pytest.mark.timeout(1800)
def test_the_physics_does_not_depend_on_the_services(pair: Pair) -> None:
    """What InfluxDB and HTCondor bring to done is, bit for bit, what the embedded form makes of the
    same raw files.
    """
    folder = pair.pool.fresh_folder()
    raw = folder / "raw"
    line = [
        "--runs",
        "4500-4501",
        "--events",
        "3",
        "--pedestal-events",
        "8",
        "--seed",
        "3",
        "--output",
        str(raw),
    ]
    subprocess.run(
        [Path(sys.executable).with_name("autoctrl-camera"), "simulate", *line],
        check=True,
        timeout=100,
    )
    pool = POOL.format(config=pair.pool.config, schedd=pair.pool.schedd, bin=job_bin())
    served = make(folder / "served", raw, f"{pair.store(pair.influx.fresh_bucket())}\n{pool}")
    pair.give_token(served)
    embedded = make(folder / "embedded", raw, "")
    for project in (served, embedded):
        finish(project, PATIENCE_S)
        assert {run["run"]: run["status"] for run in ask(project, "status")["runs"]} == {
            4500: "done",
            4501: "done",
        }
    for workflow in TREES:
        ours, theirs = arrays(served, workflow), arrays(embedded, workflow)
        assert ours.keys() == theirs.keys() == {"4501"}
        for unit, branches in theirs.items():
            assert ours[unit].keys() == branches.keys()
            assert len(branches) > 3
            for name, values in branches.items():
                check_equal(ours[unit][name], values, f"{workflow} {unit} {name}")
