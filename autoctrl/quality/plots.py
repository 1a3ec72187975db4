"""What a plot is, and the register of those that are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from autoctrl.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass
class PlotResult:
    """What one plot gives: a figure (or none) and named numbers."""

    figure: Any = None
    numbers: dict[str, float] = field(default_factory=dict)


class Plot(Protocol):
    """Turns a run's data into a figure and numbers."""

    @property
    def name(self) -> str:
        """How the plot is chosen, and what its picture is called."""

    def __call__(self, data: Any, previous: Mapping[str, float] | None = None) -> PlotResult:  # noqa: ANN401
        """Draw ``data``; ``previous`` holds the numbers of an earlier run to compare with."""


Kind = TypeVar("Kind", bound="type[Plot]")
_PLOTS: dict[str, Plot] = {}


def register(kind: Kind) -> Kind:
    """Make an instance of a plot's class known under its name; use it as a decorator."""
    plot = kind()
    _PLOTS[plot.name] = plot
    return kind


def chosen_plots(names: Iterable[str] | None = None) -> list[Plot]:
    """Return the named plots, or all that are known, in the order of registering; raises UsageError if unknown."""
    if names is None:
        return list(_PLOTS.values())
    plots = []
    for name in names:
        if name not in _PLOTS:
            message = f"there is no plot {name!r}."
            raise UsageError(message, hint=nearest(name, _PLOTS))
        plots.append(_PLOTS[name])
    return plots
