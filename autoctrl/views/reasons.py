"""Reasons that several tasks share. Pure."""

from __future__ import annotations

import re

from autoctrl.model.unit import spoken


def general(reason: str, unit: str) -> str:
    """Return a reason that does not name its own unit: ``run 4521 is too young`` of run 4521 is
    ``the run is …``.
    """
    name = spoken(unit)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"the {name.partition(' ')[0]}", reason)
