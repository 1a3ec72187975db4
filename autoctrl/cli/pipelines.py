"""The verb that judges Jenkinsfiles: ``jenkins check``, a part of the verb ``jenkins``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoctrl.cli.output import say, show_json, warn
from autoctrl.cli.session import verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.cli.session import Session


@verb("jenkins check", has_campaign=False)
@click.argument("files", metavar="[FILES]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--known",
    multiple=True,
    metavar="NAME",
    help="A step, option or agent that a plugin of your Jenkins brings; may be given repeatedly.",
)
def check(session: Session, files: tuple[Path, ...], known: tuple[str, ...]) -> int:
    """Execute Jenkinsfiles by Groovy, and say what Jenkins would refuse.

    FILES are by default those of the project: at its root, in .ci, beside each handler. Nothing
    that they tell a shell is done. Exits with 1 if one is refused.
    """
    from autoctrl.operations.pipelines.groovy import judge_files
    from autoctrl.operations.pipelines.jenkinsfiles import (
        describe_all,
        judgement_values,
        spell_judgement,
    )

    judgements = judge_files(files or project_files(session), known)
    refused = [one for one in judgements if one.findings]
    if session.is_json:
        show_json(files=[judgement_values(one) for one in judgements])
        return int(bool(refused))
    for one in judgements:
        for line in spell_judgement(one):
            (warn if one.findings else say)(line)
    say(describe_all(judgements))
    return int(bool(refused))


def project_files(session: Session) -> Sequence[Path]:
    """Return the Jenkinsfiles of the project, seen from the working directory if they are below."""
    from autoctrl.config import find_project
    from autoctrl.operations.pipelines.places import find_jenkinsfiles

    here = Path.cwd()
    found = find_jenkinsfiles(find_project(session.folder))
    return [path.relative_to(here) if path.is_relative_to(here) else path for path in found]
