"""The verb latency: how long runs take from their end to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_csv, show_json, show_table
from autoctrl.cli.rounds import workflow_option
from autoctrl.cli.session import verb
from autoctrl.model.duration import parse_since
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from autoctrl.cli.session import Session


@verb("latency --workflow camera-reco --since 24h", formats=("text", "json", "csv"))
@workflow_option
@click.option(
    "--since",
    metavar="TIME",
    help="Only tasks born since then: 2026-11-20T18:00, or so long ago: 24h.",
)
def latency(session: Session, workflows: tuple[str, ...], since: str | None) -> None:
    """Show how long each stage takes, from the end of a run to its result.

    Median and 95 % of the tasks of each workflow, from the history alone.
    """
    from autoctrl.views.latency import ALWAYS, read_latency, spell_span

    with session.open() as project:
        zone, now = session.spelling(project).zone, project.clock.now()
        begin = None if since is None else parse_since(since, now, zone)
        rows = read_latency(project.store, session.campaign, workflows or None, begin or ALWAYS)
    if session.is_json:
        show_json(campaign=session.campaign, since=begin, stages=rows)
    elif session.format == "csv":
        show_csv(("workflow", "begin", "end", "tasks", "median_s", "p95_s"), rows)
    elif rows:
        cells = [
            (
                row.workflow,
                f"{row.begin} → {row.end}",
                str(row.tasks),
                spell_span(row.median_s) or NOTHING,
                spell_span(row.p95_s) or NOTHING,
            )
            for row in rows
        ]
        show_table(Table(("WORKFLOW", "STAGE", "TASKS", "MEDIAN", "95 %"), cells))
    else:
        say("No workflow of this campaign has made a cycle yet. Make one: autoctrl cycle")
