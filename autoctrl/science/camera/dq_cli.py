"""The commands ``autoctrl-camera dq``, ``dq-merge`` and ``dq-trend``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autoctrl.science.camera.options import (
    FILE,
    load_extensions,
    parse_range,
    refuse_overwriting,
    report_fields,
    science,
    with_options,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


JUDGING = with_options(
    click.option(
        "--output",
        required=True,
        type=FILE,
        help="The report, as JSON; the histograms lie beside it.",
    ),
    click.option(
        "--from",
        "sources",
        multiple=True,
        type=FILE,
        help="Python file that registers more plots.",
    ),
    click.option(
        "--pictures",
        type=FILE,
        help="Beginning of the pictures' names.  [default: OUTPUT without .json]",
    ),
    click.option(
        "--reference",
        type=FILE,
        help="Report of a run to compare with, instead of the one in --limits.",
    ),
    click.option(
        "--limits", type=FILE, help="Settings file of the limits.  [default: nothing is judged]"
    ),
)


def judgement_of(quality: Any, output: Path, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a module, and its class
    """Return where the report goes and what its numbers are judged by."""
    prefix = options["pictures"] or output.with_suffix("")
    return quality.Judgement(output, prefix, options["limits"], options["reference"])


def tell_report(report: Any, output: Path, *, is_judged: bool) -> None:  # noqa: ANN401 - a report of quality
    """Report a run's numbers and what is wrong with them, and print the latter."""
    fields = report.fields()
    report_fields(fields if is_judged else {"level": fields["level"]})
    verdict = str(report.level) if is_judged else "a part, not judged"
    sentences = [*report.sentences("alarm"), *report.sentences("warn")]
    click.echo(f"{output}: {'; '.join([verdict, *sentences])}")


@click.command(
    epilog=(
        "Example: autoctrl-camera dq reco_run04501.root --pedestal ped.root --raw "
        "run04501.mid.gz --output dq.json"
    )
)
@click.argument("reco_file", metavar="RECO", type=FILE)
@click.option(
    "--pedestal",
    "maps",
    required=True,
    type=FILE,
    help="The pedestal that the reconstruction used.",
)
@click.option(
    "--friends", "friend_file", type=FILE, help="The friend file; its alignment is checked."
)
@click.option(
    "--raw",
    type=FILE,
    help="The raw run: pedestal drift, start, rate, and the frame of the event shown.",
)
@click.option(
    "--events",
    "chosen",
    default=":",
    help="Only the entries FIRST:LAST: a part, to be merged.  [default: all]",
)
@click.option(
    "--previous",
    type=FILE,
    help="The run's report so far: only the entries that it lacks are read.",
)
@JUDGING
def dq(
    reco_file: Path,
    maps: Path,
    output: Path,
    sources: tuple[Path, ...],
    **options: Any,  # noqa: ANN401 - what click hands over
) -> None:
    """Judge a run: numbers with warnings and alarms, histograms, and the pictures
    PREFIX_<plot>.png.

    The plots are pedestal, noisy, frames, occupancy, clusters, light, energy, depth and display.
    """
    read = reco_file, maps, options["friend_file"], options["raw"]
    written = output, output.with_suffix(".root")
    refuse_overwriting(written, [*read, options["limits"], options["reference"]])
    quality = science("plots.dq")
    load_extensions(sources)
    chosen = parse_range(options["chosen"])
    report = quality.judge_run(
        quality.RunFiles(*read),
        judgement_of(quality, output, options),
        chosen=chosen,
        previous=options["previous"],
    )
    tell_report(report, output, is_judged=chosen == (0, None))


@click.command(
    "dq-merge",
    epilog="Example: autoctrl-camera dq-merge part0.json part1.json --output dq_run04501.json",
)
@click.argument("parts", metavar="PART...", nargs=-1, required=True, type=FILE)
@click.option(
    "--entries", type=click.IntRange(0), help="Entries that all parts must have together."
)
@JUDGING
def dq_merge(
    parts: tuple[Path, ...],
    output: Path,
    sources: tuple[Path, ...],
    **options: Any,  # noqa: ANN401 - what click hands over
) -> None:
    """Join the reports of a run's parts: their histograms are added, then the run is judged."""
    written = output, output.with_suffix(".root")
    refuse_overwriting(written, [options["limits"], options["reference"]])
    quality = science("plots.dq")
    load_extensions(sources)
    judgement = judgement_of(quality, output, options)
    report = quality.merge_reports(parts, judgement, entries=options["entries"])
    tell_report(report, output, is_judged=True)


@click.command(
    "dq-trend", epilog="Example: autoctrl-camera dq-trend dq_run*.json --output trend.json"
)
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True, type=FILE)
@click.option(
    "--axis",
    type=click.Choice(["run", "time"]),
    default="run",
    show_default=True,
    help="What runs go by.",
)
@click.option("--picture", type=FILE, help="The picture, as PNG.  [default: OUTPUT with .png]")
@click.option("--output", required=True, type=FILE, help="The trends, as JSON.")
def dq_trend(reports: tuple[Path, ...], axis: str, picture: Path | None, output: Path) -> None:
    """Draw light yield, resolution, pedestal drift and rate over runs.

    Runs with alarms are drawn, marked, and left out of means and bands.
    """
    drawn = picture or output.with_suffix(".png")
    refuse_overwriting([output, drawn], reports)
    trends = science("plots.trends")
    content = trends.write_trends(reports, output, drawn, by_time=axis == "time")
    means = {
        name: trend["mean"]
        for name, trend in content["trends"].items()
        if trend["mean"] is not None
    }
    report_fields(means | {"runs": len(content["runs"]), "alarms": len(content["alarms"])})
    click.echo(
        f"{output}: {len(content['runs'])} runs, {len(content['alarms'])} of them with an alarm"
    )
