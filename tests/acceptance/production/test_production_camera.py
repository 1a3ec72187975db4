"""The camera's chain in its production form and embedded, from the same raw files: the physics is
the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import uproot

from tests.acceptance.exactly_once.loops import finish
from tests.contract.stores import bucket_url
from tests.integration.grafana import LANGUAGES, Asker
from tests.services import ROOT, job_bin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.acceptance.production.pair import Pair
    from tests.services import Influx

PATIENCE_S = 600.0
TREES = {"camera-reco": "Events", "camera-friends": "Friends"}
PHYSICS = ("camera-reco", "camera-friends", "camera-dq")
# All is done, nothing has failed, nothing is wrong, and the runs were simulated in a year of old.
NOTHING_TO_SHOW = {"waiting", "oldest", "failures", "conditions", "quality_over_time"}
YEARS = 3650  # days
QUOTA = """
[quotas.scratch]
type = "local"
path = "."
warn = 0
"""
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


class Chains(NamedTuple):
    """The camera's chain, brought to done twice from the same raw files.

    served    on InfluxDB 2.7 and HTCondor
    embedded  on what is built in
    url       complete address of the bucket of ``served``
    """

    served: Path
    embedded: Path
    url: str


@pytest.fixture(scope="module")
def chains(pair: Pair) -> Chains:
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
    bucket = pair.influx.fresh_bucket()
    served = make(folder / "served", raw, f"{pair.store(bucket)}\n{pool}{QUOTA}")
    pair.give_token(served)
    embedded = make(folder / "embedded", raw, "")
    for project in (served, embedded):
        finish(project, PATIENCE_S)
    return Chains(served, embedded, bucket_url(pair.influx, bucket, served))


@pytest.mark.timeout(1800)
def test_the_physics_does_not_depend_on_the_services(chains: Chains) -> None:
    """What InfluxDB and HTCondor bring to done is, bit for bit, what the embedded form makes of the
    same raw files.
    """
    served, embedded, _ = chains
    for project in (served, embedded):
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


@pytest.fixture(scope="module")
def old_url(chains: Chains, influxdb1: Influx, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bring the history of the chain to an InfluxDB 1.8, and let a cycle be made there."""
    folder = tmp_path_factory.mktemp("old")
    url = bucket_url(influxdb1, influxdb1.fresh_bucket(), folder)
    command = [sys.executable, "-m", "autoctrl.cli", "store", "copy", chains.url, url]
    subprocess.run(command, check=True, timeout=PATIENCE_S, cwd=chains.served)
    store = f'[store]\nurl = "{url.partition("?")[0]}"\ntoken_file = "{folder / "token"}"\n'
    project = make(folder / "project", chains.served / "raw", store + QUOTA)
    ask(project, "cycle", "--workflow", "camera-pedestal")
    return url


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("server", ["2.7", "1.8"])
def test_grafana_shows_what_the_chain_did(
    chains: Chains, old_url: str, server: str, language: str
) -> None:
    """Every query is answered on both servers in both languages; what a shifter reads is right."""
    url = chains.url if server == "2.7" else old_url
    with Asker.open(url, language) as asker:
        answers = asker.check()
        assert {one.question: one.problem for one in answers if one.problem} == {}
        assert {one.question for one in answers if not one.rows} == NOTHING_TO_SHOW
        rows = {int(row["run"]): row for row in asker("runs")}
        assert rows.keys() == {4500, 4501}
        assert rows[4500]["camera-pedestal"] == rows[4500]["status"] == "done"
        assert {rows[4501][name] for name in PHYSICS} == {"done"}
        assert rows[4501]["attr_kind"] == "physics"
        (reco,) = [row for row in asker("latency") if row["workflow"] == "camera-reco"]
        stages = [float(reco[name]) for name in ("queue_s", "running_s", "collecting_s")]
        assert min(stages) >= 0
        assert sum(stages) <= float(reco["total_s"])
        events: dict[str, Any] = {"quantities": "taken_camera_reco", "field": "events"}
        by_run = asker("quality_by_run", **events)
        assert [(int(row["run"]), float(row["value"])) for row in by_run] == [(4501, 3.0)]
        over_time = asker._replace(days=YEARS)("quality_over_time", **events)
        assert [float(row["_value" if asker.is_flux else "mean"]) for row in over_time] == [3.0]
        attempts = asker("attempts", workflow="camera-reco", unit="4501")
        assert {row["job"] for row in attempts} == {"0"}
