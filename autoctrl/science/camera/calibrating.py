"""Makes the calibration of the friend modules from reconstructed runs of which the truth is
known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autoctrl.errors import DataError
from autoctrl.files import replacing
from autoctrl.science.camera.events import check_branches
from autoctrl.science.camera.friend_modules import FEATURES, QUANTILES, features_of, place_features
from autoctrl.science.camera.score.truth import are_lone, read_truth, see_object
from autoctrl.science.rootio import get_tree, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

FARTHEST = 15.0  # pixels between the centres of an object and of the cluster that it is
LEAST_CLUSTERS = 30
BRANCHES = ("run", "event", "sc_xmean", "sc_ymean", *FEATURES)


class Gas(NamedTuple):
    """How electrons spread while they drift: pixels at no drift, pixels per root of cm, length of
    the drift in cm.
    """

    sigma_0: float = 3.0
    diffusion: float = 1.6
    drift_cm: float = 50.0


@dataclass(frozen=True)
class Known:
    """Clusters that are one lone object each: what was measured, and the truth.

    ``clusters`` (n) records with ``FEATURES``; ``counts`` (n) the light of the object; ``sigma``
    (n) the spread of its light, pixels; ``is_spot`` (n) whether it is round; ``runs`` (n) the run
    of each.
    """

    clusters: Any
    counts: Values
    sigma: Values
    is_spot: NDArray[np.bool_]
    runs: NDArray[np.int64]


class Made(NamedTuple):
    """A calibration, and how well it does on the clusters that it was made of.

    ``spreads`` are mean and standard deviation of measured and of corrected light over true light;
    ``inside`` is the fraction of true lights between the 5 % and the 95 % quantile.
    """

    parameters: Mapping[str, Mapping[str, Any]]
    clusters: int
    runs: tuple[int, ...]
    before: tuple[float, float]
    after: tuple[float, float]
    inside: float


def match_clusters(reco: Path, truth: Path) -> Known:
    """Return the clusters of a run that are one lone object; raises DataError when the files do not
    fit.
    """
    import awkward as ak

    known = read_truth(truth)
    with open_file(reco) as file:
        tree = get_tree(file, "Events")
        check_branches(tree, BRANCHES)
        events = tree.arrays(list(BRANCHES), library="ak")
    rows: list[tuple[int, int, float, float, bool, int]] = []
    for place, (run, event) in enumerate(zip(events["run"], events["event"], strict=True)):
        things = known.of(int(run), int(event), reco)
        centres = np.stack(
            [np.asarray(events[place][name], np.float64) for name in ("sc_xmean", "sc_ymean")],
            axis=1,
        )
        objects = [
            seen for thing in things if (seen := see_object(thing, known.geometry)) is not None
        ]
        for thing, is_lone in zip(objects, are_lone(objects), strict=True):
            distances = np.hypot(*(centres - thing.centre).T)
            if is_lone and len(distances) and distances.min() <= FARTHEST:
                rows.append(
                    (
                        place,
                        int(distances.argmin()),
                        thing.counts,
                        thing.sigma,
                        thing.kind == "spot",
                        int(run),
                    )
                )
    entry, number, counts, sigma, is_spot, run = (
        np.array(rows, dtype=np.float64).reshape(-1, len(fields(Known)) + 1).T
    )
    places = entry.astype(np.int64), number.astype(np.int64)
    clusters = ak.zip(
        {name: ak.values_astype(events[name][places], np.float64) for name in FEATURES}
    )
    return Known(clusters, counts, sigma, is_spot.astype(np.bool_), run.astype(np.int64))


def join_known(samples: Sequence[Known]) -> Known:
    """Return the clusters of several runs together."""
    import awkward as ak

    joined = [
        ak.concatenate([getattr(sample, field.name) for sample in samples])
        for field in fields(Known)
    ]
    return Known(joined[0], *(np.asarray(column) for column in joined[1:]))


def fit_calibration(known: Known, gas: Gas) -> Made:
    """Return the calibration that these clusters give; raises DataError when they are too few.

    The logarithm of true over measured light is a linear function of the features: by least squares
    for its mean, by least absolute deviations, weighted for the quantile, for the others (Koenker
    and Bassett, 1978).
    """
    import awkward as ak

    features = features_of(known.clusters)
    is_sound = ~np.asarray(ak.is_none(features[0]))
    if is_sound.sum() < LEAST_CLUSTERS or (known.is_spot & is_sound).sum() < LEAST_CLUSTERS // 3:
        message = (
            f"{is_sound.sum()} clusters, {(known.is_spot & is_sound).sum()} of them round, are "
            "one lone object each; "
        )
        message += f"a calibration needs {LEAST_CLUSTERS}, a third of them round."
        raise DataError(message, hint="Give more runs, or runs with more events.")
    plain = [np.asarray(ak.drop_none(feature), np.float64) for feature in features]
    low, high = [float(f.min()) for f in plain], [float(f.max()) for f in plain]
    matrix = np.stack(
        [np.ones(len(plain[0])), *map(np.asarray, place_features(plain, low, high))], axis=1
    )
    light, counts = np.asarray(known.clusters["sc_integral"])[is_sound], known.counts[is_sound]
    wanted = np.log(counts / light)
    coefficients = {"mean": np.linalg.lstsq(matrix, wanted)[0]}
    coefficients |= {
        name: fit_quantile(matrix, wanted, quantile) for name, quantile in QUANTILES.values()
    }
    regression = {"low": low, "high": high} | {
        name: [float(c) for c in cs] for name, cs in coefficients.items()
    }
    corrected = light * np.exp(matrix @ coefficients["mean"])
    is_inside = (wanted >= matrix @ coefficients["q05"]) & (wanted <= matrix @ coefficients["q95"])
    return Made(
        {"regression": regression, "depth": fit_width(known) | gas._asdict()},
        len(light),
        tuple(sorted(set(known.runs.tolist()))),
        describe(light / counts),
        describe(corrected / counts),
        float(is_inside.mean()),
    )


def describe(ratios: Values) -> tuple[float, float]:
    """Return mean and standard deviation."""
    return float(ratios.mean()), float(ratios.std())


def fit_quantile(matrix: Values, wanted: Values, quantile: float) -> Values:
    """Return the coefficients (k) of a quantile's linear function of the columns of ``matrix`` (n,
    k).

    ``wanted`` (n) are the values; the least weighted deviations are a linear program.
    """
    from scipy.optimize import linprog

    count, columns = matrix.shape
    cost = np.concatenate(
        [np.zeros(columns), np.full(count, quantile), np.full(count, 1 - quantile)]
    )
    unit = np.eye(count)
    bounds = [(None, None)] * columns + [(0, None)] * (2 * count)
    found = linprog(cost, A_eq=np.hstack([matrix, unit, -unit]), b_eq=wanted, bounds=bounds)
    coefficients: Values = found.x[:columns]
    return coefficients


def fit_width(known: Known) -> dict[str, float]:
    """Return the line from the square of the measured spread across to that of the true one, of
    round clusters.
    """
    measured = np.asarray(known.clusters["sc_tfullrms"], np.float64)[known.is_spot] ** 2
    slope, offset = np.polyfit(measured, known.sigma[known.is_spot] ** 2, 1)
    return {"offset": float(offset), "slope": float(slope)}


def write_calibration(made: Made, output: Path, runs: tuple[int, int | None], comment: str) -> None:
    """Write a calibration of one range of runs; ``output`` appears only when it is complete."""
    lines = ["[[range]]", f"first = {runs[0]}"] + ([] if runs[1] is None else [f"last = {runs[1]}"])
    lines.append(f"comment = {json.dumps(comment)}")
    for module, parameters in made.parameters.items():
        lines += [
            "",
            f"[range.parameters.{module}]",
            *(f"{name} = {_spell(v)}" for name, v in parameters.items()),
        ]
    with replacing(output) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _spell(value: float | list[float]) -> str:
    return (
        f"[{', '.join(map(_spell, value))}]"
        if isinstance(value, list)
        else repr(float(f"{value:.9g}"))
    )
