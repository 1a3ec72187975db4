"""What a plot is, what it gives, and the register of those that are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar


class Tier(StrEnum):
    """What a plot reads: raw frames and pedestals, reconstructed events, or friends."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"


@dataclass
class PlotResult:
    """What one plot gives.

    ``histograms`` can be added: those of two parts sum up to those of the whole, so they are filled
    with integers or with multiples of a power of two, never with what was rounded on the way.
    ``numbers`` and ``figure`` follow from them; ``figure`` is a matplotlib figure, a function that
    draws one, or None.  Of figures that cannot be added the one with the largest ``weight`` is
    kept, the earlier of equal ones.
    """

    histograms: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    figure: Any = None
    weight: float = 0.0


class Plot(Protocol):
    """Turns data into histograms or a figure, and numbers."""

    @property
    def name(self) -> str:
        """What the plot and its picture are called."""

    @property
    def tier(self) -> Tier:
        """What it reads."""

    def __call__(self, data: Any, previous: PlotResult | None = None) -> PlotResult:  # noqa: ANN401
        """Take in new data on top of ``previous``, what it gave for all data before them.

        The data may be empty: then the result says what ``previous`` amounts to.
        """


Kind = TypeVar("Kind", bound="type[Plot]")
_PLOTS: dict[str, Plot] = {}


def register(kind: Kind) -> Kind:
    """Make an instance of a plot's class known under its name; use it as a decorator."""
    plot = kind()
    _PLOTS[plot.name] = plot
    return kind


def registered_plots() -> list[Plot]:
    """Return the plots that are known, in the order in which they were registered."""
    return list(_PLOTS.values())
