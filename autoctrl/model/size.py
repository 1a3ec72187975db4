"""How many bytes, in words. Pure."""

from __future__ import annotations

STEP = 1000


def spell_size(size: int) -> str:
    """Return bytes as ``512 B``, ``1.5 kB``, ``3.2 GB``; 1 kB is 1000 bytes."""
    if size < STEP:
        return f"{size} B"
    number = float(size)
    for unit in ("kB", "MB", "GB"):
        number /= STEP
        if number < STEP:
            return f"{number:.1f} {unit}"
    return f"{number / STEP:.1f} TB"
