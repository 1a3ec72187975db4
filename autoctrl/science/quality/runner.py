"""Runs plots over data: one that fails is reported and never stops the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autoctrl.science.quality.plots import PlotResult
from autoctrl.science.quality.report_schema import is_number
from autoctrl.science.quality.thresholds import Level, Reference, Threshold, Verdict, find_worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autoctrl.science.quality.plots import Plot

LONGEST = 480


@dataclass
class Report:
    """What the plots gave, how their numbers were judged, and the reasons of the plots that
    failed.
    """

    results: dict[str, PlotResult] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers of all plots; what is infinite (1e100 and more) or nan is left out, as
        if not measured.
        """
        found = {
            name: value
            for result in self.results.values()
            for name, value in result.numbers.items()
        }
        return {name: float(value) for name, value in found.items() if is_number(float(value))}

    @property
    def histograms(self) -> dict[str, dict[str, Any]]:
        """The histograms by plot."""
        return {
            name: result.histograms for name, result in self.results.items() if result.histograms
        }

    @property
    def level(self) -> Level:
        """The worst verdict; a failed plot is an alarm."""
        return Level.ALARM if self.failed else find_worst(self.verdicts)

    def judge(self, thresholds: Sequence[Threshold], reference: Reference | None = None) -> None:
        """Judge the numbers."""
        self.verdicts = [threshold.judge(self.numbers, reference) for threshold in thresholds]

    def sentences(self, level: str) -> list[str]:
        """Return what is to say at a level: which number is beyond which limit, which plot
        failed.
        """
        said = [
            verdict.reason for verdict in self.verdicts if verdict.level == level and verdict.reason
        ]
        broken = [f"plot {name} failed: {reason}" for name, reason in self.failed.items()]
        return said + (broken if level == Level.ALARM else [])

    def fields(self) -> dict[str, float | str]:
        """Return numbers, level (0 to 2) and the texts ``alarm`` and ``warning`` as custom fields
        of a task.
        """
        texts = {"alarm": self.sentences(Level.ALARM), "warning": self.sentences(Level.WARN)}
        return (
            self.numbers
            | {"level": self.level.rank}
            | {name: _one(said) for name, said in texts.items() if said}
        )

    def as_json(self) -> dict[str, Any]:
        """Return everything but histograms and figures as plain values."""
        verdicts = [
            {"number": v.number, "level": str(v.level), "reason": v.reason} for v in self.verdicts
        ]
        weights = {name: result.weight for name, result in self.results.items() if result.weight}
        return {
            "level": str(self.level),
            "numbers": self.numbers,
            "verdicts": verdicts,
            "failed": self.failed,
            "weights": weights,
        }


def evaluate(
    plots: Sequence[Plot], chunks: Iterable[Any], before: Mapping[str, PlotResult] | None = None
) -> Report:
    """Let every plot take in all chunks of data, on top of what it gave ``before``; one that fails
    is left out then.

    What remains of a run is one chunk and the histograms, whatever its length.
    """
    report = Report(dict(before or {}))
    for data in chunks:
        for plot in plots:
            if plot.name not in report.failed:
                _take_in(plot, data, report)
    return report


def _take_in(plot: Plot, data: Any, report: Report) -> None:  # noqa: ANN401 - what a plot reads is its own affair
    try:
        report.results[plot.name] = check_result(plot(data, report.results.get(plot.name)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plot raises is its own failure
        report.failed[plot.name] = f"{type(error).__name__}: {error}"
        report.results.pop(plot.name, None)


def check_result(result: object) -> PlotResult:
    """Return what a plot returned; raises TypeError for what is not a result."""
    if not isinstance(result, PlotResult):
        message = f"it returned {type(result).__name__}; a plot returns a PlotResult"
        raise TypeError(message)
    for value in result.numbers.values():
        float(value)
    if not is_number(float(result.weight)):
        message = f"its weight is {result.weight}"
        raise TypeError(message)
    for name, histogram in result.histograms.items():
        if not hasattr(histogram, "axes") or not hasattr(histogram, "view"):
            message = f"what it calls the histogram {name} is {type(histogram).__name__}"
            raise TypeError(message)
    return result


def _one(said: Sequence[str]) -> str:
    """Return sentences as one text that fits into a field; what is too much is counted."""
    kept = list(said)
    while len(text := "; ".join(kept)) > LONGEST and len(kept) > 1:
        kept.pop()
    rest = len(said) - len(kept)
    return text[:LONGEST] + (f"; and {rest} more" if rest else "")
