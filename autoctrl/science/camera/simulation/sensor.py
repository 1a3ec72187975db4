"""The simulated sensor: its pedestal, its noise, and the frames that it delivers.

All draws are double precision and in a fixed order, so a frame is a pure function of the sensor and
the seeds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autoctrl.science.camera.simulation.light import FULL_SIZE, Content, draw_scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.float64]
    Frame = NDArray[np.uint16]
    Seed = int | Sequence[int]

SENSOR_SEED = 20240321
WARM_FRACTION = 2e-4


class Sensor:
    """One camera: pedestal ``mean`` near 99 counts and ``rms`` near 1.6 for every pixel, both
    read-only.
    """

    def __init__(
        self, shape: tuple[int, int] = (FULL_SIZE, FULL_SIZE), seed: int = SENSOR_SEED
    ) -> None:
        """Draw the pedestal of rows x columns pixels; 2e-4 of them are warm, 3 to 12 times
        noisier.
        """
        generator = np.random.default_rng(seed)
        self.shape = shape
        self.mean: Image = 99.0 + generator.normal(0.0, 0.4, shape)
        self.rms: Image = np.clip(generator.lognormal(np.log(1.6), 0.18, shape), 0.8, None)
        warm = generator.random(shape) < WARM_FRACTION
        self.rms[warm] *= generator.uniform(3.0, 12.0, warm.sum())
        self.mean.setflags(write=False)
        self.rms.setflags(write=False)

    def _draw_dark(self, seed: Seed) -> Image:
        """Return pedestal plus noise, not yet digitised."""
        dark = np.random.default_rng(seed).standard_normal(self.shape)
        dark *= self.rms
        dark += self.mean
        return dark

    def draw_pedestal(self, noise_seed: Seed) -> Frame:
        """Return a frame without light."""
        return digitise(self._draw_dark(noise_seed))

    def draw_event(
        self, noise_seed: Seed, light_seed: Seed, content: Content
    ) -> tuple[Frame, list[dict[str, Any]]]:
        """Return a frame with light, and the truth: one mapping per object."""
        generator = np.random.default_rng(light_seed)
        scene = draw_scene(generator, self.shape, content)
        counts = self._draw_dark(noise_seed)
        # a dark pixel takes no random number, so drawing for the lit ones alone gives the same
        # photons
        lit = scene.light > 0
        counts[lit] += generator.poisson(scene.light[lit])
        return digitise(counts), scene.truth


@lru_cache(maxsize=1)
def sensor_of(shape: tuple[int, int]) -> Sensor:
    """Return the one sensor of those rows and columns that all simulated runs share."""
    return Sensor(shape)


def digitise(counts: Image) -> Frame:
    """Round half to even and saturate to 16 bits; the argument is overwritten."""
    np.rint(counts, out=counts)
    np.clip(counts, 0, 65535, out=counts)
    return counts.astype(np.uint16)
