"""The command ``autoctrl-camera``: what the camera workflows run, on files given by path."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from autoctrl import __version__
from autoctrl.errors import AutoctrlError
from autoctrl.science.camera.dq_cli import dq, dq_merge, dq_trend
from autoctrl.science.camera.friends_cli import calibrate, friends
from autoctrl.science.camera.options import (
    FILE,
    VERSION,
    example,
    parse_range,
    refuse_overwriting,
    report_fields,
    science,
    with_options,
)
from autoctrl.science.camera.score_cli import score
from autoctrl.science.camera.simulation_cli import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def camera() -> None:
    """Simulate, calibrate and reconstruct camera runs.

    Outputs appear under their final name only when they are complete.
    """


@camera.command(**example("autoctrl-camera inspect run04501.mid.gz --format json"))
@click.argument("raw", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--head",
    is_flag=True,
    help="Read only the beginning of the run: attributes, but no count and no end.",
)
def inspect(raw: Path, form: str, *, head: bool) -> None:
    """Say what a raw run says about itself.

    That is: attributes, events, and whether it is closed, open or corrupt.
    """
    from autoctrl.science.camera.raw.rawfile import read_head, summarise

    summary = read_head(raw) if head else summarise(raw)
    known = {
        name: getattr(summary, name) for name in ("events", "lost_events", "is_closed", "state")
    }
    content = {"schema": 1, "run": summary.run, "attributes": summary.attributes}
    content |= dict.fromkeys(known) if head else known
    content["problem"] = summary.problem or None
    if form == "json":
        click.echo(json.dumps(content))
        return
    click.echo(
        f"run {summary.run}" + ("" if head else f": {summary.events} events, {summary.state}")
    )
    for name, value in summary.attributes.items():
        click.echo(f"  {name:14} {value}")
    if summary.problem:
        click.echo(summary.problem)


@camera.command(
    **example("autoctrl-camera pedestal run04500.mid.gz --output pedestal_run04500.root")
)
@click.argument("raw", type=FILE)
@click.option(
    "--output",
    required=True,
    type=FILE,
    help="The maps, with the quality numbers and how they were made.",
)
@click.option(
    "--events", "frames", default=100, show_default=True, help="Use at most the first N frames."
)
def pedestal(raw: Path, output: Path, frames: int) -> None:
    """Compute mean and noise of every pixel from a pedestal run."""
    refuse_overwriting([output], [raw])
    maps = science("pedestal")
    run = maps.make_pedestal(raw, frames)
    maps.write_pedestal(run, output, VERSION)
    numbers = run.numbers()
    report_fields({name: value for name, value in numbers.items() if name != "run"})
    click.echo(
        f"{output}: run {numbers['run']}, {numbers['frames']} frames ({numbers['vetoed']} vetoed), "
        f"mean {numbers['mean']:.3f}, rms {numbers['rms']:.3f}, noisy "
        f"{numbers['noisy_fraction']:.2e}"
    )


RECO_OPTIONS = (
    click.option(
        "--pedestal",
        "maps",
        required=True,
        type=FILE,
        help="What `autoctrl-camera pedestal` wrote.",
    ),
    click.option(
        "--events",
        "chosen",
        default=":",
        help="Half-open range FIRST:LAST.  [default: all of a closed run]",
    ),
    click.option(
        "--vignetting",
        type=FILE,
        help="ROOT file with the response of the lens as a TH2.  [default: factor 1]",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Events to work on in parallel.",
    ),
    click.option(
        "--tolerate",
        default="0",
        show_default=True,
        help="Events that may be lost: 2, or 1% of the range.",
    ),
    click.option("--output", required=True, type=FILE, help="ROOT file with the tree Events."),
)


@camera.command(
    **example(
        "autoctrl-camera reco run04501.mid.gz --pedestal ped.root --events 0:200 --output "
        "reco_run04501.root"
    )
)
@click.argument("raw", type=FILE)
@with_options(*RECO_OPTIONS)
def reco(
    raw: Path,
    maps: Path,
    chosen: str,
    vignetting: Path | None,
    output: Path,
    **options: Any,  # noqa: ANN401
) -> None:
    """Reconstruct the clusters of a run's frames.

    If the raw run is damaged, the events before the damage are kept as OUTPUT with .partial before
    its suffix.
    """
    refuse_overwriting([output], [raw, maps, vignetting])
    span = parse_range(chosen)
    tolerate = science("tolerance").parse_tolerance(options["tolerate"], span)
    pedestal_maps = science("pedestal").read_pedestal(maps)
    factor = None
    if vignetting is not None:
        factor = science("vignetting").read_vignetting(vignetting, pedestal_maps.geometry)
    counts = science("reco").reconstruct_run(
        raw,
        pedestal_maps,
        output,
        span,
        VERSION,
        threads=options["threads"],
        tolerate=tolerate,
        vignetting=factor,
    )
    click.echo(f"{output}: {report_counts(asdict(counts))}, {counts.seconds:.1f} s")


def report_counts(counts: dict[str, Any]) -> str:
    """Report what a reconstruction counted as fields, and return it in words.

    Events that are lost are a warning.
    """
    words = (
        f"{counts['events']} events, {counts['clusters']} clusters, {counts['sparks']} discharges"
    )
    if not counts["lost_events"]:
        report_fields(counts)
        return words
    lost = f"{counts['lost_events']} of {counts['events']} events are lost"
    report_fields(counts | {"warning": lost})
    return f"{lost}, {words}"


@camera.command(
    **example(
        "autoctrl-camera merge part0.root part1.root --entries 400 --output reco_run04501.root"
    )
)
@click.argument("parts", type=FILE, nargs=-1, required=True)
@click.option(
    "--entries", type=click.IntRange(0), help="How many events the parts must have together."
)
@click.option(
    "--output", required=True, type=FILE, help="The whole run, as `autoctrl-camera reco` writes it."
)
def merge(parts: tuple[Path, ...], output: Path, entries: int | None) -> None:
    """Join the reconstructed parts of a run, given in order, and count what the whole has."""
    refuse_overwriting([output], parts)
    counts = science("merging").merge_parts(parts, output, entries)
    click.echo(f"{output}: {report_counts(counts)}")


for command in (simulate, score, friends, calibrate, dq, dq_merge, dq_trend):
    camera.add_command(command)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command and exit; an error of ours is one paragraph on standard error.

    ``words`` are its arguments, those of the process if there are none.
    """
    try:
        camera.main(words, prog_name="autoctrl-camera", standalone_mode=True)
    except AutoctrlError as error:
        click.echo(f"autoctrl-camera: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        what = f"{error.filename or 'a file'} cannot be used: {error.strerror or error}."
        click.echo(f"autoctrl-camera: {what}", err=True)
        sys.exit(AutoctrlError.exit_code)
