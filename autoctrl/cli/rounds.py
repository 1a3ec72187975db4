"""The verbs that make the machine move: plan, cycle, loop."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json, show_table, warn, warn_all
from autoctrl.cli.session import complete_workflows, verb
from autoctrl.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from autoctrl.cli.reports import JUnitReport
    from autoctrl.cli.session import Session
    from autoctrl.machine.rounds import Round

NO_WORKFLOW = "There is no workflow yet. Make one: autoctrl new-workflow NAME"

workflow_option = click.option(
    "--workflow",
    "workflows",
    multiple=True,
    metavar="NAME",
    help="Only this workflow; may be given repeatedly.",
    shell_complete=complete_workflows,
)


@verb("plan --workflow camera-reco")
@workflow_option
@click.option(
    "--exit-code", "has_exit_code", is_flag=True, help="Exit with 1 if something would move."
)
def plan(session: Session, workflows: tuple[str, ...], has_exit_code: bool) -> int:
    """Show every task that would move or wait now, and why.

    Nothing is written. With --exit-code it exits with 1 if something would move; with 2 if a
    workflow cannot be asked.
    """
    from autoctrl.machine.rounds import Rounds

    with session.open_at_code() as project:
        planned, problems = Rounds(project, session.campaign, workflows or None).plan()
    if session.is_json:
        show_json(campaign=session.campaign, planned=planned, problems=problems)
    else:
        warn_all(problems)
        if planned:
            rows = [(row.workflow, row.unit, row.action, row.text) for row in planned]
            show_table(Table(("WORKFLOW", "UNIT", "ACTION", "WHAT OR WHY"), rows))
        elif not problems:
            say(tell_idle(session))
    if problems:
        return 2
    return int(has_exit_code and any(row.moves for row in planned))


def tell_idle(session: Session) -> str:
    """Say why nothing would move or wait."""
    from autoctrl.handlers.modules import find_modules

    with session.open() as project:
        closed = session.describe_closed(project)
        has_runs = bool(project.store.runs().records)
    if not find_modules(project.folder):
        return NO_WORKFLOW
    if not has_runs:
        return "There is no run yet. Add some: autoctrl runs add 1-5"
    return closed or (
        "Nothing is open: every known run is processed as far as its workflows want. "
        f"{session.see('status')}"
    )


@verb("cycle --workflow camera-reco")
@workflow_option
@click.option(
    "--junit",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write what the cycle did as a JUnit file.",
)
def cycle(session: Session, workflows: tuple[str, ...], junit: Path | None) -> int:
    """Discover runs, then make one cycle of every workflow.

    Exits with 1 if a task failed for good in this cycle, with 2 if a workflow's cycle could not
    work or a source of runs had problems and showed no run.
    """
    from autoctrl.compose import exit_code

    done = make_round(session, workflows, junit)
    errors = [*done.discovered.unreadable, *(summary.error for summary in done.summaries)]
    return exit_code(errors, [task for summary in done.summaries for task in summary.failed])


def make_round(session: Session, workflows: Sequence[str], junit: Path | None) -> Round:
    """Make one round, and show and report what it did."""
    from autoctrl.machine.rounds import Rounds

    chosen = workflows or None
    with (
        open_report(session, workflows, junit) as report,
        session.open_at_code() as project,
        closing(Rounds(project, session.campaign, chosen)) as rounds,
    ):
        if report is not None:
            report.project = project.settings.project.name
        done = rounds.cycle()
        try:
            if report is not None:
                report.finish(done)
            show_whole(session, done)
        finally:  # also where nobody reads what is printed any more
            rounds.finish()
    return done


def open_report(
    session: Session, workflows: Sequence[str], junit: Path | None
) -> AbstractContextManager[JUnitReport | None]:
    """Return the report that is wanted, None if none is, to be entered before the project opens."""
    if junit is None:
        return nullcontext()
    from autoctrl.cli.reports import reporting

    return reporting(junit, session.campaign, workflows)


def show_whole(session: Session, done: Round) -> None:
    """Print what one round found and did, as text or JSON."""
    from autoctrl.machine.summary import summary_values

    if session.is_json:
        found = done.discovered.values()
        values = [summary_values(summary) for summary in done.summaries]
        show_json(campaign=session.campaign, discovered=found, workflows=values)
    else:
        show_round(done)


def show_round(done: Round) -> None:
    """Print what one round found and did, a line per workflow."""
    from autoctrl.machine.summary import describe_summary

    for problem in done.discovered.problems:
        warn(problem)
    if done.discovered.new:
        from autoctrl.views.spelling import count

        say(f"discovered: {count(done.discovered.new, 'new run')}")
    for summary in done.summaries:
        (warn if summary.error else say)(describe_summary(summary))
    if not done.summaries:
        say(NO_WORKFLOW)


@verb("loop --every 10s --until-idle")
@workflow_option
@click.option(
    "--every",
    default="10s",
    show_default=True,
    metavar="TIME",
    help="Pause while idle: 10s, 5min, 1h.",
)
@click.option(
    "--until-idle", is_flag=True, help="Stop once nothing moves and nothing is processing."
)
def loop(session: Session, workflows: tuple[str, ...], every: str, until_idle: bool) -> int:
    """Make cycle after cycle, with progress.

    Exits with 1 if a task failed for good meanwhile, with 2 if a workflow's last cycle could not
    work.
    """
    from autoctrl.cli.progress import Progress
    from autoctrl.machine.loop import loop as go_on
    from autoctrl.model.duration import parse_duration
    from autoctrl.views import Spelling

    every_s = parse_duration(every)
    with session.open_at_code() as project:
        spelling = Spelling(project.settings.project.timezone)
        with Progress(spelling, is_silent=session.is_json) as progress:
            go_on(
                project,
                session.campaign,
                workflows=workflows or None,
                every_s=every_s,
                until_idle=until_idle,
                on_round=progress.take,
            )
    if session.is_json:
        show_json(campaign=session.campaign, **progress.values())
    else:
        say(f"{progress.conclusion} {session.see('status')}")
    return progress.exit_code
