"""The verb outputs: what was published, for analysts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import NEWEST, Listing, print_json, say, show_tail
from autoctrl.cli.session import complete_workflows, verb
from autoctrl.model.table import NOTHING
from autoctrl.model.unit import parse_runs

if TYPE_CHECKING:
    from autoctrl.cli.session import Session
    from autoctrl.views import OutputLine

HEADINGS = ("WORKFLOW", "UNIT", "V", "NAME", "STATE", "SIZE", "ENTRIES", "WHERE")


@verb("outputs --workflow camera-reco --runs 4500-4510 --format json")
@click.option(
    "--workflow",
    metavar="NAME",
    help="Only outputs of this workflow.",
    shell_complete=complete_workflows,
)
@click.option(
    "--runs",
    "selection",
    metavar="RUNS",
    help="Only outputs about these runs, e.g. 4500-4510,4521.",
)
@click.option(
    "--superseded", is_flag=True, help="Also outputs of versions that were replaced by newer ones."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Show only this many of the last; text shows {NEWEST} by default.",
)
def outputs(
    session: Session,
    workflow: str | None,
    selection: str | None,
    superseded: bool,
    limit: int | None,
) -> None:
    """List the published outputs and where they are."""
    from autoctrl.views import list_outputs

    runs = None if selection is None else frozenset(parse_runs(selection))
    with session.open() as project:
        found = list_outputs(project.store, session.campaign, workflow, runs, superseded=superseded)
    if session.is_json:
        print_json(found[-limit:] if limit else found)
    elif found:
        show_tail(found, limit, Listing(HEADINGS, _spell_output, "outputs", "last"))
    else:
        what = "No such outputs." if workflow or runs else "No outputs yet."
        say(f"{what} {session.see('status')}")


def _spell_output(output: OutputLine) -> tuple[str, ...]:
    from autoctrl.views import spell_size

    entries = " ".join(f"{tree}:{number}" for tree, number in output.entries.items())
    return (
        output.workflow,
        output.unit,
        str(output.version),
        output.name,
        output.state,
        spell_size(output.bytes),
        entries or NOTHING,
        " ".join(copy.url for copy in output.locations),
    )
