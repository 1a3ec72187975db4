"""The verb status: the overview as a table, JSON or CSV."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import NOTHING, Table, Times, print_json, say, show_table
from autoctrl.cli.runs import NEWEST, tell_empty
from autoctrl.cli.session import verb
from autoctrl.model.unit import format_runs, is_group, parse_runs, spoken
from autoctrl.views import general, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autoctrl.cli.session import Session
    from autoctrl.views import Cell, Overview


@verb("status --runs 4500-4510", formats=("text", "json", "csv"))
@click.option("--runs", "selection", metavar="RUNS", help="Only these, e.g. 4500-4510,4521.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Only so many of the newest; text shows {NEWEST} by default.",
)
def status(session: Session, selection: str | None, limit: int | None) -> None:
    """Show where every run stands in every workflow."""
    from autoctrl.views import overview

    numbers = None if selection is None else parse_runs(selection)
    if limit is None and session.format == "text":
        limit = NEWEST
    with session.open() as project:
        seen = overview(project.store, session.campaign, numbers, limit)
        times = Times(project.settings.project.timezone)
        environment = project.settings.environment
        closed = session.describe_closed(project)
    if session.is_json:
        print_json(seen.values())
    elif session.format == "csv":
        write_csv(seen)
    elif not seen.runs:
        show_environment(seen, environment)
        tell_empty(selection, project.settings)
    else:
        show_overview(seen, times, environment)
    if closed and session.format == "text":
        say(closed)


def show_environment(seen: Overview, environment: str) -> None:
    """Print which environment and campaign the overview is of, if the settings have
    environments.
    """
    if environment:
        say(f"Environment {environment}, campaign {seen.campaign}")


def show_overview(seen: Overview, times: Times, environment: str) -> None:
    """Print the overview as a table, and below it why tasks wait or failed."""
    show_environment(seen, environment)
    rows = [
        (
            str(row.run),
            row.status,
            *(spell_cell(row.tasks[workflow]) for workflow in seen.workflows),
        )
        for row in seen.runs
    ]
    show_table(Table(("RUN", "STATUS", *seen.workflows), rows))
    if not seen.workflows:
        say("No workflow has made a cycle yet. Make one: autoctrl cycle")
    if len(seen.runs) < seen.total:
        say(
            f"The newest {len(seen.runs)} of {seen.total} runs; see more with --limit {seen.total}."
        )
    reasons = list(_reasons(seen, times))
    if reasons:
        say()
        show_table(Table(("STATUS", "WORKFLOW", "UNITS", "WHY"), reasons))


def spell_cell(cell: Cell | None) -> str:
    """Return a task's cell: its status, and what is worth a word beside it."""
    if cell is None:
        return NOTHING
    words = [str(cell.status)]
    if is_group(cell.unit):
        words.append(f"({spoken(cell.unit)})")
    if cell.version > 1:
        words.append(f"v{cell.version}")
    if cell.stale:
        words.append("stale")
    if cell.quality:
        words.append(cell.quality)
    return " ".join(words)


def _reasons(seen: Overview, times: Times) -> Iterator[tuple[str, ...]]:
    """Yield one line for all units that share workflow, status and reason, with the log of the
    first that failed.
    """
    alike: dict[tuple[str, str, str], list[str]] = {}
    logs: dict[tuple[str, str, str], str] = {}
    first_reasons: dict[tuple[str, str, str], str] = {}
    for row in seen.runs:
        for workflow in seen.workflows:
            cell = row.tasks[workflow]
            is_well = cell is None or (
                cell.status == "done" and "without it" not in cell.reason and not cell.quality
            )
            if cell is None or not cell.reason or is_well:
                continue
            until = f" (until {times.spell(cell.until)})" if cell.until else ""
            late = "without it" in cell.reason
            text = cell.reason if late else general(cell.reason, cell.unit)
            key = (str(cell.status), workflow, text + until)
            first_reasons.setdefault(key, cell.reason + until)
            alike.setdefault(key, []).append(
                str(row.run) if late or not is_group(cell.unit) else cell.unit
            )
            if cell.log and cell.status == "failed":
                logs.setdefault(key, cell.log)
    for key, units in sorted(alike.items(), key=lambda item: item[0][:2]):
        state, workflow, reason = key
        runs = [int(unit) for unit in units if unit.isdecimal()]
        groups = dict.fromkeys(unit for unit in units if not unit.isdecimal())
        is_shared = len(runs) + len(groups) > 1
        first = "first log" if is_shared else "log"
        reason = reason if is_shared else first_reasons[key]
        log = f" ({first}: {logs[key]})" if key in logs else ""
        yield (
            state,
            workflow,
            ",".join([*([format_runs(runs)] if runs else []), *groups]),
            reason + log,
        )


def write_csv(seen: Overview) -> None:
    """Print one line per run: number, status, the status in each workflow, then the attributes."""
    attributes = sorted({name for row in seen.runs for name in row.attributes})
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["run", "status", *seen.workflows, *(f"run.{name}" for name in attributes)])
    for row in seen.runs:
        cells = (row.tasks[workflow] for workflow in seen.workflows)
        values = (plain(row.attributes.get(name, "")) for name in attributes)
        writer.writerow(
            [row.run, row.status, *("" if cell is None else cell.status for cell in cells), *values]
        )
