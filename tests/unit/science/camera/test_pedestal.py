"""Pedestal sums and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import uproot

from autoctrl.errors import DataError
from autoctrl.science.camera.histograms import make_histogram
from autoctrl.science.camera.parameters import Pedestal
from autoctrl.science.camera.pedestal import PedestalRun, Sums, read_pedestal

if TYPE_CHECKING:
    from pathlib import Path


def test_maps_are_mean_and_sample_standard_deviation() -> None:
    """One pass over integers gives what two passes in double precision give, also for values that
    wrap 16 bits.
    """
    frames = np.random.default_rng(3).integers(0, 65536, (7, 6, 6)).astype(np.uint16)
    frames[:, 0, 0] = 65535
    sums = Sums((6, 6))
    for frame in frames:
        sums.add(frame)
    mean, rms = sums.maps()
    assert mean == pytest.approx(frames.mean(axis=0), rel=1e-7)
    assert rms == pytest.approx(frames.std(axis=0, ddof=1), rel=1e-6)
    assert rms[0, 0] == 0
    assert mean.dtype == rms.dtype == np.float32


def test_one_frame_is_not_enough() -> None:
    """A pedestal of fewer than two frames is refused."""
    sums = Sums((4, 4))
    sums.add(np.ones((4, 4), np.uint16))
    with pytest.raises(DataError, match="at least 2 frames, there are 1"):
        sums.maps()


def test_numbers_tell_the_noisy_fraction() -> None:
    """A pixel above three times the median noise is noisy; used and vetoed frames are counted."""
    rms = np.ones((10, 10), np.float32)
    rms[0, :2] = 3.5
    run = PedestalRun(Pedestal(np.full((10, 10), 99, np.float32), rms, 7), [0, 2], [1])
    numbers = run.numbers()
    assert numbers["noisy_fraction"] == 0.02
    assert (numbers["run"], numbers["frames"], numbers["vetoed"], numbers["mean"]) == (7, 2, 1, 99)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("hello", "is not a pedestal file: its metadata is not JSON"),
        ("[1]", r"is not a pedestal file: metadata is the list \[1\], not an object"),
        ('{"run": 7}', "is not a pedestal file: metadata lacks checksum"),
        (
            '{"run": null, "checksum": ""}',
            r"is not a pedestal file: metadata\.run is null, not a whole number",
        ),
        ('{"run": 7, "checksum": 3}', r"is not a pedestal file: metadata\.checksum is 3, not text"),
        ('{"run": 7, "checksum": ""}', "do not have the checksum"),
    ],
)
@pytest.mark.parametrize("has_maps", [True, False])
def test_what_is_no_pedestal_is_refused(
    tmp_path: Path, metadata: str, reason: str, *, has_maps: bool
) -> None:
    """A file with the right names but another content is a sentence that names it."""
    path = tmp_path / "pedestal.root"
    with uproot.recreate(path) as file:
        for name in ("pedmap", "pedmapsigma"):
            file[name] = make_histogram(np.ones((4, 4), np.float32), "") if has_maps else "text"
        file["metadata"] = metadata
    is_told_first = has_maps or "checksum" not in reason or "is not" in reason
    with pytest.raises(
        DataError, match=reason if is_told_first else "pedmap is not a map but a TObjString"
    ) as refused:
        read_pedestal(path)
    assert str(path) in refused.value.message
