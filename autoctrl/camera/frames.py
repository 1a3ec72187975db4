"""Frames of a raw run in the orientation in which the reconstruction works."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from autoctrl.camera.rawfile import RawFile, camera_banks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]


def to_working(stored: Frame) -> Frame:
    """Turn a frame as the DAQ stores it, A, into the working frame W[i, j] = A[i, n - 1 - j] (and back)."""
    return stored[:, ::-1]


def read_frames(path: Path, first: int = 0, last: int | None = None) -> Iterator[tuple[int, Frame]]:
    """Yield (event number, working frame) for camera events ``first <= number < last``; one frame is kept at a time.

    ``last=None`` reads all and needs a closed run.  Raises DataError for truncated or corrupt files.
    """
    with RawFile(path) as file:
        file.read_settings()
        for number, data in camera_banks(file, first, last):
            size = isqrt(len(data) // 2)
            if 2 * size * size != len(data):
                file.refuse(f"a camera bank of {len(data)} bytes is no square frame of 16-bit words")
            yield number, to_working(np.frombuffer(data, dtype="<u2").reshape(size, size))
