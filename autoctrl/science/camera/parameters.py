"""What the reconstruction of a run goes by: parameters, as they are stored with every output,
sensor and its maps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from autoctrl.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FULL_SIZE = 2304
FULL_ROWS = (304, 2054)
LONGEST_SIDE = 1 << 16
VETO_SUM = 2 * 100 * FULL_SIZE**2 + 9_000_000


@dataclass(frozen=True)
class Parameters:
    """Thresholds and radii; distances of the clustering are in coarse cells."""

    cimax: int = 5000
    nsigma: float = 0.6
    rebin: int = 4
    min_neighbors_average: float = 1.2
    dbscan_eps: float = 12.0
    dbscan_minsamples: float = 20.0
    dir_radius: float = 28.0
    dir_min_accuracy: float = 0.95
    dir_minsamples: float = 12.0
    dir_thickness: float = 6.5
    max_attempts: int = 3
    isolation_radius: float = 5.0
    redpix_min_integral: float = 850.0
    redpix_max_length: float = 100_000.0


def is_side(value: object) -> bool:
    """Say whether a value, from whatever file, can be the rows or columns of a sensor."""
    return type(value) is int and 0 < value <= LONGEST_SIDE


@dataclass(frozen=True)
class Geometry:
    """A sensor of ``rows`` x ``cols`` pixels; the rows kept and the limit of a discharge go with
    its size.
    """

    rows: int
    cols: int

    def __post_init__(self) -> None:
        """Refuse a sensor that cannot be divided into coarse cells."""
        if min(self.rows, self.cols) < 16 or self.rows % 4 or self.cols % 4:  # noqa: PLR2004 - a border of 2 cells
            message = (
                f"a sensor of {self.rows} x {self.cols} pixels is too small or not a multiple of 4."
            )
            raise DataError(message)

    @property
    def rows_kept(self) -> tuple[int, int]:
        """First row kept and first row not kept."""
        first, last = FULL_ROWS
        return first * self.rows // FULL_SIZE, last * self.rows // FULL_SIZE

    @property
    def veto_sum(self) -> int:
        """Sum of a raw frame above which the event is a discharge."""
        return VETO_SUM * self.rows * self.cols // FULL_SIZE**2

    def stored(self) -> dict[str, int]:
        """Return the geometry as it is stored beside the parameters; x is the row, y the column."""
        first, last = self.rows_kept
        return {
            "npixx": self.rows,
            "npixy": self.cols,
            "xmin": first,
            "xmax": last,
            "ymin": 0,
            "ymax": self.cols,
        }


@dataclass
class Pedestal:
    """Maps of a sensor (rows, cols), ``mean`` and ``rms`` in counts, both float32, and the run they
    come from.
    """

    mean: NDArray[np.float32]
    rms: NDArray[np.float32]
    run: int = -1

    @property
    def geometry(self) -> Geometry:
        """The sensor's. Raises ``DataError`` for one that cannot be reconstructed."""
        return Geometry(*self.mean.shape)


def stored_parameters(parameters: Parameters, geometry: Geometry) -> dict[str, int | float]:
    """Return parameters and geometry as the values of the one entry of ``Reco_params``, whole
    numbers as such.

    The number of attempts is stored as a float: so the published files have it.
    """
    return asdict(parameters) | {"max_attempts": float(parameters.max_attempts)} | geometry.stored()
