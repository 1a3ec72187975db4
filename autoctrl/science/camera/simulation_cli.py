"""The command ``autoctrl-camera simulate``."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from autoctrl.errors import UsageError
from autoctrl.model.unit import parse_runs
from autoctrl.science.camera.options import FILE, report_fields, science, with_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SMALL = 576
OBJECTS = ("spots", "alphas", "muons", "electrons")


def parse_size(text: str) -> tuple[int, int]:
    """Return rows and columns of a sensor of ``2304`` or ``4096x2304`` (width x height) pixels."""
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text.strip())
    if not match:
        message = f"{text!r} is not the size of a sensor."
        raise UsageError(message, hint="Write it as 2304, or as WIDTHxHEIGHT, 4096x2304.")
    return int(match[2] or match[1]), int(match[1])


RUN_OPTIONS = (
    click.option(
        "--runs", "--run", "runs", required=True, help="Run numbers: 4501 or 4500-4503,4510."
    ),
    click.option(
        "--kind",
        type=click.Choice(["pedestal", "physics"]),
        help="Kind of all runs.  [default: see below]",
    ),
    click.option(
        "--pedestal-every",
        default=0,
        help="Without --kind: every Nth run, from the first, is a pedestal run;"
        " 0 = only the first of several.",
    ),
    click.option(
        "--events",
        default=6,
        show_default=True,
        help="Events of a physics run (of every run with --kind).",
    ),
    click.option(
        "--pedestal-events",
        default=25,
        show_default=True,
        help="Events of a pedestal run (without --kind).",
    ),
    click.option(
        "--seed", default=1, show_default=True, help="Same seed, same files, byte for byte."
    ),
    click.option("--fill", type=int, help="Fill number.  [default: four runs a fill]"),
    click.option(
        "--size",
        default="2304",
        show_default=True,
        help="Sensor in pixels, multiples of 4: a square's width, or WIDTHxHEIGHT, 4096x2304.",
    ),
    click.option("--small", is_flag=True, help="A sensor of 576 pixels, for quick tries."),
    click.option(
        "--spots", type=int, help="Round spots per event.  [default: 6, fewer on a small sensor]"
    ),
    click.option("--alphas", type=int, help="Alpha tracks per event.  [default: 1]"),
    click.option("--muons", type=int, help="Muon tracks per event.  [default: 1]"),
    click.option(
        "--electrons", type=int, help="Curled tracks per event.  [default: 2, 1 on a small sensor]"
    ),
    click.option(
        "--live",
        type=float,
        is_flag=False,
        flag_value=0.5,
        metavar="[SECONDS]",
        help=("Let the file grow in place, this many seconds per event (0.5 when none are given)."),
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(["mid.gz", "mid", "h5", "root"]),
        default="mid.gz",
        show_default=True,
        help="Container of the frames: MIDAS, HDF5, ROOT.",
    ),
    click.option(
        "--output",
        required=True,
        type=FILE,
        help="Folder of the runs, their truth and the table runs.csv.",
    ),
)


@click.command(
    epilog="Example: autoctrl-camera simulate --runs 4500-4503 --events 6 --seed 1 --output raw"
)
@with_options(*RUN_OPTIONS)
def simulate(**options: Any) -> None:  # noqa: ANN401 - what click hands over
    """Write raw runs as the DAQ does, their truth, and a line for each in runs.csv.

    These are run04501.mid.gz and run04501.truth.json.  Without --kind one run alone is a physics
    run, and of several runs the first is a pedestal run.
    """
    daq = science("simulation.daq")
    runs = parse_runs(options["runs"])
    progress = click.progressbar(
        plan_runs(runs, options),
        length=len(runs),
        label="simulate",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    )
    events = 0
    with progress as plans:
        for plan in plans:
            path = daq.write_run(plan, options["output"], options["form"], pause_s=options["live"])
            click.echo(f"{path}: {plan.kind} run of {plan.events} events")
            events += plan.events
    report_fields({"runs": len(runs), "events": events})


def plan_runs(runs: Sequence[int], options: dict[str, Any]) -> Iterator[Any]:
    """Yield the plan of each run; raises DataError for a sensor of an impossible size."""
    daq = science("simulation.daq")
    rows, cols = (SMALL, SMALL) if options["small"] else parse_size(options["size"])
    science("parameters").Geometry(rows, cols)
    content = _content_of((rows, cols), options)
    for index, run in enumerate(runs):
        kind = options["kind"] or _default_kind(index, len(runs), options["pedestal_every"])
        is_default_pedestal = options["kind"] is None and kind == "pedestal"
        yield daq.RunPlan(
            run,
            kind,
            events=options["pedestal_events" if is_default_pedestal else "events"],
            seed=options["seed"],
            size=cols,
            height=rows,
            content=content,
            fill=options["fill"],
        )


def _content_of(shape: tuple[int, int], options: dict[str, Any]) -> Any:  # noqa: ANN401 - Content, imported lazily
    """Return how many objects of each kind an event has, those of the options before others."""
    content = science("simulation.light").content_for(shape)
    chosen = {name: options[name] for name in OBJECTS if options[name] is not None}
    return replace(content, **chosen)


def _default_kind(index: int, runs: int, pedestal_every: int) -> str:
    """Return the kind of a run by its place among all runs: every Nth, or the first of several."""
    if pedestal_every:
        return "physics" if index % pedestal_every else "pedestal"
    return "pedestal" if runs > 1 and index == 0 else "physics"
