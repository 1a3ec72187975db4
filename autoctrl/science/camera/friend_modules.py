"""The camera's friend modules: light corrected by a regression with its quantiles, depth from the
light's spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autoctrl.science.friends import Numbers, register

if TYPE_CHECKING:
    from collections.abc import Mapping

# branch suffix → parameter; published files have _up and _dn the other way round
QUANTILES = {"_dn": ("q05", 0.05), "": ("q50", 0.5), "_up": ("q95", 0.95)}
FEATURES = ("sc_integral", "sc_nhits", "sc_size", "sc_tfullrms")


def features_of(events: Any) -> list[Any]:  # noqa: ANN401 - awkward arrays
    """Return what the regression knows of each cluster; None for a cluster without light, active
    pixels or width.

    Natural logarithms of the light, of the light per active pixel and of the spread across the
    axis, and the fraction of pixels that are active.
    """
    import awkward as ak
    import numpy as np

    light, hits, size, width = (events[branch] for branch in FEATURES)
    is_sound = (light > 0) & (hits > 0) & (width > 0)
    light, hits, size, width = (ak.mask(values, is_sound) for values in (light, hits, size, width))
    return [np.log(light), np.log(light / hits), np.log(width), hits / size]


def place_features(features: list[Any], low: list[float], high: list[float]) -> list[Any]:
    """Return features from 0, the least that the regression was made of, to 1, the most; beyond it
    they stay there.
    """
    import awkward as ak

    placed = []
    for values, least, most in zip(features, low, high, strict=True):
        scaled = (values - least) / (most - least if most > least else 1.0)
        placed.append(ak.where(scaled < 0, 0.0, ak.where(scaled > 1, 1.0, scaled)))
    return placed


@register
class RegressedIntegral:
    """Corrects a cluster's light by a regression on its light, density, width and fill: ``integral
    * exp(c0 + c . f)``.

    ``sc_regr_integral`` is the mean; ``sc_qregr_integral`` the median, ``_up`` and ``_dn`` the 95 %
    and 5 % quantiles of the true light of clusters like this one, in counts.
    """

    name = "regression"
    needs = FEATURES
    branches = ("sc_regr_integral", *(f"sc_qregr_integral{suffix}" for suffix in QUANTILES))
    parameters: ClassVar = dict.fromkeys(("low", "high"), Numbers(len(FEATURES))) | dict.fromkeys(
        ("mean", *(parameter for parameter, _ in QUANTILES.values())), Numbers(1 + len(FEATURES))
    )

    def __call__(self, events: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return the corrected light; none for a cluster without light, active pixels or width."""
        import numpy as np

        placed = place_features(features_of(events), parameters["low"], parameters["high"])

        def correct(parameter: str) -> Any:  # noqa: ANN401
            offset, *slopes = parameters[parameter]
            exponent = sum(
                (slope * values for slope, values in zip(slopes, placed, strict=True)), offset
            )
            return events["sc_integral"] * np.exp(exponent)

        low, median, high = (correct(parameter) for parameter, _ in QUANTILES.values())
        # lines that were fitted one by one may cross at the edge of what they were made of
        ordered = {"": median, "_dn": np.minimum(low, median), "_up": np.maximum(high, median)}
        quantiles = {f"sc_qregr_integral{suffix}": values for suffix, values in ordered.items()}
        return {"sc_regr_integral": correct("mean"), **quantiles}


@register
class DepthFromWidth:
    """Estimates where a cluster began to drift from the spread of its light across its axis, in cm.

    The electron cloud spreads while it drifts: ``sigma^2 = sigma_0^2 + diffusion^2 z``; sigma^2 is
    taken from the measured spread as ``offset + slope * tfullrms^2``.  Lengths of the image are in
    pixels, ``diffusion`` in pixels per root of cm.
    """

    name = "depth"
    needs = ("sc_tfullrms",)
    branches = ("sc_z",)
    parameters: ClassVar = {
        "offset": Numbers(),
        "slope": Numbers(above=0),
        "sigma_0": Numbers(least=0),
        "diffusion": Numbers(above=0),
        "drift_cm": Numbers(above=0),
    }

    def __call__(self, events: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return the depth; none where it would lie outside the drift volume: too narrow, or
        several objects in one.
        """
        import awkward as ak

        spread = parameters["offset"] + parameters["slope"] * events["sc_tfullrms"] ** 2
        depth = (spread - parameters["sigma_0"] ** 2) / parameters["diffusion"] ** 2
        return {"sc_z": ak.mask(depth, (depth >= 0) & (depth <= parameters["drift_cm"]))}
