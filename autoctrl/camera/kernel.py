"""Finds the compiled kernel, or says how to build it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class KernelMissing(AutoctrlError):
    """The extension module was not built when autoctrl was installed."""


def reduce_noise(edge: NDArray[np.float64], min_neighbors_average: float) -> None:
    """Do what ``reference.reduce_noise`` does, bit for bit and compiled; raises KernelMissing when it is not built."""
    try:
        from autoctrl.camera._kernel import reduce_noise as compiled
    except ImportError as error:
        message = "The compiled kernel autoctrl.camera._kernel is missing: it was not built for this Python."
        hint = (
            "With a C compiler at hand, build it: pip install --force-reinstall --no-deps . (in the project's folder)"
        )
        raise KernelMissing(message, hint=hint) from error
    compiled(edge, min_neighbors_average)
