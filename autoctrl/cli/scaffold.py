"""New projects and new workflows, from the skeletons in ``templates/``."""

from __future__ import annotations

import string
from importlib import resources
from typing import TYPE_CHECKING

from autoctrl.config import FILE_NAME
from autoctrl.errors import UsageError, nearest
from autoctrl.handlers.handler import WORKFLOW_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

FIRST_RUNS = "1-5"
KINDS = ("inline", "batch")
SUFFIX = ".in"
EXECUTABLE = 0o755
HANDLER = "handler.py"
TEMPLATES = resources.files("autoctrl").joinpath("templates")


def create_project(folder: Path) -> list[Path]:
    """Write a new project into ``folder`` and return its files; ``FIRST_RUNS`` are for the caller
    to add.

    Raises ``UsageError`` if there is a project already, a file in the way, or no right to write;
    then nothing is lost.
    """
    if (folder / FILE_NAME).exists():
        message = f"{folder} is an autoctrl project already."
        raise UsageError(message, hint="Go there and say: autoctrl loop --until-idle")
    name = folder.absolute().name.replace("\\", "").replace('"', "")
    return _write("new-project", folder, {"name": name or "autoctrl"})


def create_workflow(project: Path, name: str, kind: str = "inline") -> list[Path]:
    """Write ``workflows/<name>/`` into a project and return its files; ``kind`` is ``inline`` or
    ``batch``.

    Raises ``UsageError`` for an impossible name or kind, a workflow that exists, or no right to
    write.
    """
    if not WORKFLOW_NAME.match(name):
        message = f"'{name}' is not a name for a workflow."
        raise UsageError(
            message, hint="Use small letters, digits, dashes and underscores; begin with a letter."
        )
    if kind not in KINDS:
        message = f"There is no kind of workflow '{kind}'. {nearest(kind, KINDS)}"
        raise UsageError(message)
    folder = project / "workflows" / name
    if folder.exists():
        message = f"Workflow '{name}' exists already: {folder}."
        raise UsageError(message, hint="Choose another name, or change its handler.py.")
    return _write(f"new-workflow/{kind}", folder, {"name": name})


def render_jenkinsfile(workflow: str) -> str:
    """Return the Jenkinsfile of a workflow, which stands beside its handler."""
    file = TEMPLATES.joinpath("jenkins", f"Jenkinsfile{SUFFIX}")
    return string.Template(file.read_text("utf-8")).substitute(name=workflow)


def _render(skeleton: str, folder: Path, values: dict[str, str]) -> dict[Path, str]:
    """Return every file of a skeleton, and a Jenkinsfile beside each handler."""
    texts = {
        folder / path: string.Template(file.read_text("utf-8")).substitute(values)
        for path, file in _walk(TEMPLATES.joinpath(*skeleton.split("/")))
    }
    workflows = [path.parent for path in texts if path.name == HANDLER]
    return texts | {at / "Jenkinsfile": render_jenkinsfile(at.name) for at in workflows}


def _write(skeleton: str, folder: Path, values: dict[str, str]) -> list[Path]:
    texts = _render(skeleton, folder, values)
    taken = [path for path in texts if path.exists()]
    if taken:
        message = f"{taken[0]} is in the way; nothing was written."
        raise UsageError(message, hint="Choose another folder, or move the file.")
    try:
        for path, rendered in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rendered, encoding="utf-8")
            if rendered.startswith("#!"):
                path.chmod(EXECUTABLE)
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}."
        raise UsageError(message, hint="Choose a folder that you may write to.") from error
    return sorted(texts)


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda found: found.name):
        # Dots stay out of the names here, because packaging leaves such files out.
        name = item.name.removesuffix(SUFFIX).replace("dot-", ".", 1)
        if item.is_dir():
            yield from _walk(item, f"{prefix}{name}/")
        elif item.name.endswith(SUFFIX):
            yield f"{prefix}{name}", item
