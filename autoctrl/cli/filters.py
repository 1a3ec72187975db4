"""Options that say which runs are meant by what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.session import complete_workflows
from autoctrl.model.status import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable


def complete_statuses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's
    """Return the statuses that begin like this, for the shell."""
    return [status for status in TaskStatus if status.startswith(incomplete)]


FILTERS = [
    click.option(
        "--runs", metavar="RUNS", default="", help="Only these, e.g. 4500-4510,fill:8222."
    ),
    click.option(
        "--status",
        metavar="STATUS",
        default="",
        help="Only runs of this status; with --workflow, of whose task it is.",
        shell_complete=complete_statuses,
    ),
    click.option(
        "--workflow",
        metavar="NAME",
        default="",
        help="Only this workflow.",
        shell_complete=complete_workflows,
    ),
    click.option(
        "--where",
        metavar="NAME=VALUE",
        multiple=True,
        help="Only runs with this attribute; may be given repeatedly.",
    ),
    click.option("--alarm", is_flag=True, help="Only runs whose data raise an alarm."),
    click.option("--stale", is_flag=True, help="Only runs with a stale task."),
    click.option(
        "--since",
        metavar="WHEN",
        default="",
        help="Only runs in which a task has moved since, e.g. 2h, 3d, 2026-11-20.",
    ),
    click.option(
        "--sort",
        metavar="BY",
        default="",
        help="newest, oldest, status, age, a workflow or an attribute; -BY reverses it.",
    ),
]


def filter_options(call: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a filter to a verb, in their order."""
    for option in reversed(FILTERS):
        call = option(call)
    return call
