"""The commands ``autoctrl-camera friends`` and ``autoctrl-camera calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoctrl.errors import UsageError
from autoctrl.science.camera.options import (
    FILE,
    VERSION,
    load_extensions,
    parse_range,
    refuse_overwriting,
    report_fields,
    science,
    with_options,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.science.friends import Written

SIMULATION = Path(__file__).with_name("simulation.toml")


FRIENDS_OPTIONS = (
    click.option(
        "--output",
        type=FILE,
        help="The friend file.  [default: friends/<name>_Friend.root beside RECO]",
    ),
    click.option(
        "--calibration",
        type=FILE,
        help="File or folder with parameters by range of runs.  [default: that of the simulation]",
    ),
    click.option(
        "--events",
        "chosen",
        default=":",
        help="Half-open range FIRST:LAST of entries.  [default: all]",
    ),
    click.option("--modules", help="Friend modules, separated by commas.  [default: all]"),
    click.option(
        "--from",
        "sources",
        multiple=True,
        type=FILE,
        help="Python file that registers more friend modules.",
    ),
)


@click.command(
    epilog=(
        "Example: autoctrl-camera friends reco_run04501.root --calibration calibrations "
        "--output friend.root"
    )
)
@click.argument("reco_file", metavar="RECO", type=FILE)
@with_options(*FRIENDS_OPTIONS)
def friends(reco_file: Path, output: Path | None, *, modules: str | None, **options: Any) -> None:  # noqa: ANN401 - what click hands over
    """Compute the friend tree of a reconstructed run: one entry per entry of Events, always."""
    science("friend_modules")
    load_extensions(options["sources"])
    from autoctrl.science.friends import chosen_modules, read_calibration, write_friends
    from autoctrl.science.rootio import friend_path

    chosen = chosen_modules(modules.split(",") if modules else None)
    target = output or friend_path(reco_file)
    refuse_overwriting([target], [reco_file, options["calibration"]])
    calibration = read_calibration(options["calibration"] or SIMULATION)
    span = parse_range(options["chosen"])
    written = write_friends(reco_file, target, chosen, calibration, span=span, version=VERSION)
    fields = fields_of(written)
    report_fields(fields)
    names = ", ".join(module.name for module in chosen)
    used = f", calibration {fields['calibration']}" if written.ranges else ""
    click.echo(f"{target}: {written.entries} entries, modules {names}{used}")


def fields_of(written: Written) -> dict[str, Any]:
    """Return the entries of a friend file, and the ranges of the calibrations that were used."""
    used = dict.fromkeys(written.ranges.values())
    fields: dict[str, Any] = {"entries": written.entries}
    if used:
        fields["calibration"] = ", ".join(map(str, used))
        fields["calibration_checksum"] = ", ".join(
            dict.fromkeys(valid.source.checksum for valid in used)
        )
    return fields


CALIBRATION_OPTIONS = (
    click.option(
        "--first",
        type=click.IntRange(0),
        help="First run for which it holds.  [default: the first given]",
    ),
    click.option(
        "--last",
        type=click.IntRange(0),
        help="Last run for which it holds.  [default: all later runs]",
    ),
    click.option(
        "--sigma-0",
        default=3.0,
        show_default=True,
        help="Spread of the light without drift, pixels.",
    ),
    click.option(
        "--diffusion",
        default=1.6,
        show_default=True,
        help="Spread that drift adds, pixels per root of cm.",
    ),
    click.option(
        "--drift", "drift_cm", default=50.0, show_default=True, help="Length of the drift, cm."
    ),
    click.option(
        "--comment", help="Why and from what.  [default: how many clusters of which runs]"
    ),
    click.option(
        "--output", required=True, type=FILE, help="The calibration, one range of runs, as TOML."
    ),
)


@click.command(
    epilog=(
        "Example: autoctrl-camera calibrate reco_run04501.root run04501.truth.json --output "
        "calibrations/a.toml"
    )
)
@click.argument("files", metavar="RECO TRUTH [RECO TRUTH]...", nargs=-1, required=True, type=FILE)
@with_options(*CALIBRATION_OPTIONS)
def calibrate(files: tuple[Path, ...], output: Path, comment: str | None, **options: Any) -> None:  # noqa: ANN401 - what click hands over
    """Make the friend modules' calibration from reconstructed runs and their truth."""
    pairs = paired_files(files)
    refuse_overwriting([output], files)
    calibrating = science("calibrating")
    gas = calibrating.Gas(options["sigma_0"], options["diffusion"], options["drift_cm"])
    made = calibrating.calibrate_runs(pairs, gas)
    runs = valid_runs(made.runs[0], options["first"], options["last"])
    comment = comment or describe_origin(made.clusters, made.runs)
    calibrating.write_calibration(made, output, runs, comment)
    report_fields(made.fields())
    measured = f"light over truth {made.before}, corrected {made.after}"
    inside = f"{made.inside:.0%} between the quantiles"
    click.echo(f"{output}: {made.clusters} clusters, {measured}, {inside}")


def paired_files(files: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return each reconstructed file with the truth that follows it."""
    if len(files) % 2:
        message = "every reconstructed file needs the truth of its run: the number of files is odd."
        raise UsageError(message, hint="Write RECO TRUTH RECO TRUTH, in turn.")
    return list(zip(files[::2], files[1::2], strict=True))


def valid_runs(run: int, first: int | None, last: int | None) -> tuple[int, int | None]:
    """Return the runs for which a calibration holds, from its own run on unless told otherwise."""
    begin = run if first is None else first
    if last is not None and last < begin:
        message = f"the calibration would hold from run {begin} to run {last}."
        raise UsageError(message, hint="Give --first and --last in order.")
    return begin, last


def describe_origin(clusters: int, runs: Sequence[int]) -> str:
    """Return what a calibration was made of, as a comment in it."""
    named = f"run{'s' if len(runs) > 1 else ''} {', '.join(map(str, runs))}"
    return f"{clusters} lone clusters of {named}, {VERSION}"
