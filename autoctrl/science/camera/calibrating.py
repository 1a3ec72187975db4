"""Makes the calibration of the friend modules from runs of which the truth is known."""

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
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from autoctrl.science.camera.score.truth import Truth

    Values = NDArray[np.float64]

FARTHEST = 15.0  # pixels between the centres of an object and of the cluster that it is
LEAST_CLUSTERS = 30
BRANCHES = ("run", "event", "sc_xmean", "sc_ymean", *FEATURES)


class Gas(NamedTuple):
    """How electrons spread while they drift.

    ``sigma_0`` pixels without drift, ``diffusion`` pixels per root of cm, ``drift_cm`` the length
    of the drift.
    """

    sigma_0: float = 3.0
    diffusion: float = 1.6
    drift_cm: float = 50.0


@dataclass(frozen=True)
class KnownClusters:
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

    @property
    def light(self) -> Values:
        """The measured light."""
        return np.asarray(self.clusters["sc_integral"])

    @property
    def distinct_runs(self) -> tuple[int, ...]:
        """The runs, each once, in order."""
        return tuple(sorted(set(self.runs.tolist())))


class Match(NamedTuple):
    """A lone object, and the entry and the number in it of the cluster that it is."""

    entry: int
    cluster: int
    counts: float
    sigma: float
    is_spot: bool
    run: int


class Spread(NamedTuple):
    """Mean and standard deviation of light over true light."""

    mean: float
    sigma: float

    def __str__(self) -> str:
        """Write both."""
        return f"{self.mean:.3f} ± {self.sigma:.3f}"


class FittedCalibration(NamedTuple):
    """A calibration, and how well it does on the clusters that it was made of.

    ``before`` is the spread of the measured light, ``after`` that of the corrected light;
    ``inside`` is the fraction of true lights between the 5 % and the 95 % quantile.
    """

    parameters: Mapping[str, Mapping[str, Any]]
    clusters: int
    runs: tuple[int, ...]
    before: Spread
    after: Spread
    inside: float

    def fields(self) -> dict[str, float]:
        """Return what is reported as custom fields."""
        spreads = {"spread_before": self.before.sigma, "spread_after": self.after.sigma}
        return {"clusters": self.clusters, **spreads}


def calibrate_runs(runs: Iterable[tuple[Path, Path]], gas: Gas) -> FittedCalibration:
    """Return the calibration that some reconstructed files give, each with its truth."""
    samples = [match_clusters(reco, truth) for reco, truth in runs]
    return fit_calibration(join_known(samples), gas)


def match_clusters(reco: Path, truth: Path) -> KnownClusters:
    """Return a run's clusters that are one lone object; raises DataError for files of two runs."""
    known = read_truth(truth)
    with open_file(reco) as file:
        tree = get_tree(file, "Events")
        check_branches(tree, BRANCHES)
        events = tree.arrays(list(BRANCHES), library="ak")
    matches: list[Match] = []
    for entry, (run, event) in enumerate(zip(events["run"], events["event"], strict=True)):
        things = known.of(int(run), int(event), reco)
        seen = [see_object(thing, known.geometry) for thing in things]
        objects = [thing for thing in seen if thing is not None]
        matches += _match_event(entry, int(run), events[entry], objects)
    return _collect(events, matches)


def _collect(events: Any, matches: Sequence[Match]) -> KnownClusters:  # noqa: ANN401 - awkward arrays
    """Return what was measured of the clusters that were matched, beside the truth."""
    import awkward as ak

    where = (
        np.array([match.entry for match in matches], np.int64),
        np.array([match.cluster for match in matches], np.int64),
    )
    features = {name: ak.values_astype(events[name][where], np.float64) for name in FEATURES}
    return KnownClusters(
        ak.zip(features),
        counts=np.array([match.counts for match in matches], np.float64),
        sigma=np.array([match.sigma for match in matches], np.float64),
        is_spot=np.array([match.is_spot for match in matches], np.bool_),
        runs=np.array([match.run for match in matches], np.int64),
    )


def _match_event(entry: int, run: int, clusters: Any, objects: Sequence[Truth]) -> Iterator[Match]:  # noqa: ANN401 - an awkward record
    """Yield the lone objects of an event that have a cluster's centre near by."""
    centres = np.stack(
        [np.asarray(clusters[name], np.float64) for name in ("sc_xmean", "sc_ymean")], axis=1
    )
    for thing, is_lone in zip(objects, are_lone(objects), strict=True):
        distances = np.hypot(*(centres - thing.centre).T)
        if is_lone and len(distances) and distances.min() <= FARTHEST:
            nearest = int(distances.argmin())
            yield Match(entry, nearest, thing.counts, thing.sigma, thing.kind == "spot", run)


def join_known(samples: Sequence[KnownClusters]) -> KnownClusters:
    """Return the clusters of several runs together."""
    import awkward as ak

    clusters, *columns = (
        ak.concatenate([getattr(sample, field.name) for sample in samples])
        for field in fields(KnownClusters)
    )
    return KnownClusters(clusters, *map(np.asarray, columns))


def fit_calibration(known: KnownClusters, gas: Gas) -> FittedCalibration:
    """Return the calibration that these clusters give; raises DataError when they are too few.

    The logarithm of true over measured light is a linear function of the features: by least squares
    for its mean, by least absolute deviations, weighted for the quantile, for the others (Koenker
    and Bassett, 1978).
    """
    import awkward as ak

    features = features_of(known.clusters)
    is_sound = ~np.asarray(ak.is_none(features[0]))
    _refuse_few(is_sound, known.is_spot)
    sound = [np.asarray(ak.drop_none(feature), np.float64) for feature in features]
    low, high = ends_of(sound)
    matrix = _matrix_of(place_features(sound, low, high))
    light, counts = known.light[is_sound], known.counts[is_sound]
    wanted = np.log(counts / light)
    lines = _fit_lines(matrix, wanted)
    regression = {"low": low, "high": high, **_as_lists(lines)}
    return FittedCalibration(
        parameters={"regression": regression, "depth": fit_width(known) | gas._asdict()},
        clusters=len(light),
        runs=known.distinct_runs,
        before=describe(light / counts),
        after=describe(light * np.exp(matrix @ lines["mean"]) / counts),
        inside=_fraction_inside(matrix, lines, wanted),
    )


def _matrix_of(features: Sequence[Any]) -> Values:
    """Return a column of ones, and one of each feature."""
    columns = [np.asarray(feature) for feature in features]
    return np.stack([np.ones(len(columns[0])), *columns], axis=1)


def _fraction_inside(matrix: Values, lines: Mapping[str, Values], wanted: Values) -> float:
    """Return which fraction of the values lies between the outer quantiles."""
    is_inside = (wanted >= matrix @ lines["q05"]) & (wanted <= matrix @ lines["q95"])
    return float(is_inside.mean())


def _as_lists(lines: Mapping[str, Values]) -> dict[str, list[float]]:
    return {name: list(map(float, line)) for name, line in lines.items()}


def _fit_lines(matrix: Values, wanted: Values) -> dict[str, Values]:
    """Return the coefficients of the mean, and those of every quantile, by their names."""
    mean, *_ = np.linalg.lstsq(matrix, wanted)
    lines: dict[str, Any] = {"mean": mean}
    for name, quantile in QUANTILES.values():
        lines[name] = fit_quantile(matrix, wanted, quantile)
    return lines


def ends_of(features: Sequence[Values]) -> tuple[list[float], list[float]]:
    """Return the least and the largest value of each feature."""
    low = [float(feature.min()) for feature in features]
    high = [float(feature.max()) for feature in features]
    return low, high


def _refuse_few(is_sound: NDArray[np.bool_], is_spot: NDArray[np.bool_]) -> None:
    clusters, spots = int(is_sound.sum()), int((is_spot & is_sound).sum())
    if clusters < LEAST_CLUSTERS or spots < LEAST_CLUSTERS // 3:
        found = f"{clusters} clusters, {spots} of them round, are one lone object each"
        needed = f"a calibration needs {LEAST_CLUSTERS}, a third of them round"
        message = f"{found}; {needed}."
        raise DataError(message, hint="Give more runs, or runs with more events.")


def describe(ratios: Values) -> Spread:
    """Return mean and standard deviation."""
    return Spread(float(ratios.mean()), float(ratios.std()))


def fit_quantile(matrix: Values, wanted: Values, quantile: float) -> Values:
    """Return the coefficients (k) of a quantile's linear function of a matrix's columns (n, k).

    ``wanted`` (n) are the values; the least weighted deviations are a linear program.
    """
    from scipy.optimize import linprog

    count, columns = matrix.shape
    above, below = np.full(count, quantile), np.full(count, 1 - quantile)
    cost = np.concatenate([np.zeros(columns), above, below])
    unit = np.eye(count)
    bounds = [(None, None)] * columns + [(0, None)] * (2 * count)
    found = linprog(cost, A_eq=np.hstack([matrix, unit, -unit]), b_eq=wanted, bounds=bounds)
    coefficients: Values = found.x[:columns]
    return coefficients


def fit_width(known: KnownClusters) -> dict[str, float]:
    """Fit the square of the true spread of round clusters as a line of the measured one's."""
    measured = np.asarray(known.clusters["sc_tfullrms"], np.float64)[known.is_spot] ** 2
    slope, offset = np.polyfit(measured, known.sigma[known.is_spot] ** 2, 1)
    return {"offset": float(offset), "slope": float(slope)}


def write_calibration(
    made: FittedCalibration, output: Path, runs: tuple[int, int | None], comment: str
) -> None:
    """Write a calibration of one range of runs; ``output`` appears only when it is complete."""
    first, last = runs
    lines = ["[[range]]", f"first = {first}"]
    if last is not None:
        lines.append(f"last = {last}")
    lines.append(f"comment = {json.dumps(comment)}")
    for module, parameters in made.parameters.items():
        lines += ["", f"[range.parameters.{module}]"]
        lines += [f"{name} = {_spell(value)}" for name, value in parameters.items()]
    with replacing(output) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _spell(value: float | list[float]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_spell, value))}]"
    return repr(float(f"{value:.9g}"))
