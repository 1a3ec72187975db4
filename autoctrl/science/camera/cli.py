"""The command ``autoctrl-camera``: what the camera workflows run, on files given by path."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from autoctrl import __version__
from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.model.unit import parse_runs
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
)

if TYPE_CHECKING:
    from pathlib import Path


def parse_size(text: str) -> tuple[int, int]:
    """Return rows and columns of a sensor of ``2304`` or ``4096x2304`` (width x height) pixels."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text.strip())
    if not match:
        message = f"{text!r} is no size of a sensor."
        raise UsageError(message, hint="Write it as 2304, or as WIDTHxHEIGHT, 4096x2304.")
    return int(match[2] or match[1]), int(match[1])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def camera() -> None:
    """Simulate, calibrate and reconstruct camera runs.

    Outputs appear under their final name only when they are complete.
    """


@camera.command(
    **example("autoctrl-camera simulate --runs 4500-4503 --events 6 --seed 1 --output raw")
)
@click.option("--runs", "--run", "runs", required=True, help="Run numbers: 4501 or 4500-4503,4510.")
@click.option(
    "--kind",
    type=click.Choice(["pedestal", "physics"]),
    help="Kind of all runs.  [default: see below]",
)
@click.option(
    "--pedestal-every",
    default=0,
    help="Without --kind: every Nth run, from the first, is a pedestal run;"
    " 0 = only the first of several.",
)
@click.option(
    "--events",
    default=6,
    show_default=True,
    help="Events of a physics run (of every run with --kind).",
)
@click.option(
    "--pedestal-events",
    default=25,
    show_default=True,
    help="Events of a pedestal run (without --kind).",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same files, byte for byte.")
@click.option("--fill", type=int, help="Fill number.  [default: four runs a fill]")
@click.option(
    "--size",
    default="2304",
    show_default=True,
    help="Sensor in pixels, multiples of 4: a square's width, or WIDTHxHEIGHT, 4096x2304.",
)
@click.option("--small", is_flag=True, help="A sensor of 576 pixels, for quick tries.")
@click.option(
    "--spots", type=int, help="Round spots per event.  [default: 6, fewer on a small sensor]"
)
@click.option("--alphas", type=int, help="Alpha tracks per event.  [default: 1]")
@click.option("--muons", type=int, help="Muon tracks per event.  [default: 1]")
@click.option(
    "--electrons", type=int, help="Curled tracks per event.  [default: 2, 1 on a small sensor]"
)
@click.option(
    "--live",
    type=float,
    is_flag=False,
    flag_value=0.5,
    metavar="[SECONDS]",
    help=("Let the file grow in place, this many seconds per event (0.5 when none are given)."),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mid.gz", "mid", "h5", "root"]),
    default="mid.gz",
    show_default=True,
    help="Container of the frames: MIDAS, HDF5, ROOT.",
)
@click.option(
    "--output",
    required=True,
    type=FILE,
    help="Folder of the runs, their truth and the table runs.csv.",
)
def simulate(**options: Any) -> None:  # noqa: ANN401
    """Write raw runs as the DAQ does: run04501.mid.gz, the truth run04501.truth.json, a line in
    runs.csv.

    Without --kind one run alone is a physics run, and of several runs the first is a pedestal run.
    """
    daq = science("simulation.daq")
    plans = plan_runs(options)
    with click.progressbar(
        plans, label="simulate", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as progress:
        for plan in progress:
            path = daq.write_run(plan, options["output"], options["form"], pause_s=options["live"])
            click.echo(f"{path}: {plan.kind} run of {plan.events} events")
    report_fields({"runs": len(plans), "events": sum(plan.events for plan in plans)})


def plan_runs(options: dict[str, Any]) -> list[Any]:
    """Return the plan of every run asked for; raises DataError for a sensor of an impossible
    size.
    """
    daq, light, parameters = (
        science("simulation.daq"),
        science("simulation.light"),
        science("parameters"),
    )
    rows, cols = (576, 576) if options["small"] else parse_size(options["size"])
    parameters.Geometry(rows, cols)
    default = light.content_for((rows, cols))
    kinds = ("spots", "alphas", "muons", "electrons")
    content = light.Content(
        **{k: getattr(default, k) if options[k] is None else options[k] for k in kinds}
    )
    runs = parse_runs(options["runs"])
    every = options["pedestal_every"] or (len(runs) if len(runs) > 1 else 0)
    plans = []
    for index, run in enumerate(runs):
        kind = options["kind"] or ("pedestal" if every and index % every == 0 else "physics")
        is_default_pedestal = options["kind"] is None and kind == "pedestal"
        events = options["pedestal_events"] if is_default_pedestal else options["events"]
        plans.append(
            daq.RunPlan(
                run,
                kind,
                events,
                seed=options["seed"],
                size=cols,
                height=rows,
                content=content,
                fill=options["fill"],
            )
        )
    return plans


@camera.command(**example("autoctrl-camera inspect run04501.mid.gz --format json"))
@click.argument("raw", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option(
    "--head",
    is_flag=True,
    help="Read the begin of the run alone: attributes, but no count and no end.",
)
def inspect(raw: Path, form: str, *, head: bool) -> None:
    """Say what a raw run says about itself: attributes, events, and whether it is closed, open or
    corrupt.
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


@camera.command(
    **example(
        "autoctrl-camera reco run04501.mid.gz --pedestal ped.root --events 0:200 --output "
        "reco_run04501.root"
    )
)
@click.argument("raw", type=FILE)
@click.option(
    "--pedestal", "maps", required=True, type=FILE, help="What `autoctrl-camera pedestal` wrote."
)
@click.option(
    "--events",
    "chosen",
    default=":",
    help="Half-open range FIRST:LAST.  [default: all of a closed run]",
)
@click.option(
    "--vignetting",
    type=FILE,
    help="ROOT file with the response of the lens as a TH2.  [default: factor 1]",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Events worked at side by side.",
)
@click.option(
    "--tolerate",
    default="0",
    show_default=True,
    help="Events that may be lost: 2, or 1% of the range.",
)
@click.option("--output", required=True, type=FILE, help="ROOT file with the tree Events.")
def reco(
    raw: Path,
    maps: Path,
    chosen: str,
    vignetting: Path | None,
    output: Path,
    **options: Any,  # noqa: ANN401
) -> None:
    """Reconstruct the clusters of a run's frames.

    Where the raw run is damaged, what comes before is kept as OUTPUT with .partial before its
    ending.
    """
    refuse_overwriting([output], [raw, maps, vignetting])
    span = parse_range(chosen)
    tolerate = science("tolerance").parse_tolerance(options["tolerate"], span)
    taken = science("pedestal").read_pedestal(maps)
    factor = (
        None
        if vignetting is None
        else science("vignetting").read_vignetting(vignetting, taken.geometry)
    )
    counts = science("reco").reconstruct_run(
        raw,
        taken,
        output,
        span,
        VERSION,
        threads=options["threads"],
        tolerate=tolerate,
        vignetting=factor,
    )
    click.echo(f"{output}: {report_counts(asdict(counts))}, {counts.seconds:.1f} s")


def report_counts(counts: dict[str, Any]) -> str:
    """Report what a reconstruction counted as fields, with a warning if events are lost; returns it
    in words.
    """
    lost = (
        f"{counts['lost_events']} of {counts['events']} events are lost"
        if counts["lost_events"]
        else ""
    )
    report_fields(counts | ({"warning": lost} if lost else {}))
    words = (
        f"{counts['events']} events, {counts['clusters']} clusters, {counts['sparks']} discharges"
    )
    return f"{lost}, {words}" if lost else words


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


@camera.command(
    **example("autoctrl-camera score reco_run04501.root run04501.truth.json --picture score.png")
)
@click.argument("reco_file", metavar="RECO", type=FILE)
@click.argument("truth", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--picture", type=FILE, help="Draw the distributions, as PNG.")
def score(reco_file: Path, truth: Path, form: str, picture: Path | None) -> None:
    """Compare a reconstructed run with the simulation's truth: efficiency, purity, light, position
    and length.

    An object is lone when no other one comes nearer than 120 pixels, else it is crossing.
    """
    found = science("score.scoring").score_run(reco_file, truth)
    content = found.as_json()
    report_fields(
        {name: content[name] for name in ("efficiency", "purity") if content[name] is not None}
    )
    if picture:
        science("plots.pictures").save_picture(
            science("score.agreement").draw_agreement(found), picture
        )
    if form == "json":
        click.echo(json.dumps(content))
        return
    columns = ("light", "row", "column", "along", "across", "excess")
    click.echo(
        f"{'kind':20}{'objects':>8}{'found':>7}{'efficiency':>12}"
        + "".join(f"{c:>18}" for c in columns)
    )
    for kind, row in content["kinds"].items():
        for name, sample in row["classes"].items():
            if not sample["objects"]:
                continue
            cells = [
                f"{kind} {name}".ljust(20),
                *(f"{sample[k]:{w}}" for k, w in (("objects", 8), ("found", 7))),
            ]
            cells.append(f"{sample['efficiency']:12.3f}")
            values = [sample.get(column) for column in columns]
            cells += [
                (f"{v['median']:.3f} ± {v['half_width']:.3f}" if v else "-").rjust(18)
                for v in values
            ]
            click.echo("".join(cells))
    efficiency, purity = (
        f"{content[k]:.3f}" if content[k] is not None else "-" for k in ("efficiency", "purity")
    )
    click.echo(
        f"efficiency {efficiency}, purity {purity}: of {content['clusters']} clusters "
        f"{content['true_clusters']} are "
        f"true and {content['single_clusters']} hold one object alone"
    )


for command in (friends, calibrate, dq, dq_merge, dq_trend):
    camera.add_command(command)


def main() -> None:
    """Run the command; an error of ours is one paragraph on standard error and its exit code."""
    try:
        camera.main(prog_name="autoctrl-camera", standalone_mode=True)
    except AutoctrlError as error:
        click.echo(f"autoctrl-camera: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        click.echo(
            (
                f"autoctrl-camera: {error.filename or 'a file'} cannot be used: "
                f"{error.strerror or error}."
            ),
            err=True,
        )
        sys.exit(AutoctrlError.exit_code)
