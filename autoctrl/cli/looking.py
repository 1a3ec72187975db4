"""The verbs that look at one task: why, history, jobs, log, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import Listing, print_json, say, show_json, show_tail, warn
from autoctrl.cli.session import complete_workflows, limit_option, verb
from autoctrl.errors import UsageError
from autoctrl.model.table import NOTHING, Table, plain_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from autoctrl.cli.session import Session
    from autoctrl.model.job import JobRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.views import Attempt, Explanation, HistoryStep, Spelling, VersionOrigin

STEP_HEADINGS = ("TIME", "WHAT", "V", "STATUS", "BY", "WHY")
JOB_HEADINGS = (
    "V",
    "JOB",
    "STATUS",
    "BEGAN",
    "AGE",
    "EXIT",
    "WALL",
    "MEMORY",
    "HOST",
    "EXECUTOR",
    "WHY",
)

run_argument = click.argument("run", metavar="RUN")
workflow_argument = click.argument(
    "workflow", metavar="WORKFLOW", shell_complete=complete_workflows
)


@verb("why 4521 camera-reco --now")
@run_argument
@workflow_argument
@click.option(
    "--now",
    "is_asked",
    is_flag=True,
    help="Ask the workflow's locks afresh instead of the last cycle's answer.",
)
def why(session: Session, run: str, workflow: str, is_asked: bool) -> None:
    """Say where a run's task stands, and why.

    RUN is a run number, or a group such as fill:8222.
    """
    from autoctrl.views import explain, spell_explanation, to_plain

    with session.open() as project:
        silent_before = session.silent_before(project)
        seen = explain(project.store, session.campaign, run, workflow, silent_before=silent_before)
        spelling = session.spelling(project)
    fresh = ask_now(session, seen) if is_asked else None
    if session.is_json:
        print_json({"schema": 1, **to_plain(seen), "now": fresh})
        return
    headline, *lines = spell_explanation(seen, spelling)
    say(headline)
    for line in lines:
        say(f"  {line}")
    if fresh is not None:
        say(f"  now: {fresh}")


def ask_now(session: Session, seen: Explanation) -> str | None:
    """Return what the next cycle would do with a task, asked afresh; None if nothing.

    Raises ``UsageError``.
    """
    from autoctrl.machine.rounds import Rounds

    campaign = seen.inherited_from or seen.campaign
    with session.open() as project:
        planned, problems = Rounds(project, campaign, [seen.workflow]).plan()
    texts = [row.text for row in planned if row.unit == seen.unit]
    if not texts and problems:
        message = f"{seen.workflow} cannot be asked now: {problems[0]}"
        raise UsageError(message)
    return "; ".join(texts) or None


@verb("history 4521 camera-reco")
@run_argument
@workflow_argument
@limit_option
def history(session: Session, run: str, workflow: str, limit: int | None) -> None:
    """Show all that was ever recorded of a run's task."""
    from autoctrl.views import list_steps, read_history

    with session.open() as project:
        key, records = read_history(project.store, session.campaign, run, workflow)
        spell = _step_speller(session.spelling(project))
    steps = list_steps(records)
    if session.is_json:
        _show_about(session, key, steps=steps[-limit:] if limit else steps)
    else:
        show_tail(steps, limit, Listing(STEP_HEADINGS, spell))


def _step_speller(spelling: Spelling) -> Callable[[HistoryStep], tuple[str, ...]]:
    from autoctrl.views import spell_actor, spell_subject

    def spell(step: HistoryStep) -> tuple[str, ...]:
        return (
            spelling.time(step.time),
            spell_subject(step),
            str(step.version),
            step.status or NOTHING,
            NOTHING if step.actor is None else spell_actor(step.actor),
            step.reason or step.text,
        )

    return spell


@verb("jobs 4521 camera-reco")
@run_argument
@workflow_argument
@limit_option
def jobs(session: Session, run: str, workflow: str, limit: int | None) -> None:
    """Show every attempt of every job of a run's task."""
    from autoctrl.views import list_attempts, read_history, spell_hint

    with session.open() as project:
        key, records = read_history(project.store, session.campaign, run, workflow)
        hints, problem = project.hints(key)
        spelling, now = session.spelling(project), project.clock.now()
    attempts = list_attempts(records)
    if session.is_json:
        _show_about(session, key, jobs=attempts[-limit:] if limit else attempts, hints=hints)
    elif attempts:
        show_tail(attempts, limit, Listing(JOB_HEADINGS, _attempt_speller(spelling, now)))
        for hint in hints:
            job, when = f"{hint.job}.{hint.attempt}", spelling.time(hint.time)
            say(f"  v{hint.version} job {job} at {when}: {spell_hint(hint)}")
    else:
        say(f"{key} has no jobs yet. See: autoctrl why {run} {workflow}")
    if problem:
        warn(problem)


def _attempt_speller(spelling: Spelling, now: datetime) -> Callable[[Attempt], tuple[str, ...]]:
    from autoctrl.views import spell_ending, spell_failure, spell_memory, spell_seconds
    from autoctrl.views.spelling import spell_duration

    def spell(job: Attempt) -> tuple[str, ...]:
        return (
            str(job.version),
            f"{job.job}.{job.attempt}",
            job.status,
            spelling.time(job.began),
            spell_duration(now - job.began) if job.ended is None else NOTHING,
            spell_ending(job) or NOTHING,
            spell_seconds(job.wall_s) or NOTHING,
            spell_memory(job.peak_memory_mb) or NOTHING,
            job.host or NOTHING,
            job.executor,
            spell_failure(job),
        )

    return spell


@verb("log 4521 camera-reco --stream stderr")
@run_argument
@workflow_argument
@click.option(
    "--version",
    type=click.IntRange(min=1),
    help="Version of the task; by default the newest that has jobs.",
)
@click.option(
    "--job",
    metavar="INDEX",
    help="Index of the job, or merge; by default one that failed, else the newest.",
)
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt; by default the newest.")
@click.option(
    "--stream",
    type=click.Choice(("both", "stdout", "stderr")),
    default="both",
    show_default=True,
    help="Which part.",
)
def log(session: Session, run: str, workflow: str, stream: str, **chosen: Any) -> None:  # noqa: ANN401 - one option each
    """Print what a job of a run's task printed."""
    from autoctrl.views import AttemptChoice, choose_attempt, newest_attempts, read_history
    from autoctrl.views.attempts import attempt_values

    wanted = ("stdout", "stderr") if stream == "both" else (stream,)
    with session.open() as project:
        key, records = read_history(project.store, session.campaign, run, workflow)
        job = choose_attempt(key, newest_attempts(records), AttemptChoice(**chosen))
        executor = project.executor(job.spec.address)
        texts = {name: executor.log(job.handle, name) if job.handle else "" for name in wanted}
    if session.is_json:
        _show_about(session, key, **attempt_values(job), **texts)
    else:
        show_log(job, texts)


def show_log(job: JobRecord, texts: dict[str, str]) -> None:
    """Print which attempt it is, and what it printed to each stream."""
    from autoctrl.views import explain_missing_log

    where = f" on {job.host}" if job.host else ""
    say(f"{job}: {job.status}{where}")
    if not job.handle:
        say(explain_missing_log(job))
        return
    for name, text in texts.items():
        if text:
            say(f"--- {name} ---")
            say(text.rstrip("\n"))
        else:
            say(f"--- {name}: empty{'' if job.is_final else ' so far'} ---")


@verb("provenance 4521 camera-reco")
@run_argument
@workflow_argument
def provenance(session: Session, run: str, workflow: str) -> None:
    """Show what made each version of a run's task."""
    from autoctrl.views import list_versions, read_history

    with session.open() as project:
        key, records = read_history(project.store, session.campaign, run, workflow)
        versions = list_versions(records, project.description)
    if session.is_json:
        _show_about(session, key, versions=versions)
        return
    if not versions:
        say(f"{key} has not started yet. See: autoctrl why {run} {workflow}")
    for version in versions:
        show_version(version)


def show_version(version: VersionOrigin) -> None:
    """Print what one version read, made and ran, and how it is described."""
    from autoctrl.views import list_facts, spell_command, spell_size

    say(f"version {version.version} ({version.status})")
    for ref in version.inputs:
        say(f"  reads {ref.name}  {ref.url}  {spell_size(ref.bytes)}  {ref.checksum or NOTHING}")
    for output in version.outputs:
        entries = f"  {output.entries}" if output.entries else ""
        say(f"  made {output.name}  {output.url}  {spell_size(output.bytes)}{entries}")
    for job, argv in version.jobs.items():
        say(f"  job {job}: {spell_command(argv)}")
    facts = [(fact.name, fact.text or NOTHING) for fact in list_facts(version.description)]
    if facts:
        for line in plain_lines(Table(("described by", version.digest[:12]), facts)):
            say(f"  {line}")


def _show_about(session: Session, key: TaskKey, **values: Any) -> None:  # noqa: ANN401 - whatever is known of it
    show_json(campaign=session.campaign, workflow=key.workflow, unit=key.unit, **values)
