"""Runs plots over a run's data: one that fails is reported and never stops the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autoctrl.quality.thresholds import Level, Threshold, Verdict, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.quality.plots import Plot


@dataclass
class Report:
    """All figures and numbers of a run, what was judged, and the reasons of the plots that failed."""

    figures: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """The worst verdict; a failed plot is an alarm."""
        return Level.ALARM if self.failed else worst(self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """Return everything but the figures as plain values."""
        verdicts = [{"number": v.number, "level": str(v.level), "reason": v.reason} for v in self.verdicts]
        return {"level": str(self.level), "numbers": self.numbers, "verdicts": verdicts, "failed": self.failed}


def evaluate(
    plots: Sequence[Plot],
    data: Any,  # noqa: ANN401 - what a plot reads is its own affair
    thresholds: Sequence[Threshold] = (),
    previous: Mapping[str, float] | None = None,
) -> Report:
    """Run every plot and judge the numbers."""
    report = Report()
    for plot in plots:
        try:
            result = plot(data, previous)
        except Exception as error:  # noqa: BLE001 - whatever a plot raises is its own failure, kept as the reason
            report.failed[plot.name] = f"{type(error).__name__}: {error}"
            continue
        report.figures[plot.name] = result.figure
        report.numbers |= {name: float(value) for name, value in result.numbers.items()}
    report.verdicts = [threshold.judge(report.numbers) for threshold in thresholds]
    return report
