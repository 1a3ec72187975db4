"""Data quality of one run: numbers as JSON, histograms and pictures beside them; from parts, or on
top of what was.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from autoctrl.errors import DataError
from autoctrl.science.camera.events import BRANCHES
from autoctrl.science.camera.plots import display, midplots, raw_frames
from autoctrl.science.camera.plots.pictures import draw_failure, save_picture, styled
from autoctrl.science.camera.plots.rundata import About, Files, Run, nothing
from autoctrl.science.quality import (
    Report,
    chosen_plots,
    evaluate,
    read_limits,
    read_reference,
    read_report,
    write_report,
)
from autoctrl.science.quality.reports import heaviest, merged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from autoctrl.science.quality.reports import Stored

KNOWN = (display, raw_frames, midplots)  # imported, they register their plots
LATER = "it was not there when the earlier report was made; make the report anew"


def judge_run(
    files: Files,
    output: Path,
    prefix: Path,
    *,
    chosen: tuple[int, int | None] = (0, None),
    previous: Path | None = None,
    limits: Path | None = None,
    reference: Path | None = None,
) -> Report:
    """Draw and judge a run: pictures ``<prefix>_<plot>.png``, histograms, and the report
    ``output``.

    With a range ``chosen`` it is a part, which is not judged.  With a ``previous`` report of the
    same run only the
    entries that it lacks are read.  Raises DataError for files that do not belong together.
    """
    run = Run(files)
    stored = None if previous is None else read_report(previous)
    first, last = chosen
    if max(first, last or 0) > run.entries:
        message = (
            f"{files.reco} has {run.entries} entries; {first}:{'' if last is None else last} "
            "asks for others."
        )
        raise DataError(message)
    is_part = chosen != (0, None)
    if stored is not None:
        first = _resume(run, stored, previous, is_part=is_part)
    plots = [
        plot for plot in chosen_plots() if stored is None or plot.name in stored.content["plots"]
    ]
    before = {} if stored is None else stored.results()
    earlier = (
        {}
        if stored is None
        else {name: why for name, why in stored.failed.items() if name not in before}
    )
    report = evaluate(
        [plot for plot in plots if plot.name not in earlier], run.chunks(first, last), before
    )
    report.failed |= earlier | {plot.name: LATER for plot in chosen_plots() if plot not in plots}
    begin = first if stored is None else stored.events[0]
    end = run.entries if last is None else min(last, run.entries)
    pictures = _pictures(report, prefix, is_part=is_part)
    if not is_part:
        _judge(report, limits, reference)
    _draw_all(report, pictures, [] if stored is None else [stored])
    _write(report, run.about, output, pictures, (begin, end))
    return report


def merge_reports(
    paths: Sequence[Path],
    output: Path,
    prefix: Path,
    *,
    entries: int | None = None,
    limits: Path | None = None,
    reference: Path | None = None,
) -> Report:
    """Join the reports of a run's parts as if the run had been judged at once; of displays the
    fullest is kept.

    Raises DataError for parts that are not of one run, leave a gap, or are not ``entries``
    together.
    """
    parts = [read_report(path) for path in paths]
    before, failed, (first, last) = merged(parts)
    if first or (entries is not None and last != entries):
        wanted = "" if entries is None else f" of {entries}"
        message = f"the parts cover the entries {first} to {last}{wanted}: not the whole run."
        raise DataError(message, hint="Give every part.")
    about = About.from_report(parts[0])
    data = nothing(about, list(BRANCHES))
    plots = [plot for plot in chosen_plots() if plot.name in before and plot.name not in failed]
    report = evaluate(
        plots, [data], {name: result for name, result in before.items() if name not in failed}
    )
    report.failed |= failed
    pictures = _pictures(report, prefix)
    _judge(report, limits, reference)
    _draw_all(report, pictures, parts)
    _write(report, about, output, pictures, (first, last))
    return report


def _resume(run: Run, stored: Stored, path: Path | None, *, is_part: bool) -> int:
    """Return the first entry that an earlier report of the run lacks; raises DataError when it is
    of something else.
    """
    about, (first, last) = About.from_report(stored).as_json(), stored.events
    differing = sorted(name for name, value in run.about.as_json().items() if about[name] != value)
    if differing:
        message = (
            f"{path} is about something else than {run.files.reco}: {', '.join(differing)} differ."
        )
        raise DataError(message, hint="Without --previous the report is made anew.")
    if is_part or first or last > run.entries:
        message = (
            f"{path} holds the entries {first} to {last}, {run.files.reco} has {run.entries}: "
            "it cannot go on."
        )
        raise DataError(message, hint="Without --previous the report is made anew.")
    return last


def _judge(report: Report, limits: Path | None, reference: Path | None) -> None:
    if limits is None:
        return
    thresholds, named = read_limits(limits)
    chosen = reference or named
    report.judge(thresholds, None if chosen is None else read_reference(chosen))


def _pictures(report: Report, prefix: Path, *, is_part: bool = False) -> dict[str, Path]:
    """Return where the picture of every plot lies; of a part only those that cannot be drawn from a
    sum.
    """
    names = [
        plot.name
        for plot in chosen_plots()
        if plot.name in report.results or plot.name in report.failed
    ]
    if is_part:
        names = [name for name in names if name in report.results and report.results[name].weight]
    return {name: prefix.with_name(f"{prefix.name}_{name}.png") for name in names}


def _draw_all(report: Report, pictures: dict[str, Path], earlier: Sequence[Stored]) -> None:
    """Draw every plot; a figure that is not drawn anew is taken over."""
    with styled():
        for name, picture in pictures.items():
            _draw(report, name, picture, earlier)


def _write(
    report: Report, about: About, output: Path, pictures: dict[str, Path], events: tuple[int, int]
) -> None:
    made = [
        plot.name
        for plot in chosen_plots()
        if plot.name in report.results or plot.name in report.failed
    ]
    listed = {"pictures": {name: picture.name for name, picture in pictures.items()}, "plots": made}
    write_report(report, output, about.as_json(), events, run=about.run, **listed)


def _draw(report: Report, name: str, picture: Path, earlier: Sequence[Stored]) -> None:
    """Write a plot's picture; that of one which failed says why."""
    result = report.results.get(name)
    source = heaviest(earlier, name)
    try:
        if result is not None and result.figure is not None:
            figure: Any = result.figure() if callable(result.figure) else result.figure
            save_picture(figure, picture)
            return
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plot raises is its own failure
        report.failed[name] = f"{type(error).__name__}: {error}"
    drawn = None if source is None else source.picture(name)
    if drawn is not None and name not in report.failed:
        if drawn.is_file() and drawn.resolve() != picture.resolve():
            shutil.copyfile(drawn, picture)
        if drawn.is_file():
            return
    save_picture(draw_failure(name, report.failed.get(name, "there was nothing to draw.")), picture)
