"""The verbs that look at one task: why, history, jobs, log, provenance."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import (
    NOTHING,
    Table,
    Times,
    plain_lines,
    print_json,
    say,
    show_json,
    show_table,
    spell_size,
    warn,
)
from autoctrl.cli.session import complete_workflows, verb
from autoctrl.errors import UsageError
from autoctrl.model.job import index_text
from autoctrl.model.names import STATE_FOLDER
from autoctrl.model.unit import format_runs, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.cli.session import Session
    from autoctrl.compose import Project
    from autoctrl.model.job import JobRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Record
    from autoctrl.views import Attempt, Made, Step, Why

NEWEST = 50

run_argument = click.argument("run", metavar="RUN")
workflow_argument = click.argument(
    "workflow", metavar="WORKFLOW", shell_complete=complete_workflows
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    help=f"Only so many of the newest; text shows {NEWEST} by default.",
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
    from autoctrl.views import plain
    from autoctrl.views import why as look

    with session.open() as project:
        seen = look(project.store, session.campaign, run, workflow)
        times = Times(project.settings.project.timezone)
    fresh = ask_now(session, seen) if is_asked else None
    if session.is_json:
        print_json({"schema": 1, **plain(seen), "now": fresh})
    else:
        show_why(seen, fresh, times)


def ask_now(session: Session, seen: Why) -> str | None:
    """Return what the next cycle would do with a task, asked afresh; None if nothing.

    Raises ``UsageError``.
    """
    from autoctrl.machine.rounds import Rounds

    campaign = seen.inherited_from or seen.campaign
    planned, problems = Rounds(session.settings(), campaign, [seen.workflow]).plan()
    texts = [row.text for row in planned if row.unit == seen.unit]
    if not texts and problems:
        message = f"{seen.workflow} cannot be asked now: {problems[0]}"
        raise UsageError(message)
    return "; ".join(texts) or None


def show_why(seen: Why, fresh: str | None, times: Times) -> None:
    """Print a task's state as a few lines."""
    task = f"{spoken(seen.unit)} / {seen.workflow}"
    if seen.status is None:
        say(f"{task} has no task: {seen.reason}.")
    else:
        stale = "".join(f", {mark}" for mark in ("stale" * seen.stale, seen.quality) if mark)
        say(
            f"{task} is {seen.status} since {times.spell(seen.since)} (version "
            f"{seen.version}{stale})."
        )
        reason = seen.reason or (
            "" if seen.status in {"done", "processing"} else "nothing is known to hold it"
        )
        by = f" by {seen.actor.name} ({seen.actor.via})" if seen.actor else ""
        facts = {
            "why": reason + (f" (until {times.spell(seen.until)})" if seen.until else ""),
            "last record": f"written{by}",
            "runs": format_runs(list(seen.runs)) if len(seen.runs) > 1 else "",
            "kept in": f"campaign {seen.inherited_from}" if seen.inherited_from else "",
            "log": seen.log,
        }
        for name, text in facts.items():
            if text:
                say(f"  {name}: {text}")
    for note in seen.notes:
        say(f"  note: {note}")
    if fresh is not None:
        say(f"  now: {fresh}")


@verb("history 4521 camera-reco")
@run_argument
@workflow_argument
@limit_option
def history(session: Session, run: str, workflow: str, limit: int | None) -> None:
    """Show all that was ever recorded of a run's task."""
    from autoctrl.views import steps

    with session.open() as project:
        key, records = _fetch(project, session, run, workflow)
        times = Times(project.settings.project.timezone)
    seen = steps(records)
    shown = seen[-limit:] if limit else seen
    if session.is_json:
        show_json(campaign=session.campaign, workflow=key.workflow, unit=key.unit, steps=shown)
        return
    _show_newest(
        shown,
        seen,
        limit,
        ("TIME", "WHAT", "V", "STATUS", "BY", "WHY"),
        lambda step: _step_row(step, times),
    )


def _step_row(step: Step, times: Times) -> tuple[str, ...]:
    what = f"job {step.job}" if step.job else step.kind
    by = NOTHING if step.actor is None else f"{step.actor.name} ({step.actor.via})"
    return (
        times.spell(step.time),
        what,
        str(step.version),
        step.status or NOTHING,
        by,
        step.reason or step.text,
    )


@verb("jobs 4521 camera-reco")
@run_argument
@workflow_argument
@limit_option
def jobs(session: Session, run: str, workflow: str, limit: int | None) -> None:
    """Show every attempt of every job of a run's task."""
    from autoctrl.views import attempts, spell_hint

    with session.open() as project:
        key, records = _fetch(project, session, run, workflow)
        hints, problem = project.hints(key)
        times = Times(project.settings.project.timezone)
    seen = attempts(records)
    shown = seen[-limit:] if limit else seen
    if session.is_json:
        show_json(
            campaign=session.campaign, workflow=key.workflow, unit=key.unit, jobs=shown, hints=hints
        )
    elif not seen:
        say(
            f"{spoken(key.unit)} / {key.workflow} has no jobs yet. See: autoctrl why {run} "
            f"{workflow}"
        )
    else:
        headings = ("V", "JOB", "STATUS", "EXIT", "WALL", "MEMORY", "HOST", "EXECUTOR", "WHY")
        _show_newest(shown, seen, limit, headings, _job_row)
        for hint in hints:
            say(
                f"  v{hint.version} job {hint.job}.{hint.attempt} at "
                f"{times.spell(hint.time)}: {spell_hint(hint)}"
            )
    if problem:
        warn(problem)


def _job_row(job: Attempt) -> tuple[str, ...]:
    ended = (
        f"signal {job.signal}"
        if job.signal is not None
        else NOTHING
        if job.exit_code is None
        else str(job.exit_code)
    )
    failure = f"{job.failure}: " if job.failure else ""
    return (
        str(job.version),
        f"{job.job}.{job.attempt}",
        job.status,
        ended,
        NOTHING if job.wall_s is None else f"{job.wall_s:.1f} s",
        NOTHING if job.peak_memory_mb is None else f"{job.peak_memory_mb:.0f} MB",
        job.host or NOTHING,
        job.executor,
        failure + job.reason,
    )


@verb("log 4521 camera-reco --stream stderr")
@run_argument
@workflow_argument
@click.option(
    "--job",
    "job_index",
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
    from autoctrl.views.history import newest_attempts

    wanted = ("stdout", "stderr") if stream == "both" else (stream,)
    with session.open() as project:
        key, records = _fetch(project, session, run, workflow)
        job = choose_job(key, newest_attempts(records), chosen["job_index"], chosen["attempt"])
        executor = project.executor(job.spec.address)
        texts = {name: executor.log(job.handle, name) if job.handle else "" for name in wanted}
    if session.is_json:
        facts = {
            "version": job.key.version,
            "job": index_text(job.key.index),
            "attempt": job.attempt,
            "status": job.status,
        }
        show_json(
            campaign=session.campaign,
            workflow=key.workflow,
            unit=key.unit,
            **facts,
            host=job.host,
            address=job.log,
            **texts,
        )
        return
    say(f"{job}: {job.status}" + (f" on {job.host}" if job.host else ""))
    if not job.handle:
        say(_tell_unsubmitted(job))
        return
    for name, text in texts.items():
        say(
            f"--- {name} ---"
            if text
            else f"--- {name}: empty{'' if job.is_final else ' so far'} ---"
        )
        if text:
            say(text.rstrip("\n"))


def _tell_unsubmitted(job: JobRecord) -> str:
    """Say why there is no log of a job that no executor has answered for."""
    what = "never took it in" if job.is_final else "is not known to have taken it in yet"
    return f"There is no log: executor {job.spec.executor} {what}. {job.reason}".strip()


def choose_job(
    key: TaskKey, known: Sequence[JobRecord], index: str | None, attempt: int | None
) -> JobRecord:
    """Return the attempt that is meant, of the newest version.

    Raises ``UsageError`` if there is none.
    """
    newest = [job for job in known if job.key.version == max(other.key.version for other in known)]
    meant = [
        job
        for job in newest
        if index in {None, index_text(job.key.index)} and attempt in {None, job.attempt}
    ]
    if not meant:
        there = ", ".join(f"{index_text(job.key.index)}.{job.attempt}" for job in newest) or "none"
        message = f"{key} has no such job; there {'are' if newest else 'is'}: {there}."
        raise UsageError(message, hint="See: autoctrl jobs RUN WORKFLOW")
    failed = [job for job in meant if job.status in {"failed", "lost"}]
    return max(failed or meant, key=lambda job: (job.attempt, job.time))


@verb("provenance 4521 camera-reco")
@run_argument
@workflow_argument
def provenance(session: Session, run: str, workflow: str) -> None:
    """Show what made each version of a run's task."""
    from autoctrl.machine.provenance import read_body
    from autoctrl.views import made

    with session.open() as project:
        key, records = _fetch(project, session, run, workflow)
        state = project.folder / STATE_FOLDER
        versions = made(records, lambda digest: read_body(state, digest))
    if session.is_json:
        show_json(
            campaign=session.campaign, workflow=key.workflow, unit=key.unit, versions=versions
        )
    elif not versions:
        say(
            f"{spoken(key.unit)} / {key.workflow} has not started yet. See: autoctrl why "
            f"{run} {workflow}"
        )
    for version in versions if not session.is_json else ():
        _show_made(version)


def _show_made(version: Made) -> None:
    say(f"version {version.version} ({version.status})")
    inputs = [
        (ref.name, ref.url, spell_size(ref.bytes), ref.checksum or NOTHING)
        for ref in version.inputs
    ]
    outputs = [
        (out.name, out.url, spell_size(out.bytes), f"{out.entries or ''}")
        for out in version.outputs
    ]
    for title, rows in (("reads", inputs), ("made", outputs)):
        for row in rows:
            say(f"  {title} {'  '.join(cell for cell in row if cell)}")
    for job, argv in version.jobs.items():
        say(f"  job {job}: {shlex.join(argv) or 'a call of the function'}")
    facts = _flat(version.description)
    for line in plain_lines(Table(("described by", version.digest[:12]), facts)) if facts else ():
        say(f"  {line}")


def _flat(values: Any, prefix: str = "") -> list[tuple[str, ...]]:  # noqa: ANN401 - a description is any JSON
    if not isinstance(values, dict):
        return [(prefix, NOTHING if values is None else str(values))]
    return [
        row
        for name, value in values.items()
        for row in _flat(value, f"{prefix}.{name}" if prefix else str(name))
    ]


def _fetch(
    project: Project, session: Session, run: str, workflow: str
) -> tuple[TaskKey, list[Record]]:
    from autoctrl.views import find_place
    from autoctrl.views.task import task_of

    task = task_of(find_place(project.store, session.campaign, run, workflow))
    return task.key, project.store.history(task.key)


def _show_newest(
    shown: Sequence[Any],
    seen: Sequence[Any],
    limit: int | None,
    headings: tuple[str, ...],
    row: Callable[[Any], tuple[str, ...]],
) -> None:
    shown = shown if limit else shown[-NEWEST:]
    show_table(Table(headings, [row(item) for item in shown]))
    if len(shown) < len(seen):
        say(f"The newest {len(shown)} of {len(seen)} lines; see more with --limit {len(seen)}.")
