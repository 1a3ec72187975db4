"""Reports on disk: a JSON of numbers and verdicts, beside it the histograms as a ROOT file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError
from autoctrl.files import digest_of, replacing
from autoctrl.science.quality.histograms import add_parts, read_histograms, write_histograms
from autoctrl.science.quality.plots import PlotResult
from autoctrl.science.quality.report_schema import check_report, make_anew
from autoctrl.science.quality.thresholds import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.science.quality.runner import Report

SCHEMA = 1


@dataclass(frozen=True)
class Stored:
    """A report as it was written: where, and what stands in it."""

    path: Path
    content: dict[str, Any]

    @property
    def run(self) -> int:
        """The run's number."""
        return int(self.content["run"])

    @property
    def about(self) -> dict[str, Any]:
        """What the data are, as the detector's part wrote it."""
        return dict(self.content["about"])

    @property
    def events(self) -> tuple[int, int]:
        """The half-open range of entries that were taken in."""
        first, last = self.content["events"]
        return int(first), int(last)

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers by name."""
        return dict(self.content["numbers"])

    @property
    def failed(self) -> dict[str, str]:
        """The reasons of the plots that failed."""
        return dict(self.content["failed"])

    def picture(self, plot: str) -> Path | None:
        """Return where the picture of a plot lies, None if there is none."""
        name = self.content["pictures"].get(plot)
        return None if name is None else self.path.with_name(name)

    def results(self) -> dict[str, PlotResult]:
        """Return what the plots gave, without numbers and figures.

        Raises DataError where the histograms are not those that the report was written with.
        """
        stored = self.content["histograms"]
        path = self.path.with_name(stored["file"])
        if not path.exists() or digest_of(path).sha256 != stored["sha256"]:
            message = f"{path} does not hold the histograms that {self.path} was written with."
            raise DataError(message, hint="Keep both together, or make the report again.")
        results = {plot: PlotResult(named) for plot, named in read_histograms(path).items()}
        for plot, weight in self.content["weights"].items():
            results.setdefault(plot, PlotResult()).weight = weight
        return results


def write_report(
    report: Report,
    output: Path,
    about: Mapping[str, Any],
    events: tuple[int, int],
    **more: Any,  # noqa: ANN401 - plain values
) -> None:
    """Write the histograms as ``output`` with the suffix ``.root``, then the report on them.

    ``about`` says what the data are, ``events`` which entries were taken in; ``more`` is written
    beside them, and a report that is to be read again has ``run``, ``plots`` and ``pictures`` in
    it.
    """
    histograms = output.with_suffix(".root")
    write_histograms(histograms, report.histograms)
    kept = {"file": histograms.name, "sha256": digest_of(histograms).sha256}
    content = {
        "schema": SCHEMA,
        **more,
        "about": dict(about),
        "events": list(events),
        "histograms": kept,
    }
    text = json.dumps(content | report.as_json(), indent=1, sort_keys=True, allow_nan=False)
    with replacing(output) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_report(path: Path) -> Stored:
    """Return a report that ``write_report`` wrote, every value checked.

    Raises DataError for another file, and for a value that is missing or of another kind, with file
    and key.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        message = f"the report {path} cannot be read: {error.strerror or error}."
        raise DataError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{path} is not a data-quality report: it is not JSON ({error})."
        raise DataError(message, hint=make_anew()) from error
    check_report(path, content)
    return Stored(path, content)


def read_reference(path: Path) -> Reference:
    """Return the numbers of a report to compare with; raises DataError for another file."""
    stored = read_report(path)
    return Reference(f"run {stored.run}", stored.numbers)


class Whole(NamedTuple):
    """Several parts as one: what the plots gave, what failed in any part, the range of entries."""

    results: dict[str, PlotResult]
    failed: dict[str, str]
    first: int
    last: int


def merge_parts(parts: Sequence[Stored]) -> Whole:
    """Return what the reports of a run's parts say together.

    Parts are of the same data and follow each other without gap; anything else raises DataError.
    """
    ordered = sorted(parts, key=lambda part: part.events)
    for one, other in pairwise(ordered):
        _refuse_other_data(one, other)
        _refuse_gap(one, other)
    failed: dict[str, str] = {}
    for part in ordered:
        failed |= part.failed
    first, _ = ordered[0].events
    _, last = ordered[-1].events
    return Whole(_add_results([part.results() for part in ordered]), failed, first, last)


def _add_results(parts: Sequence[Mapping[str, PlotResult]]) -> dict[str, PlotResult]:
    """Return what the plots gave for several parts together: sums, and the largest weight."""
    sums = add_parts({plot: result.histograms for plot, result in part.items()} for part in parts)
    weights: dict[str, float] = {}
    for part in parts:
        for plot, result in part.items():
            weights[plot] = max(result.weight, weights.get(plot, result.weight))
    return {plot: PlotResult(sums.get(plot, {}), weight=weight) for plot, weight in weights.items()}


def _refuse_other_data(one: Stored, other: Stored) -> None:
    if one.about == other.about:
        return
    differing = sorted(name for name in one.about if one.about[name] != other.about.get(name))
    both = f"{one.path} and {other.path}"
    message = f"{both} are not parts of one run: {', '.join(differing)} differ."
    raise DataError(message)


def _refuse_gap(one: Stored, other: Stored) -> None:
    (_, end), (begin, _) = one.events, other.events
    if end != begin:
        message = f"{one.path} ends before entry {end}, {other.path} begins at {begin}."
        hint = "Give every part once; together they must cover all entries."
        raise DataError(message, hint=hint)


def find_heaviest(parts: Sequence[Stored], plot: str) -> Stored | None:
    """Return the part whose figure of a plot is kept, the earliest of equal ones, if any has it."""
    ordered = sorted(parts, key=lambda part: part.events)
    having = [part for part in ordered if plot in part.content["weights"]]
    return max(having, key=lambda part: part.content["weights"][plot], default=None)
