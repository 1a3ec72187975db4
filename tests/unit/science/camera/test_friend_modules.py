"""The camera's friend modules, and the calibration that they are given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

from autoctrl.errors import DataError
from autoctrl.science.camera.calibrating import (
    Gas,
    KnownClusters,
    fit_calibration,
    fit_quantile,
    match_clusters,
    write_calibration,
)
from autoctrl.science.camera.friend_modules import FEATURES, DepthFromWidth, RegressedIntegral
from autoctrl.science.camera.friends_cli import SIMULATION
from autoctrl.science.friends import read_calibration
from autoctrl.science.rootio import Layout, TreeWriter, new_file
from tests.services import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = {
    "low": [0.0, 0.0, 0.0, 0.0],
    "high": [20.0, 5.0, 5.0, 1.0],
    "mean": [0.1, 0.0, 0.5, 0.0, 0.0],
    "q05": [-0.2, 0.0, 0.0, 0.0, 0.0],
    "q50": [0.0, 0.0, 0.0, 0.0, 0.0],
    "q95": [0.3, 0.0, 0.0, 0.0, 0.0],
}
WIDTHS = {"offset": 1.0, "slope": 2.0, "sigma_0": 3.0, "diffusion": 2.0, "drift_cm": 50.0}


def clusters(*rows: tuple[float, float, float, float]) -> ak.Array:
    """Return one event whose clusters have this light, active pixels, pixels and width."""
    return ak.Array([[dict(zip(FEATURES, row, strict=True)) for row in rows]])


def known(count: int = 400) -> KnownClusters:
    """Return clusters whose true light is the measured one and a part that grows with density,
    times noise.
    """
    generator = np.random.default_rng(7)
    hits = generator.uniform(200, 2000, count)
    density = np.exp(generator.uniform(1, 3, count))
    width = generator.uniform(5, 12, count)
    noise = np.exp(generator.normal(0, 0.05, count))
    light = hits * density
    events = ak.zip(dict(zip(FEATURES, (light, hits, hits / 0.8, width), strict=True)))
    truth = light * np.exp(0.02 + 0.2 * np.log(density)) * noise
    return KnownClusters(
        events,
        truth,
        np.sqrt(0.5 + 0.9 * width**2),
        np.arange(count) % 2 == 0,
        np.full(count, 4501),
    )


def test_light_is_corrected_by_the_regression() -> None:
    """The correction is the exponential of a line in the features, each from 0 to 1 of what it was
    made of.
    """
    density = np.exp(2.0)
    events = clusters((100 * density, 100, 200, 8), (100 * np.exp(9.0), 100, 200, 8))
    values = RegressedIntegral()(events, PARAMETERS)["sc_regr_integral"][0].tolist()
    assert values[0] == pytest.approx(100 * density * np.exp(0.1 + 0.5 * 2 / 5))
    assert values[1] == pytest.approx(100 * np.exp(9.0) * np.exp(0.1 + 0.5))


def test_up_is_the_upper_quantile() -> None:
    """The branch _up is the 95 % quantile and _dn the 5 % one; lines that cross are put in
    order.
    """
    events = clusters((1000, 100, 200, 8))
    given = RegressedIntegral()(events, PARAMETERS)
    low, median, high = (given[f"sc_qregr_integral{suffix}"][0, 0] for suffix in ("_dn", "", "_up"))
    assert (low, median, high) == pytest.approx((1000 * np.exp(-0.2), 1000, 1000 * np.exp(0.3)))
    crossed = PARAMETERS | {"q05": PARAMETERS["q95"], "q95": PARAMETERS["q05"]}
    given = RegressedIntegral()(events, crossed)
    assert [
        given[f"sc_qregr_integral{suffix}"][0, 0] for suffix in ("_dn", "", "_up")
    ] == pytest.approx([1000] * 3)


@pytest.mark.parametrize(
    "row", [(0, 10, 10, 5), (-5, 10, 10, 5), (100, 0, 10, 5), (100, 10, 10, 0)]
)
def test_a_cluster_of_which_nothing_can_be_said_has_no_value(
    row: tuple[float, float, float, float],
) -> None:
    """Without light, active pixels or width there is no correction; the other clusters keep
    theirs.
    """
    given = RegressedIntegral()(clusters((100, 10, 20, 5), row), PARAMETERS)
    for branch in RegressedIntegral.branches:
        assert [value is None for value in given[branch][0].tolist()] == [False, True]


def test_depth_follows_from_the_width() -> None:
    """The depth is inside the drift volume, or it is not said."""
    given = DepthFromWidth()(clusters((1, 1, 1, 4), (1, 1, 1, 2), (1, 1, 1, 11)), WIDTHS)["sc_z"]
    assert given[0].tolist() == [pytest.approx((1 + 2 * 16 - 9) / 4), pytest.approx(0), None]
    assert DepthFromWidth()(clusters((1, 1, 1, 1)), WIDTHS)["sc_z"][0].tolist() == [None]


def test_a_calibration_finds_what_the_light_was_made_with() -> None:
    """From clusters with known truth the regression takes the trend away, and 90 % lie between the
    quantiles.
    """
    sample = known()
    made = fit_calibration(sample, Gas())
    assert made.after[0] == pytest.approx(1, abs=0.01)
    assert made.after[1] == pytest.approx(0.05, abs=0.01)
    assert made.before[1] > made.after[1]
    assert made.inside == pytest.approx(0.9, abs=0.03)
    assert made.parameters["depth"] == pytest.approx(
        {"offset": 0.5, "slope": 0.9} | Gas()._asdict()
    )
    assert (made.clusters, made.runs) == (400, (4501,))
    light = RegressedIntegral()(ak.unflatten(sample.clusters, [400]), made.parameters["regression"])
    ratios = np.asarray(light["sc_regr_integral"][0]) / sample.counts
    assert (ratios.mean(), ratios.std()) == pytest.approx(made.after)


def test_a_quantile_divides_the_sample() -> None:
    """A constant that is fitted for a quantile leaves that part of the values below it."""
    values = np.random.default_rng(3).normal(size=200)
    (found,) = fit_quantile(np.ones((200, 1)), values, 0.05)
    assert (values < found - 1e-9).mean() <= 0.05 <= (values <= found + 1e-9).mean()


def test_too_few_clusters_make_no_calibration() -> None:
    """A calibration from a handful of clusters is refused with their number."""
    with pytest.raises(DataError, match="12 clusters, 6 of them round"):
        fit_calibration(known(12), Gas())


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """A written calibration holds for its runs and has what both modules need."""
    made = fit_calibration(known(), Gas())
    write_calibration(made, tmp_path / "c.toml", (4501, 4510), 'said "so"')
    (valid,) = read_calibration(tmp_path / "c.toml").ranges
    assert (valid.first, valid.last, valid.comment) == (4501, 4510, 'said "so"')
    for module in (RegressedIntegral(), DepthFromWidth()):
        values = valid.parameters_for(module.name, module.parameters)
        for name, value in made.parameters[module.name].items():
            assert values[name] == pytest.approx(value)


def test_the_simulations_calibration_is_the_projects_first() -> None:
    """The calibration that comes with the program holds for all runs, and the project begins with
    the same.
    """
    valid = read_calibration(SIMULATION).valid_for(0)
    assert valid.last is None
    for module in (RegressedIntegral(), DepthFromWidth()):
        assert valid.parameters_for(module.name, module.parameters)
    begun = ROOT / "workflows" / "camera-friends" / "calibrations" / "simulation.toml"
    assert begun.read_bytes() == SIMULATION.read_bytes()


def write_run(folder: Path, run: int, things: list[dict[str, Any]]) -> tuple[Path, Path]:
    """Write a run of one event: a cluster at each spot, one pixel beside it, and the truth."""
    plan = {"size": 576, "run": 4501}
    (folder / "truth.json").write_text(json.dumps({"plan": plan, "events": [things]}))
    names = ("sc_xmean", "sc_ymean", *FEATURES)
    columns: dict[str, Any] = {name: np.full(len(things), 10.0) for name in names}
    columns |= {"sc_xmean": [t["row"] + 1 for t in things], "sc_ymean": [t["col"] for t in things]}
    columns |= {"run": [run], "event": [0], "nSc": [len(things)]}
    with new_file(folder / "reco.root") as file:
        layout = Layout(
            {"run": "int32", "event": "int32"}, {"nSc": dict.fromkeys(names, "float32")}
        )
        TreeWriter(file, "Events", layout).append(columns)
    return folder / "reco.root", folder / "truth.json"


def spot(row: float, col: float) -> dict[str, Any]:
    return {"kind": "spot", "counts": 8000.0, "sigma": 6.0, "row": row, "col": col}


def test_lone_objects_are_matched_with_their_clusters(tmp_path: Path) -> None:
    """An object near another one is left out; a lone one gives the cluster at its place with its
    truth.
    """
    found = match_clusters(
        *write_run(tmp_path, 4501, [spot(200, 100), spot(200, 150), spot(250, 450)])
    )
    assert (found.counts.tolist(), found.sigma.tolist(), found.is_spot.tolist()) == (
        [8000],
        [6],
        [True],
    )
    assert found.runs.tolist() == [4501]
    assert len(match_clusters(*write_run(tmp_path, 4501, [])).counts) == 0


def test_a_truth_of_another_run_is_refused(tmp_path: Path) -> None:
    """The truth must know the run's events, and be a truth file."""
    reco, truth = write_run(tmp_path, 4502, [spot(200, 100)])
    with pytest.raises(DataError, match=r"has run 4502 event 0, which .* does not know"):
        match_clusters(reco, truth)
    with pytest.raises(DataError, match="is not a readable truth file"):
        match_clusters(reco, reco)
