"""The verb outputs: what was published, for analysts."""

from __future__ import annotations

import click

from autoctrl.cli.output import NOTHING, Table, print_json, say, show_table, spell_size
from autoctrl.cli.session import Session, complete_workflows, verb
from autoctrl.model.unit import parse_runs

NEWEST = 50


@verb("outputs --workflow camera-reco --runs 4500-4510 --format json")
@click.option(
    "--workflow", metavar="NAME", help="Only of this workflow.", shell_complete=complete_workflows
)
@click.option("--runs", "selection", metavar="RUNS", help="Only about these, e.g. 4500-4510,4521.")
@click.option(
    "--superseded", is_flag=True, help="Also of versions that were replaced by newer ones."
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Only so many of the last; text shows {NEWEST} by default.",
)
def outputs(
    session: Session,
    workflow: str | None,
    selection: str | None,
    superseded: bool,
    limit: int | None,
) -> None:
    """List the published outputs and where they are."""
    from autoctrl.views import published

    runs = None if selection is None else frozenset(parse_runs(selection))
    with session.open() as project:
        found = published(project.store, session.campaign, workflow, runs, superseded=superseded)
    shown = found[-limit:] if limit else found
    if session.is_json:
        print_json(shown)
        return
    if not found:
        what = "No such outputs." if workflow or runs else "No outputs yet."
        say(f"{what} {session.see('status')}")
        return
    shown = shown if limit else shown[-NEWEST:]
    rows = [
        (
            row.workflow,
            row.unit,
            str(row.version),
            row.name,
            row.state,
            spell_size(row.bytes),
            " ".join(f"{tree}:{count}" for tree, count in row.entries.items()) or NOTHING,
            " ".join(copy.url for copy in row.locations),
        )
        for row in shown
    ]
    show_table(Table(("WORKFLOW", "UNIT", "V", "NAME", "STATE", "SIZE", "ENTRIES", "WHERE"), rows))
    if len(shown) < len(found):
        say(f"The last {len(shown)} of {len(found)} outputs; see more with --limit {len(found)}.")
