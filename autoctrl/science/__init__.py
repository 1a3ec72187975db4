"""Science: ROOT files, friend trees, data quality and the camera, behind one door.

The rest of autoctrl uses these names and no others; each is imported only when it is asked for,
and raises MissingExtra where the packages of the extra ``science`` are not installed.  Authors of
workflows use ``autoctrl.science.friends`` and ``autoctrl.science.quality`` besides.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoctrl.science.rootio import check_alignment, count_entries

__all__ = ["check_alignment", "count_entries"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the lazy names have every type
    """Import a name of the door from where it lives."""
    if name not in __all__:
        message = f"module 'autoctrl.science' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module("autoctrl.science.rootio"), name)
