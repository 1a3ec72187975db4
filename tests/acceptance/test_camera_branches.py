"""The trees of a reconstructed file have the published branches, so that the experiment's own
macros run on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.science.camera.parameters import Pedestal
from autoctrl.science.camera.reco import reconstruct_run
from autoctrl.science.rootio import get_tree, open_file
from tests.unit.science.camera.test_rawfile import run_bytes, write

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 16
INTS = "run event pedestal_run redpix_ix redpix_iy"
COUNTERS = dict.fromkeys(("nSc", "nRedpix"), "uint32_t")
FLOATS = """
cmos_integral cmos_mean cmos_rms lp_len t_DBSCAN t_variables t_pedsub t_saturation t_zerosup
t_xycut t_rebin t_medianfilter t_noisered sc_size sc_nhits sc_integral sc_corrintegral sc_rms
sc_energy sc_pathlength sc_redpixIdx sc_theta sc_length sc_width sc_longrms sc_latrms sc_lfullrms
sc_tfullrms sc_lp0amplitude sc_lp0prominence sc_lp0fwhm sc_lp0mean sc_tp0fwhm sc_xmean sc_ymean
sc_xmax sc_xmin sc_ymax sc_ymin sc_pearson sc_tgaussamp sc_tgaussmean sc_tgausssigma sc_tchi2
sc_tstatus sc_lgaussamp sc_lgaussmean sc_lgausssigma sc_lchi2 sc_lstatus redpix_iz
"""
OURS = {"spark": "int32_t", "lost": "int32_t", "sc_axis": "float[]", "sc_directional": "int32_t[]"}
WHOLE = "rebin cimax npixx xmin xmax ymin ymax"
REAL = """
nsigma min_neighbors_average dbscan_eps dbscan_minsamples dir_radius dir_min_accuracy
dir_minsamples dir_thickness max_attempts isolation_radius
"""
PARAMETERS = dict.fromkeys(WHOLE.split(), "int32_t") | dict.fromkeys(REAL.split(), "float")


@pytest.fixture(scope="module")
def reconstructed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("branches")
    flat = np.ones((SIZE, SIZE), np.float32)
    reconstruct_run(
        write(folder, run_bytes()), Pedestal(flat, flat, 1), folder / "reco.root", (0, 2), "1.0"
    )
    return folder / "reco.root"


def test_events_has_the_published_branches(reconstructed: Path) -> None:
    """The 58 published branches are there with their types, and four of our own."""
    expected = (
        dict.fromkeys(INTS.split(), "int32_t") | dict.fromkeys(FLOATS.split(), "float") | COUNTERS
    )
    jagged = {
        name: f"{kind}[]" for name, kind in expected.items() if name.startswith(("sc_", "redpix_"))
    }
    with open_file(reconstructed) as file:
        found = get_tree(file, "Events").typenames()
    assert found == expected | jagged | OURS
    assert len(expected) == 58


def test_parameters_have_the_published_branches(reconstructed: Path) -> None:
    """Every published parameter is stored with its type; the code version and the time taken are
    named texts.
    """
    with open_file(reconstructed) as file:
        found = get_tree(file, "Reco_params").typenames()
        assert str(file["gitHash"]) == "1.0"
        assert float(str(file["total_time"])) >= 0
    assert {name: found.get(name) for name in PARAMETERS} == PARAMETERS
