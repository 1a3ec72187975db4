"""Data quality of one run: a report of numbers, with histograms and pictures beside it.

A report is made of all events at once, of parts, or on top of an earlier report of the same run.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import DataError
from autoctrl.science.camera.events import BRANCHES
from autoctrl.science.camera.plots.pictures import draw_failure, save_picture, use_style
from autoctrl.science.camera.plots.rundata import About, Run, RunFiles, make_empty
from autoctrl.science.quality import (
    Report,
    evaluate,
    read_limits,
    read_reference,
    read_report,
    registered_plots,
    write_report,
)
from autoctrl.science.quality.reports import find_heaviest, merge_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from autoctrl.science.quality.plots import PlotResult
    from autoctrl.science.quality.reports import Stored, Whole

LATER = "it was not there when the earlier report was made; make the report again"
ANEW = "Without --previous the report is made from scratch."
# Imported, each registers its plots: in this order they are made and listed.
for module in ("raw_frames", "display", "clusters", "spectra", "depth"):
    import_module(f"autoctrl.science.camera.plots.{module}")


@dataclass(frozen=True)
class Judgement:
    """Where a report goes, and what its numbers are judged by.

    ``output`` is the report; pictures are ``<prefix>_<plot>.png``.  Without ``limits`` nothing is
    judged; ``reference`` is the report of a run to compare with, instead of the one in the limits.
    """

    output: Path
    prefix: Path
    limits: Path | None = None
    reference: Path | None = None

    def judge(self, report: Report) -> None:
        """Judge the numbers of a report."""
        if self.limits is None:
            return
        thresholds, named = read_limits(self.limits)
        reference = self.reference or named
        report.judge(thresholds, None if reference is None else read_reference(reference))

    def picture(self, plot: str) -> Path:
        """Return where the picture of a plot goes."""
        return self.prefix.with_name(f"{self.prefix.name}_{plot}.png")


class Earlier(NamedTuple):
    """What an earlier report of a run gave: results and failures by plot, and its plots."""

    results: Mapping[str, PlotResult]
    failed: Mapping[str, str]
    plots: frozenset[str]


def judge_run(
    files: RunFiles,
    judgement: Judgement,
    *,
    chosen: tuple[int, int | None] = (0, None),
    previous: Path | None = None,
) -> Report:
    """Draw and judge a run.

    With a range ``chosen`` it is a part, which is not judged.  With a ``previous`` report of the
    same run only the entries that it lacks are read.  Raises DataError for files that do not belong
    together.
    """
    run = Run(files)
    first, last = _chosen_entries(run, chosen)
    is_part = chosen != (0, None)
    stored = None if previous is None else read_report(previous)
    if stored is None:
        report = evaluate(registered_plots(), run.chunks(first, last))
        events = first, last
    else:
        events = 0, last
        report = _continue(run, stored, last, is_part=is_part)
    pictures = _pictures(report, judgement, is_part=is_part)
    if not is_part:
        judgement.judge(report)
    _draw_all(report, pictures, [] if stored is None else [stored])
    _write(report, run.about, judgement.output, pictures, events)
    return report


def _chosen_entries(run: Run, chosen: tuple[int, int | None]) -> tuple[int, int]:
    """Return the first entry and the one after the last; raises DataError for others."""
    first, last = chosen
    if max(first, last or 0) > run.entries:
        asked = f"{first}:{'' if last is None else last}"
        message = (
            f"{run.files.reco} has {run.entries} entries; {asked} asks for entries that it does "
            "not have."
        )
        raise DataError(message)
    return first, run.entries if last is None else last


def _continue(run: Run, stored: Stored, last: int, *, is_part: bool) -> Report:
    """Take in the entries that an earlier report of the run lacks."""
    first = _first_new_entry(run, stored, is_part=is_part)
    earlier = _read_earlier(stored)
    known = [plot for plot in registered_plots() if plot.name in earlier.plots]
    working = [plot for plot in known if plot.name not in earlier.failed]
    report = evaluate(working, run.chunks(first, last), earlier.results)
    report.failed |= earlier.failed
    report.failed |= {plot.name: LATER for plot in registered_plots() if plot not in known}
    return report


def _read_earlier(stored: Stored) -> Earlier:
    """Return what a report holds; a plot that gave results goes on, though it failed later."""
    results = stored.results()
    failed = {name: why for name, why in stored.failed.items() if name not in results}
    return Earlier(results, failed, frozenset(stored.content["plots"]))


def _first_new_entry(run: Run, stored: Stored, *, is_part: bool) -> int:
    """Return the first entry that a report lacks; raises DataError when it is of other data."""
    about = About.from_report(stored).as_json()
    first, last = stored.events
    differing = sorted(name for name, value in run.about.as_json().items() if about[name] != value)
    if differing:
        other = f"{stored.path} is about something else than {run.files.reco}"
        message = f"{other}: {', '.join(differing)} differ."
        raise DataError(message, hint=ANEW)
    if is_part or first or last > run.entries:
        held = f"{stored.path} holds the entries {first} to {last}"
        message = f"{held}, {run.files.reco} has {run.entries}: it cannot go on."
        raise DataError(message, hint=ANEW)
    return last


def merge_reports(
    paths: Sequence[Path], judgement: Judgement, *, entries: int | None = None
) -> Report:
    """Join the reports of a run's parts as if the run had been judged at once.

    Of displays the fullest is kept.  Raises DataError for parts that are not of one run, leave a
    gap, or are not ``entries`` together.
    """
    parts = [read_report(path) for path in paths]
    whole = merge_parts(parts)
    _refuse_incomplete(whole, entries)
    about = About.from_report(parts[0])
    results = {name: each for name, each in whole.results.items() if name not in whole.failed}
    plots = [plot for plot in registered_plots() if plot.name in results]
    report = evaluate(plots, [make_empty(about, list(BRANCHES))], results)
    report.failed |= whole.failed
    pictures = _pictures(report, judgement)
    judgement.judge(report)
    _draw_all(report, pictures, parts)
    _write(report, about, judgement.output, pictures, (whole.first, whole.last))
    return report


def _refuse_incomplete(whole: Whole, entries: int | None) -> None:
    if whole.first or (entries is not None and whole.last != entries):
        wanted = "" if entries is None else f" of {entries}"
        covered = f"the entries {whole.first} to {whole.last}{wanted}"
        message = f"the parts cover {covered}: not the whole run."
        raise DataError(message, hint="Give every part.")


def _made(report: Report) -> list[str]:
    """Return the plots that gave something or failed, in their order."""
    names = [plot.name for plot in registered_plots()]
    return [name for name in names if name in report.results or name in report.failed]


def _pictures(report: Report, judgement: Judgement, *, is_part: bool = False) -> dict[str, Path]:
    """Return where the picture of every plot lies.

    Of a part only those are drawn that cannot be drawn from a sum.
    """
    names = _made(report)
    if is_part:
        names = [name for name in names if name in report.results and report.results[name].weight]
    return {name: judgement.picture(name) for name in names}


def _write(
    report: Report, about: About, output: Path, pictures: dict[str, Path], events: tuple[int, int]
) -> None:
    names = {name: picture.name for name, picture in pictures.items()}
    listed = {"pictures": names, "plots": _made(report)}
    write_report(report, output, about.as_json(), events, run=about.run, **listed)


def _draw_all(report: Report, pictures: dict[str, Path], earlier: Sequence[Stored]) -> None:
    """Draw every plot; a figure that is not drawn anew is taken over; a failure says why."""
    with use_style():
        for name, picture in pictures.items():
            if _draw(report, name, picture) or _take_over(report, name, picture, earlier):
                continue
            reason = report.failed.get(name, "there was nothing to draw.")
            save_picture(draw_failure(name, reason), picture)


def _draw(report: Report, name: str, picture: Path) -> bool:
    """Draw the figure that a plot gave, if it gave one; one that cannot be drawn is a failure."""
    result = report.results.get(name)
    if result is None or result.figure is None:
        return False
    try:
        figure: Any = result.figure() if callable(result.figure) else result.figure
        save_picture(figure, picture)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plot raises is its own failure
        report.failed[name] = f"{type(error).__name__}: {error}"
        return False
    return True


def _take_over(report: Report, name: str, picture: Path, earlier: Sequence[Stored]) -> bool:
    """Copy the picture of the earlier report whose figure is kept, if there is one."""
    source = find_heaviest(earlier, name)
    drawn = None if source is None else source.picture(name)
    if drawn is None or name in report.failed or not drawn.is_file():
        return False
    if drawn.resolve() != picture.resolve():
        shutil.copyfile(drawn, picture)
    return True
