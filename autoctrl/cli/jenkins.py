"""The verbs about Jenkins: what it shall have, how it stands, one build now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json, show_table
from autoctrl.cli.pipelines import check
from autoctrl.cli.session import VerbGroup, verb
from autoctrl.errors import UsageError
from autoctrl.model.table import NOTHING, Table

if TYPE_CHECKING:
    from autoctrl.cli.session import Session
    from autoctrl.operations.jenkins import Sync
    from autoctrl.operations.jenkins.plan import Action


@click.group(cls=VerbGroup, example="jenkins status")
def jenkins() -> None:
    """Let Jenkins start cycles, discovery, watch and deployment."""


jenkins.add_command(check)


@verb("jenkins sync --dry-run", group=jenkins, has_campaign=False)
@click.option("--dry-run", is_flag=True, help="Say what would happen and send nothing.")
@click.option("--prune", is_flag=True, help="Remove jobs of this project that nobody wants more.")
@click.option("--adopt", is_flag=True, help="Take over jobs of our names that are not ours.")
def sync(session: Session, dry_run: bool, prune: bool, adopt: bool) -> int:
    """Make and keep the jobs in Jenkins that the settings and the workflows ask for.

    What it has already is not sent again. Exits with 1 if a job was refused, with 2 if Jenkins
    could not be asked; say it again after that.
    """
    from autoctrl.operations.jenkins import prepare_sync
    from autoctrl.operations.jenkins.plan import Verb

    planned = prepare_sync(session.settings(), is_adopting=adopt, is_pruning=prune)
    if session.is_json:
        done = planned.actions if dry_run else list(planned.act())
        values = [action._asdict() for action in done]
        shown = [{key: item for key, item in one.items() if key != "config"} for one in values]
        show_json(dry_run=dry_run, actions=shown)
    else:
        show_sync(planned, dry_run=dry_run)
    return int(any(action.verb is Verb.REFUSE for action in planned.actions))


def show_sync(planned: Sync, *, dry_run: bool) -> None:
    """Do it, unless this is a dry run, and print a line for whatever is not as it was."""
    told = [action for action in planned.actions if action.verb != "keep"]
    width = max((len(action.name) for action in told), default=0)
    for action in planned.actions if dry_run else planned.act():
        if action in told:
            say(f"{action.verb:<7} {action.name:<{width}}  {action.text}".rstrip())
    say(conclude_sync(planned.actions, dry_run=dry_run))


def conclude_sync(actions: list[Action], *, dry_run: bool) -> str:
    """Return how many of them act, and how many need nothing."""
    from autoctrl.views.spelling import count

    number = sum(action.acts for action in actions)
    kept = sum(action.verb == "keep" for action in actions)
    if dry_run:
        return f"{count(number, 'change')} would be made; {kept} are as they shall be."
    return f"{count(number, 'change')} made; {kept} were as they shall be."


@verb("jenkins status", group=jenkins, has_campaign=False)
def status(session: Session) -> int:
    """Show how each job stands in Jenkins, and which nodes are offline.

    Exits with 1 if a job is missing, a newest build was no success, or a node is offline.
    """
    from autoctrl.operations.jenkins import find_offline_nodes, list_states
    from autoctrl.views import Spelling

    settings = session.settings()
    states, nodes = list_states(settings), find_offline_nodes(settings)
    if session.is_json:
        show_json(jobs=states, offline=nodes)
    else:
        spelling = Spelling(settings.project.timezone)
        rows = [
            (
                one.name,
                one.result or NOTHING,
                spelling.time(one.when) if one.when else NOTHING,
                one.now or NOTHING,
                " · ".join(one.cron.splitlines()) or NOTHING,
            )
            for one in states
        ]
        show_table(Table(("JOB", "LAST", "STARTED", "NOW", "CRON"), rows))
        for node in nodes:
            say(f"Node {node.name} is offline: {node.reason}")
    return int(bool(nodes) or not all(one.is_well for one in states))


@verb("jenkins trigger discover --wait", group=jenkins, has_campaign=False)
@click.argument("job", metavar="JOB")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the build; may be repeated. Jenkins shows it to everybody: no secrets.",
)
@click.option("--wait", is_flag=True, help="Wait for the end of the build.")
def trigger(session: Session, job: str, parameters: tuple[str, ...], wait: bool) -> int:
    """Start a build of a job now, by its name in the folder.

    With --wait it exits with 1 if the build was no success, with 2 if Jenkins did not answer any
    more.
    """
    from autoctrl.operations.jenkins import await_build, trigger_job

    settings = session.settings()
    triggered = trigger_job(settings, job, dict(map(split_parameter, parameters)))
    if not session.is_json:
        what = "An equal build waits already; this joins it" if triggered.is_folded else "Queued"
        say(f"{what}: item {triggered.queue_id}, {triggered.address}")
    if not wait:
        if session.is_json:
            show_json(job=job, **triggered._asdict())
        return 0
    built = await_build(settings, triggered, (lambda _: None) if session.is_json else say)
    if session.is_json:
        values = {**triggered._asdict(), "result": built.result, "address": built.address}
        show_json(job=job, **values)
    else:
        say(f"{built.result}: {built.address}")
    return int(built.result != "SUCCESS")


def split_parameter(text: str) -> tuple[str, str]:
    """Return name and value. Raises ``UsageError`` without an equals sign."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        message = f"--parameter {text} is not of the form NAME=VALUE."
        raise UsageError(message)
    return name, value
