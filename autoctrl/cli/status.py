"""The verb status: the overview as a table, JSON or CSV."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import NEWEST, print_json, say, show_table
from autoctrl.cli.runs import tell_empty
from autoctrl.cli.session import limit_option, verb
from autoctrl.model.unit import parse_runs
from autoctrl.views import read_overview, spell_condition, to_plain
from autoctrl.views.tables import tabulate_overview, tabulate_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.cli.session import Session
    from autoctrl.model.condition import Condition
    from autoctrl.views import Overview, Spelling


@verb("status --runs 4500-4510", formats=("text", "json", "csv"))
@click.option("--runs", "selection", metavar="RUNS", help="Only these, e.g. 4500-4510,4521.")
@limit_option
def status(session: Session, selection: str | None, limit: int | None) -> None:
    """Show where every run stands in every workflow."""
    numbers = None if selection is None else parse_runs(selection)
    if limit is None and session.format == "text":
        limit = NEWEST
    with session.open() as project:
        silent_before = session.silent_before(project)
        seen = read_overview(
            project.store, session.campaign, numbers, limit, silent_before=silent_before
        )
        spelling = session.spelling(project)
        environment = project.settings.environment
        closed = session.describe_closed(project)
    if session.is_json:
        print_json(seen.values())
    elif session.format == "csv":
        write_csv(seen)
    elif not seen.runs:
        show_environment(seen, environment)
        show_conditions(seen.conditions, spelling)
        tell_empty(selection, project.settings)
    else:
        show_environment(seen, environment)
        show_overview(seen, spelling)
    if closed and session.format == "text":
        say(closed)


def show_environment(seen: Overview, environment: str) -> None:
    """Print which environment and campaign the overview is of, if the settings have
    environments.
    """
    if environment:
        say(f"Environment {environment}, campaign {seen.campaign}")


def show_conditions(conditions: Sequence[Condition], spelling: Spelling) -> None:
    """Print what the machine cannot do now, and what to do about it."""
    for condition in conditions:
        say(f"! {spell_condition(condition, spelling)}")
        say(f"  {condition.remedy}")
    if conditions:
        say()


def show_overview(seen: Overview, spelling: Spelling) -> None:
    """Print the overview as a table, and below it why tasks wait or failed."""
    show_conditions(seen.conditions, spelling)
    show_table(tabulate_overview(seen))
    if not seen.workflows:
        say("No workflow has made a cycle yet. Make one: autoctrl cycle")
    if len(seen.runs) < seen.total:
        say(
            f"The newest {len(seen.runs)} of {seen.total} runs; see more with --limit {seen.total}."
        )
    reasons = tabulate_reasons(seen, spelling)
    if reasons.rows:
        say()
        show_table(reasons)


def write_csv(seen: Overview) -> None:
    """Print one line per run: number, status, the status in each workflow, then the attributes."""
    attributes = sorted({name for row in seen.runs for name in row.attributes})
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["run", "status", *seen.workflows, *(f"run.{name}" for name in attributes)])
    for row in seen.runs:
        cells = (row.tasks[workflow] for workflow in seen.workflows)
        statuses = ("" if cell is None else cell.status for cell in cells)
        values = (to_plain(row.attributes.get(name, "")) for name in attributes)
        writer.writerow([row.run, row.status, *statuses, *values])
