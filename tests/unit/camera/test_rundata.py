"""Files of a run that do not belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import uproot

from autoctrl.camera.pedestal import make_pedestal, write_pedestal
from autoctrl.camera.plots.rundata import Files, Run
from autoctrl.camera.simulation.daq import RunPlan, write_run
from autoctrl.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_pedestal_of_another_sensor_is_refused(tmp_path: Path) -> None:
    """A pedestal must have the rows and columns that the run was reconstructed with."""
    reco, maps = tmp_path / "reco.root", tmp_path / "pedestal.root"
    raw = write_run(RunPlan(4500, "pedestal", 3, size=64, height=48), tmp_path, "mid")
    write_pedestal(make_pedestal(raw, 3), maps, "")
    for rows in (48, 64):
        with uproot.recreate(reco) as file:
            for name, values in (
                ("Events", {"run": 4501, "event": 0, "nSc": 0, "lost": 0}),
                ("Reco_params", {"npixx": rows, "npixy": 64}),
            ):
                columns = {branch: np.array([value], "int32") for branch, value in values.items()}
                file.mktree(name, dict.fromkeys(columns, "int32")).extend(columns)
        if rows == 48:
            assert Run(Files(reco, maps)).about.shape == (48, 64)
    with pytest.raises(DataError, match=r"pedestal.root has 48 x 64 pixels, .*reco.root was made of 64 x 64\."):
        Run(Files(reco, maps))
