"""Frames of a raw run, whatever its container, in the orientation in which the reconstruction
works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import DataError
from autoctrl.science.camera.raw.rawfile import open_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]


def read_events(
    path: Path, first: int = 0, last: int | None = None
) -> Iterator[tuple[int, Frame | DataError]]:
    """Yield (event, working frame), or why it is lost, for ``first <= event < last``; one frame is
    kept at a time.

    ``last=None`` reads all and needs a closed run.  Raises DataError when the run ends earlier.
    """
    with open_run(path) as run:
        yield from run.events(first, last)


def read_frames(path: Path, first: int = 0, last: int | None = None) -> Iterator[tuple[int, Frame]]:
    """Yield what ``read_events`` yields; raises DataError at the first event that is lost, too."""
    for number, frame in read_events(path, first, last):
        if isinstance(frame, DataError):
            raise frame
        yield number, frame
