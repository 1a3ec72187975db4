"""The verbs that write files for people to start from: init and new-workflow."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import click

from autoctrl.cli.screen import say, show_json
from autoctrl.cli.session import verb
from autoctrl.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from autoctrl.cli.session import Session

EXAMPLE = "hello"
SUFFIX = ".in"
RENAMED = {"gitignore": ".gitignore"}
EXECUTABLE = "handler.py"
NAME = re.compile(r"[a-z][a-z0-9_-]*")


@verb("init my-experiment", has_campaign=False, has_project=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(session: Session, folder: Path) -> None:
    """Make a working project: settings, a run table with example runs, one workflow."""
    from autoctrl.compose import open_project

    name = folder.absolute().name
    files = plan_files("project", folder, name) | plan_files("workflow", folder / "workflows" / EXAMPLE, EXAMPLE)
    write_files(files)
    open_project(folder, "").close()
    if session.is_json:
        show_json(project=str(folder.absolute()), files=[str(path.relative_to(folder)) for path in files])
        return
    place = "" if folder.absolute() == Path.cwd() else f"cd {folder} && "
    say(f"{folder} is a project with three example runs and the workflow {EXAMPLE}.")
    say(f"Process them:  {place}autoctrl loop --until-idle")
    say("Then look:     autoctrl status")


@verb("new-workflow my-calibration", has_campaign=False)
@click.argument("name", metavar="NAME")
def new_workflow(session: Session, name: str) -> None:
    """Make workflows/NAME: a handler that works at once, its job, a test, a README."""
    if not NAME.fullmatch(name):
        message = f"'{name}' is no name for a workflow."
        raise UsageError(message, hint="Use small letters, digits, dashes and underscores; begin with a letter.")
    project = session.settings().folder
    folder = project / "workflows" / name
    files = plan_files("workflow", folder, name)
    write_files(files)
    if session.is_json:
        show_json(workflow=name, files=[str(path.relative_to(project)) for path in files])
        return
    say(f"{folder} is a workflow that works; edit handler.py and job.py.")
    say(f"What it would do now:  autoctrl plan --workflow {name}")
    say(f"Let it work:           autoctrl loop --until-idle --workflow {name}")


def plan_files(skeleton: str, folder: Path, name: str) -> dict[Path, str]:
    """Return the texts of a packaged skeleton by the path that each belongs to, ``$name`` filled in."""
    parts = sorted(_templates().joinpath(skeleton).iterdir(), key=lambda part: part.name)
    texts: dict[Path, str] = {}
    for part in parts:
        if part.name.endswith(SUFFIX):
            plain_name = part.name.removesuffix(SUFFIX)
            text = Template(part.read_text(encoding="utf-8")).substitute(name=name)
            texts[folder / RENAMED.get(plain_name, plain_name)] = text
    return texts


def write_files(files: dict[Path, str]) -> None:
    """Write all files or none. Raises ``UsageError`` if one exists, ``SettingsError`` if one cannot be written."""
    existing = [path for path in files if path.exists()]
    if existing:
        message = f"{existing[0]} exists already; nothing was written."
        raise UsageError(message, hint="Choose another name, or move the file away.")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if path.name == EXECUTABLE:
                path.chmod(0o755)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}."
            raise SettingsError(message, hint="Choose a folder in which you may write.") from error


def _templates() -> Traversable:
    return resources.files("autoctrl").joinpath("templates")
