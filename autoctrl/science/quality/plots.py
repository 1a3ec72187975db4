"""What a plot is, what it gives, and the register of those that are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from autoctrl.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Tier(StrEnum):
    """How far the data that a plot reads have come: raw frames and pedestals, reconstructed events,
    friends.
    """

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
        """How the plot is chosen, and what its picture is called."""

    @property
    def tier(self) -> Tier:
        """What it reads."""

    def __call__(self, data: Any, previous: PlotResult | None = None) -> PlotResult:  # noqa: ANN401
        """Take in ``data``, which are new, on top of ``previous``, what it gave for all data before
        them.

        The data may be empty: then the result says what ``previous`` amounts to.
        """


Kind = TypeVar("Kind", bound="type[Plot]")
_PLOTS: dict[str, Plot] = {}


def register(kind: Kind) -> Kind:
    """Make an instance of a plot's class known under its name; use it as a decorator."""
    plot = kind()
    _PLOTS[plot.name] = plot
    return kind


def chosen_plots(names: Iterable[str] | None = None) -> list[Plot]:
    """Return the named plots, or all that are known, in the order of registering; raises UsageError
    if unknown.
    """
    if names is None:
        return list(_PLOTS.values())
    plots = []
    for name in names:
        if name not in _PLOTS:
            message = f"there is no plot {name!r}."
            raise UsageError(message, hint=nearest(name, _PLOTS))
        plots.append(_PLOTS[name])
    return plots
