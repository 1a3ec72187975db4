"""The verb status: the overview as a table, JSON or CSV."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autoctrl.cli.filters import filter_options
from autoctrl.cli.output import (
    NEWEST,
    fits,
    print_json,
    say,
    show_csv,
    show_list,
    show_table,
    show_whole,
    style_of,
    terminal_width,
)
from autoctrl.cli.runs import tell_empty
from autoctrl.cli.session import limit_option, verb
from autoctrl.views import spell_condition, to_plain
from autoctrl.views.conditions import limit_processing
from autoctrl.views.filter import FilterText
from autoctrl.views.finding import Reading, understand
from autoctrl.views.narrow import narrow_overview
from autoctrl.views.runs import RunIndex
from autoctrl.views.standing import Question, read_standing
from autoctrl.views.tables import tabulate_overview, tabulate_reasons
from autoctrl.views.totals_text import spell_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.cli.session import Session
    from autoctrl.compose import Project
    from autoctrl.config import Settings
    from autoctrl.model.condition import Condition
    from autoctrl.views import Overview, Spelling
    from autoctrl.views.standing import Standing
    from autoctrl.views.totals import Totals

UNICODE = "utf-8"


@verb("status --status failed --workflow camera-reco --since 2h", formats=("text", "json", "csv"))
@filter_options
@limit_option
def status(session: Session, limit: int | None, **chosen: Any) -> None:  # noqa: ANN401 - one option each
    """Show where every run stands in every workflow, and the totals over everything."""
    text = FilterText(**chosen)
    if limit is None and session.format == "text":
        limit = NEWEST
    with session.open() as project:
        seen = read_status(session, project, text, limit)
        spelling = session.spelling(project)
        settings = project.settings
        closed = session.describe_closed(project)
    overview = seen.overview
    if session.is_json:
        print_json(seen.values())
    elif session.format == "csv":
        write_csv(overview)
    else:
        show_environment(overview, settings.environment)
        show_conditions(overview.conditions, spelling)
        if not overview.runs:
            show_nothing(text, settings)
        show_overview(seen, spelling, is_sorted=bool(text.sort))
        show_totals(session, seen.totals, spelling)
    if closed and session.format == "text":
        say(closed)


def read_status(
    session: Session, project: Project, text: FilterText, limit: int | None
) -> Standing:
    """Read how the campaign stands.

    Raises ``UsageError`` for a campaign, a selection or a filter that means nothing.
    """
    store, settings, now = project.store, project.settings, project.clock.now()
    reading = Reading(settings.attributes, now, session.spelling(project).zone)
    with store.moment():
        asked = Question(
            text=text,
            chosen=understand(store, session.campaign, text, reading),
            limit=limit,
            silent_before=session.silent_before(project),
            long_before=limit_processing(settings, now),
        )
        return read_standing(store, session.campaign, RunIndex(store).numbers(), asked)


def show_environment(seen: Overview, environment: str) -> None:
    """Print which environment and campaign the overview is of, if the settings have
    environments.
    """
    if environment:
        say(f"Environment {environment}, campaign {seen.campaign}")


def show_conditions(conditions: Sequence[Condition], spelling: Spelling) -> None:
    """Print what the machine cannot do now, and what to do about it."""
    for condition in conditions:
        show_whole(f"! {spell_condition(condition, spelling)}")
        show_whole(f"  {condition.remedy}")
    if conditions:
        say()


def show_nothing(text: FilterText, settings: Settings) -> None:
    """Say that there is no run to show."""
    if text.narrows_tasks:
        say("No run fits.")
    else:
        tell_empty(text.runs or None, settings)


def show_overview(seen: Standing, spelling: Spelling, *, is_sorted: bool = False) -> None:
    """Print the overview as a table, and below it why tasks wait or failed."""
    overview = seen.overview
    if not overview.runs:
        return
    show_runs(overview)
    if not overview.workflows:
        say("No workflow has made a cycle yet. Make one: autoctrl cycle")
    if seen.has_more:
        shown = len(overview.runs)
        more = overview.total if overview.total > shown else 2 * shown
        known = f" of {overview.total}" if overview.total > shown else ""
        which = "first" if is_sorted else "newest"
        say(f"The {which} {shown}{known} runs; see more with --limit {more}.")
    if seen.reasons:
        say()
        show_table(tabulate_reasons(seen.reasons, spelling))


def show_totals(session: Session, totals: Totals, spelling: Spelling) -> None:
    """Print how everything stands, and where to look first; nothing where there are no runs."""
    if not totals.all_runs:
        return
    say()
    for line in spell_totals(totals, spelling):
        show_whole(line)
    newest = totals.newest_failure
    if newest is not None:
        say(session.see(f"log {newest.unit} {newest.workflow}"))


def show_runs(seen: Overview) -> None:
    """Print the table of runs; on a terminal that is too narrow for it with a sign for each
    task.
    """
    table = tabulate_overview(seen)
    if not sys.stdout.isatty() or fits(table, terminal_width()):
        show_table(table, _painter(seen, range(len(seen.workflows))))
        return
    has_signs = (sys.stdout.encoding or "").lower() == UNICODE
    narrow = narrow_overview(seen, terminal_width(), has_signs=has_signs)
    show_list(narrow.workflows)
    for part, columns in zip(narrow.tables, narrow.columns, strict=True):
        say()
        show_table(part, _painter(seen, columns))
    say()
    show_list(narrow.legend)


def _painter(seen: Overview, columns: Sequence[int]) -> Any:  # noqa: ANN401 - a style, see output
    """Return what says the colour of each cell: a task of a parent campaign is pale."""

    def paint(row: int, column: int, text: str) -> str:
        if column < len(("RUN", "STATUS")):
            return style_of(text)
        cell = seen.runs[row].tasks[seen.workflows[columns[column - 2]]]
        if cell is None:
            return ""
        if cell.inherited_from:
            return "dim"
        return style_of(f"{cell.status} stale" if cell.stale else cell.status)

    return paint


def write_csv(seen: Overview) -> None:
    """Print one line per run: number, status, the status in each workflow, then the attributes."""
    attributes = sorted({name for row in seen.runs for name in row.attributes})
    headings = ["run", "status", *seen.workflows, *(f"run.{name}" for name in attributes)]
    lines = []
    for row in seen.runs:
        cells = (row.tasks[workflow] for workflow in seen.workflows)
        statuses = ("" if cell is None else cell.status for cell in cells)
        values = (to_plain(row.attributes.get(name, "")) for name in attributes)
        lines.append([row.run, row.status, *statuses, *values])
    show_csv(headings, lines)
