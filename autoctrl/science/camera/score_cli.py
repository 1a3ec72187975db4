"""The command ``autoctrl-camera score``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from autoctrl.science.camera.options import FILE, report_fields, science

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COLUMNS = ("light", "row", "column", "along", "across", "excess")


@click.command(
    epilog="Example: autoctrl-camera score reco_run04501.root run04501.truth.json "
    "--picture score.png"
)
@click.argument("reco_file", metavar="RECO", type=FILE)
@click.argument("truth", type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.option("--picture", type=FILE, help="Draw the distributions, as PNG.")
def score(reco_file: Path, truth: Path, form: str, picture: Path | None) -> None:
    """Compare a reconstructed run with the simulation's truth.

    Shown are efficiency, purity, light, position and length.  An object is lone when no other one
    comes nearer than 120 pixels, else it is crossing.
    """
    found = science("score.scoring").score_run(reco_file, truth)
    content = found.as_json()
    measured = {name: content[name] for name in ("efficiency", "purity")}
    report_fields({name: value for name, value in measured.items() if value is not None})
    if picture:
        figure = science("score.agreement").draw_agreement(found)
        science("plots.pictures").save_picture(figure, picture)
    if form == "json":
        click.echo(json.dumps(content))
        return
    for line in describe_score(content):
        click.echo(line)


def describe_score(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a score as a table, a line for each kind and class of objects, and a sentence."""
    header = f"{'kind':20}{'objects':>8}{'found':>7}{'efficiency':>12}"
    yield header + "".join(f"{column:>18}" for column in COLUMNS)
    for kind, row in content["kinds"].items():
        for name, sample in row["classes"].items():
            if sample["objects"]:
                yield _describe_sample(f"{kind} {name}", sample)
    efficiency, purity = (
        "-" if content[name] is None else f"{content[name]:.3f}"
        for name in ("efficiency", "purity")
    )
    yield (
        f"efficiency {efficiency}, purity {purity}: of {content['clusters']} clusters "
        f"{content['true_clusters']} are true "
        f"and {content['single_clusters']} hold one object alone"
    )


def _describe_sample(name: str, sample: Mapping[str, Any]) -> str:
    counts = f"{sample['objects']:8}{sample['found']:7}{sample['efficiency']:12.3f}"
    values = (_describe_value(sample.get(column)) for column in COLUMNS)
    return f"{name:20}{counts}" + "".join(f"{value:>18}" for value in values)


def _describe_value(value: Mapping[str, float] | None) -> str:
    return f"{value['median']:.3f} ± {value['half_width']:.3f}" if value else "-"
