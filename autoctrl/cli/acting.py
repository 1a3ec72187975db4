"""The verbs that move tasks and workflows: retry, reprocess, skip, fail, complete, pause,
resume.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoctrl.cli.output import say, show_json, warn
from autoctrl.cli.session import add_options, complete_workflows, verb
from autoctrl.errors import UsageError
from autoctrl.files import digest_of
from autoctrl.model.job import FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.cli.session import Session
    from autoctrl.model.outcome import Answer, Outcome
    from autoctrl.verbs import Request


runs_argument = click.argument("runs", metavar="RUNS")
workflow_argument = click.argument(
    "workflow", metavar="WORKFLOW", shell_complete=complete_workflows
)


def _refuse_blank(ctx: click.Context, param: click.Parameter, value: str) -> str:  # noqa: ARG001 - click's signature
    if not value.strip():
        message = "--reason is empty."
        raise UsageError(message, hint="Say why, for those who read the history.")
    return value


reason_option = click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    callback=_refuse_blank,
    help="Why; kept in the history.",
)
dry_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen and write nothing."
)


def task_verb(example: str) -> Callable[[Callable[..., Outcome]], click.Command]:
    """Make a function a verb that moves tasks, with a reason and a dry run.

    It is called with the request and its own arguments, and returns what came of it.
    """

    def decorate(function: Callable[..., Outcome]) -> click.Command:
        @functools.wraps(function)
        def call(session: Session, **given: Any) -> int:  # noqa: ANN401 - each verb has its own options
            reason, dry_run = given.pop("reason"), given.pop("dry_run")
            with session.open() as project:
                request = session.request(project, reason, dry_run=dry_run)
                outcome = function(request, **given)
            return report(session, outcome, reason, dry_run=dry_run)

        return verb(example)(add_options(call, [reason_option, dry_option]))

    return decorate


@task_verb('retry 4521 camera-reco --reason "the node was down"')
@runs_argument
@workflow_argument
def retry(request: Request, runs: str, workflow: str) -> Outcome:
    """Try failed and skipped tasks again.

    The version stays, jobs that are done stay done, and the budget of attempts is renewed. RUNS is
    a selection such as 4500-4510,4521; a run inside a group, or fill:8222, means the group's task.
    """
    from autoctrl import verbs

    return verbs.retry(request, runs, workflow)


@task_verb('reprocess 4521 camera-reco --downstream --reason "new calibration"')
@click.argument("runs", metavar="RUNS", required=False)
@click.argument("workflow", metavar="WORKFLOW", required=False, shell_complete=complete_workflows)
@click.option("--downstream", is_flag=True, help="Also every task that consumed an output of them.")
@click.option(
    "--stale",
    metavar="WORKFLOW",
    help="Every stale task of this workflow: it is done, but an input has a newer version that is "
    "done, or a file that it read has changed.",
    shell_complete=complete_workflows,
)
def reprocess(
    request: Request, runs: str | None, workflow: str | None, stale: str | None, downstream: bool
) -> Outcome:
    """Send tasks through their workflow again, as the next version.

    Takes done, failed and skipped tasks. A group takes in its late runs. With --stale WORKFLOW,
    RUNS may be left out.
    """
    from autoctrl import verbs

    if stale is None:
        if runs is None or workflow is None:
            message = "reprocess needs RUNS and WORKFLOW, or --stale WORKFLOW."
            raise UsageError(message, hint="See: autoctrl reprocess --help")
        return verbs.reprocess(request, runs, workflow, downstream=downstream)
    if workflow is not None or downstream:
        message = (
            f"reprocess --stale {stale} already names the workflow; it takes neither another "
            "WORKFLOW nor --downstream."
        )
        hint = "What lies downstream becomes stale when the new version is done."
        raise UsageError(message, hint=hint)
    return verbs.reprocess_stale(request, stale, runs)


@task_verb('skip 4521 camera-reco --reason "beam was off"')
@runs_argument
@workflow_argument
def skip(request: Request, runs: str, workflow: str) -> Outcome:
    """Take new and failed tasks out of the processing."""
    from autoctrl import verbs

    return verbs.skip(request, runs, workflow)


@task_verb('fail 4521 camera-reco --reason "it writes rubbish"')
@runs_argument
@workflow_argument
def fail(request: Request, runs: str, workflow: str) -> Outcome:
    """End processing tasks.

    Their jobs are removed, and each task fails when its jobs are gone.
    """
    from autoctrl import verbs

    return verbs.fail(request, runs, workflow)


@task_verb('complete 4521 camera-reco --output reco.root --reason "done on the grid"')
@runs_argument
@workflow_argument
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="[NAME=]FILE",
    help=(
        "A file that was made; NAME is the workflow's name for it, 'output' if it is the only one."
    ),
)
def complete(request: Request, runs: str, workflow: str, outputs: tuple[str, ...]) -> Outcome:
    """Declare a task done by hand, with files that you made.

    Takes new and failed tasks.
    """
    from autoctrl import verbs

    files = [measure(*split_output(text, is_only=len(outputs) == 1)) for text in outputs]
    return verbs.complete(request, runs, workflow, files)


@verb('pause camera-reco --reason "storage is full"')
@workflow_argument
@reason_option
def pause(session: Session, workflow: str, reason: str) -> int:
    """Submit nothing more for a workflow.

    Running jobs are still collected.
    """
    from autoctrl import verbs

    return _set_paused(session, workflow, reason, verbs.pause, is_paused=True)


@verb('resume camera-reco --reason "storage is back"')
@workflow_argument
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the history.")
def resume(session: Session, workflow: str, reason: str) -> int:
    """Let a paused workflow submit again."""
    from autoctrl import verbs

    return _set_paused(session, workflow, reason, verbs.resume, is_paused=False)


def _set_paused(
    session: Session, workflow: str, reason: str, act: Callable[..., bool], *, is_paused: bool
) -> int:
    from autoctrl.views.outcomes import spell_pause

    with session.open() as project:
        is_changed = act(session.request(project, reason), workflow)
    if session.is_json:
        show_json(
            campaign=session.campaign, workflow=workflow, paused=is_paused, changed=is_changed
        )
    else:
        say(spell_pause(workflow, is_paused=is_paused, is_changed=is_changed))
    return 0


def split_output(text: str, *, is_only: bool) -> tuple[str, Path]:
    """Return name and file of ``name=file`` or, for the only one, of ``file``.

    Raises ``UsageError`` otherwise.
    """
    name, equals, path = text.partition("=")
    if equals:
        return name, Path(path)
    if is_only:
        return "output", Path(text)
    message = f"'{text}' is one of several outputs and has no name."
    raise UsageError(message, hint="Write each as NAME=FILE with the workflow's names.")


def measure(name: str, path: Path) -> FileInfo:
    """Return a file's size, checksum and, for a ROOT file, entries.

    Raises ``UsageError`` if it is missing or empty.
    """
    try:
        digest = digest_of(path)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise UsageError(message) from error
    if digest.bytes == 0:
        message = f"{path} is empty."
        raise UsageError(message, hint="Nothing was done.")
    entries: dict[str, int] = {}
    if path.suffix == ".root":
        from autoctrl.science import count_entries

        entries = count_entries(path)
    return FileInfo(name, str(path.absolute()), digest.bytes, digest.checksum, entries)


def report(session: Session, outcome: Outcome, reason: str, *, dry_run: bool) -> int:
    """Print what came of a verb; return 0 if all was done, 1 if some was refused, 2 if nothing
    could be done.
    """
    if session.is_json:
        show_json(
            verb=outcome.verb,
            campaign=session.campaign,
            reason=reason,
            dry_run=dry_run,
            done=[_values(answer) for answer in outcome.done],
            refused=[{**_values(answer), "refusal": answer.refusal} for answer in outcome.refused],
        )
    else:
        from autoctrl.views.outcomes import spell_outcome

        for sentence in spell_outcome(outcome, dry_run=dry_run):
            (warn if sentence.is_refused else say)(sentence.text)
    if not outcome.refused:
        return 0
    return 1 if outcome.done else 2


def _values(answer: Answer) -> dict[str, object]:
    return {
        "workflow": answer.workflow,
        "unit": answer.unit,
        "runs": answer.runs,
        "before": answer.before,
        "after": answer.after,
        "version": answer.version,
    }
