"""The camera's friend modules: light corrected for saturation, depth from the spread of the light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.friends import register

if TYPE_CHECKING:
    from collections.abc import Mapping

# loss of light per unit of density: dense clusters saturate the amplification
SATURATION_PER_DENSITY = 0.011
# sigma^2 = SIGMA_0^2 + DIFFUSION^2 * depth, in pixels and cm: the electron cloud spreads while it drifts
SIGMA_0 = 3.0
DIFFUSION = 1.6
DRIFT_CM = 50.0


@register
class RegressedIntegral:
    """Corrects a cluster's light for its density: ``integral * (1 + k * integral / nhits)``, in counts."""

    name = "regression"
    needs = ("sc_integral", "sc_nhits")
    branches = ("sc_regr_integral",)

    def __call__(self, events: Any) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return the corrected light; none for a cluster without active pixels."""
        import awkward as ak

        hits = ak.mask(events["sc_nhits"], events["sc_nhits"] > 0)
        density = events["sc_integral"] / hits
        return {"sc_regr_integral": events["sc_integral"] * (1 + SATURATION_PER_DENSITY * density)}


@register
class DepthFromWidth:
    """Estimates where a cluster began to drift from the spread of its light across its axis, in cm."""

    name = "depth"
    needs = ("sc_tfullrms",)
    branches = ("sc_z",)

    def __call__(self, events: Any) -> Mapping[str, Any]:  # noqa: ANN401 - awkward arrays
        """Return the depth; none where it would lie outside the drift volume: too narrow, or several objects in one."""
        import awkward as ak

        depth = (events["sc_tfullrms"] ** 2 - SIGMA_0**2) / DIFFUSION**2
        return {"sc_z": ak.mask(depth, (depth >= 0) & (depth <= DRIFT_CM))}
