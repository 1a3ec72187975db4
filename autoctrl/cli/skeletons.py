"""The verbs that write files for people to start from: init and new-workflow."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json
from autoctrl.cli.session import verb

if TYPE_CHECKING:
    from autoctrl.cli.session import Session

KINDS = ("inline", "batch")


@verb("init my-experiment", has_campaign=False, has_project=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(session: Session, folder: Path) -> None:
    """Make a project that works: settings, two workflows, a few runs.

    DIR is made if it does not exist; nothing that is there is overwritten.
    """
    from autoctrl.cli.scaffold import FIRST_RUNS, create_project
    from autoctrl.verbs import add_runs
    from autoctrl.views.spelling import count

    files = create_project(folder)
    here = session._replace(folder=folder)
    with here.open() as project:
        added = add_runs(here.request(project), FIRST_RUNS, {}, project.settings.attributes).added
    if session.is_json:
        show_json(
            project=str(folder.absolute()),
            files=[str(path.relative_to(folder)) for path in files],
            runs=added,
        )
        return
    go_there = "" if folder.absolute() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    say(f"{folder} is a project with two workflows and {count(added, 'run')}.")
    say(f"Process them:  {go_there}autoctrl loop --until-idle")
    say("Then look:     autoctrl status")


@verb("new-workflow my-calibration --kind batch", has_campaign=False)
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="inline calls a function, batch runs a command as a job.",
)
def new_workflow(session: Session, name: str, kind: str) -> None:
    """Make workflows/NAME: a handler that works, a test, a README, a Jenkinsfile."""
    from autoctrl.cli.scaffold import create_workflow

    project = session.settings().folder
    files = create_workflow(project, name, kind)
    if session.is_json:
        show_json(
            workflow=name, kind=kind, files=[str(path.relative_to(project)) for path in files]
        )
        return
    say(f"{project / 'workflows' / name} is a workflow that works; change its handler.py.")
    say(f"What it would do now:  autoctrl plan --workflow {name}")
    say(f"Let it work:           autoctrl loop --until-idle --workflow {name}")
