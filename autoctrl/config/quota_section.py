"""The settings that every kind of quota has."""

from __future__ import annotations

from dataclasses import dataclass

from autoctrl.config.declaration import setting


@dataclass(frozen=True, kw_only=True)
class QuotaSettings:
    """``[quotas.<name>]``: what every kind of quota has."""

    type: str = setting("Kind of quota.")
    warn: float = setting(
        "Percent of the limit from which on people are told; 0: never.", 85.0, least=0
    )
    hold: float = setting(
        "Percent of the limit from which on new jobs are not submitted; 0: never.", 0.0, least=0
    )
    margin: float = setting(
        "How far the use must be below `warn` or `hold` until that is over, percent of the limit.",
        2.0,
        least=0,
    )
    workflows: str = setting(
        "Workflows whose new jobs `hold` keeps back, as patterns: camera-* dq. Empty means all.", ""
    )
    every_s: float = setting("How often it is asked, seconds.", 60.0, least=1)
