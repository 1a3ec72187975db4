"""The verbs of analysts: outputs, what was published; fields, the numbers that jobs reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import (
    NEWEST,
    Listing,
    print_json,
    say,
    show_csv,
    show_json,
    show_table,
    show_tail,
)
from autoctrl.cli.session import add_options, complete_workflows, verb
from autoctrl.model.quality import Quality
from autoctrl.model.table import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autoctrl.cli.session import Session
    from autoctrl.views import OutputLine

HEADINGS = ("WORKFLOW", "UNIT", "V", "NAME", "STATE", "SIZE", "ENTRIES", "WHERE")


def choose_data(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give a verb the options that say which data are meant."""
    return add_options(
        function,
        [
            click.option(
                "--runs",
                metavar="RUNS",
                default="",
                help="Only data about these runs, e.g. 4500-4510,fill:8222.",
            ),
            click.option(
                "--where",
                multiple=True,
                metavar="NAME=VALUE",
                help="Only of runs with this attribute; of one name, any that is given.",
            ),
            click.option(
                "--quality",
                type=click.Choice([str(one) for one in Quality]),
                default=str(Quality.ANY),
                show_default=True,
                help="usable: no alarm about the run, not stale; good: no warning either.",
            ),
        ],
    )


@verb(
    "outputs --workflow camera-reco --runs 4500-4510 --format paths",
    formats=("text", "json", "csv", "paths"),
)
@click.option(
    "--workflow",
    metavar="NAME",
    help="Only outputs of this workflow.",
    shell_complete=complete_workflows,
)
@choose_data
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
    superseded: bool,
    limit: int | None,
    **choice: Any,  # noqa: ANN401 - the options of choose_data
) -> None:
    """List the published outputs and where they are."""
    from autoctrl.views import Choice, find_allowed, list_outputs

    chosen = Choice(**choice)
    with session.open() as project:
        types, store = project.settings.attributes, project.store
        allowed = find_allowed(store, session.campaign, chosen, types)
        found = list_outputs(
            store, session.campaign, workflow, superseded=superseded, allowed=allowed
        )
    if session.format != "text":
        _print_outputs(session, found[-limit:] if limit else found)
    elif found:
        show_tail(found, limit, Listing(HEADINGS, _spell_output, "outputs", "last"))
    else:
        what = "No such outputs." if workflow or chosen != Choice() else "No outputs yet."
        say(f"{what} {session.see('status')}")


def _print_outputs(session: Session, shown: Sequence[OutputLine]) -> None:
    """Print outputs for a program."""
    from autoctrl.views.outputs import tabulate_outputs

    if session.is_json:
        print_json(shown)
    elif session.format == "csv":
        show_csv(*tabulate_outputs(shown))
    else:
        for path in filter(None, (output.path for output in shown)):
            say(path)


@verb("fields camera-dq --where kind=physics --format csv", formats=("text", "json", "csv"))
@click.argument("workflow", metavar="WORKFLOW", shell_complete=complete_workflows)
@choose_data
def fields(session: Session, workflow: str, **choice: Any) -> None:  # noqa: ANN401 - as above
    """Show the numbers and short texts that a workflow's jobs reported, run by run."""
    from autoctrl.views import Choice, find_allowed, list_fields
    from autoctrl.views.fields import tabulate_fields

    with session.open() as project:
        types, store = project.settings.attributes, project.store
        allowed = find_allowed(store, session.campaign, Choice(**choice), types)
        found = list_fields(store, session.campaign, workflow, allowed)
    if session.is_json:
        show_json(campaign=session.campaign, workflow=workflow, fields=found)
    elif session.format == "csv":
        show_csv(*tabulate_fields(found))
    elif found:
        show_table(tabulate_fields(found))
    else:
        say(f"No custom fields. {session.see('status')}")


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
