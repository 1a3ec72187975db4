"""RunFiles of a run that do not belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import DataError
from autoctrl.science.camera.events import LAYOUT
from autoctrl.science.camera.pedestal import make_pedestal, write_pedestal
from autoctrl.science.camera.plots.rundata import Run, RunFiles
from autoctrl.science.camera.simulation.daq import RunPlan, write_run
from autoctrl.science.rootio import Layout, TreeWriter, new_file

if TYPE_CHECKING:
    from pathlib import Path


def write_reco(path: Path, rows: int, missing: str = "", **odd: str) -> None:
    """Write a reconstructed run of one empty event, lacking a branch or with an odd one.

    The type of an odd branch says whether it is a number or, as ``list``, a list of numbers.
    """
    changed = {missing, *odd}
    kept = {name: kind for name, kind in LAYOUT.scalars.items() if name not in changed}
    numbers = kept | {name: kind for name, kind in odd.items() if kind != "list"}
    lists = {
        counter: {name: kind for name, kind in branches.items() if name not in changed}
        for counter, branches in LAYOUT.groups.items()
    }
    lists |= {f"n{name}": {name: "int32"} for name, kind in odd.items() if kind == "list"}
    columns: dict[str, Any] = {name: [1] for name in numbers}
    for counter, branches in lists.items():
        columns |= {counter: [0]} | {name: [] for name in branches}
    sensor = {"npixx": [rows], "npixy": [64]}
    with new_file(path) as file:
        TreeWriter(file, "Events", Layout(numbers, lists)).append(columns)
        TreeWriter(file, "Reco_params", Layout(dict.fromkeys(sensor, "int32"))).append(sensor)


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the pedestal of a sensor of 48 x 64 pixels."""
    folder = tmp_path_factory.mktemp("maps")
    raw = write_run(RunPlan(4500, "pedestal", 3, size=64, height=48), folder, "mid")
    write_pedestal(make_pedestal(raw, 3), folder / "pedestal.root", "")
    return folder / "pedestal.root"


@pytest.mark.parametrize(
    ("missing", "odd", "reason"),
    [
        (
            "sc_size",
            {},
            r"tree Events of .*reco.root has no branch sc_size: it is not what",
        ),
        ("lost", {}, "has no branch lost"),
        (
            "",
            {"sc_size": "float32"},
            "branch sc_size of tree Events of .* type float, where .* a list of numbers",
        ),
        (
            "",
            {"event": "list"},
            r"branch event of .* has the type int32_t\[\], where .* one number",
        ),
    ],
)
def test_a_tree_with_other_branches_is_refused(
    tmp_path: Path, maps: Path, missing: str, odd: dict[str, str], reason: str
) -> None:
    """A tree that only looks like the events is refused by the first branch that it lacks or has of
    another kind.
    """
    write_reco(tmp_path / "reco.root", 48, missing, **odd)
    with pytest.raises(DataError, match=reason):
        Run(RunFiles(tmp_path / "reco.root", maps))


def test_the_pedestal_of_another_sensor_is_refused(tmp_path: Path, maps: Path) -> None:
    """A pedestal must have the rows and columns that the run was reconstructed with."""
    reco = tmp_path / "reco.root"
    for rows in (48, 64):
        write_reco(reco, rows)
        if rows == 48:
            assert Run(RunFiles(reco, maps)).about.shape == (48, 64)
    with pytest.raises(
        DataError, match=r"pedestal.root has 48 x 64 pixels, .*reco.root was made of 64 x 64\."
    ):
        Run(RunFiles(reco, maps))
