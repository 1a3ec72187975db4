"""Submit descriptions from templates: packaged, overridden by a project, and by one of its
workflows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jinja2

from autoctrl.errors import SettingsError, nearest
from autoctrl.executors.htcondor.commands import COMMANDS, PACKAGED, missing_keys, unknown_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NAME = "job.sub.j2"
LEVEL = re.compile(r"(\d+)!(.*)", re.DOTALL)


def places(workflow: str, templates: Sequence[Path]) -> list[Path]:
    """Return where templates of a workflow lie, the most particular place first; not all of them
    have to exist.
    """
    project, *rest = templates or (None,)
    own = [folder / workflow / "templates" for folder in rest]
    both = [place for folder in own for place in (folder, folder / "htcondor")]
    return [*both, *([project / "htcondor"] if project is not None else []), PACKAGED]


def overriding(templates: Sequence[Path]) -> list[str]:
    """Return the workflows that have templates of their own, and a word that is none for all the
    others.
    """
    found = [
        path.relative_to(folder)
        for folder in templates[1:]
        for path in folder.glob(f"*/templates/**/{NAME}")
    ]
    own = {path.parts[0] for path in found}
    return ["-", *sorted(own)]


class Layers(jinja2.BaseLoader):
    """Templates of several places; names are ``<level>!<file>``: the file in the first place from
    that level on.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:
        """Return source and path. Raises ``TemplateNotFound``."""
        del environment
        level, name = parts(template)
        path = self.find(level, name)
        if path is None:
            raise jinja2.TemplateNotFound(name)
        return path.read_text(encoding="utf-8"), str(path), None

    def find(self, level: int, name: str) -> Path | None:
        """Return the file that a name means from a level on."""
        return next(
            (folder / name for folder in self.folders[level:] if (folder / name).is_file()), None
        )


class Renderer(jinja2.Environment):
    """A template that extends its own name means the one beneath it."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.layers = Layers(folders)
        super().__init__(  # no HTML, so nothing to escape
            loader=self.layers,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )

    def join_path(self, template: str, parent: str) -> str:
        """Return the name of a template that another one names."""
        level, name = parts(parent)
        path = self.layers.find(level, name)
        wanted = template.removeprefix("htcondor/")
        start = (
            self.layers.folders.index(path.parent) + 1
            if path is not None and wanted == name
            else level
        )
        return f"{start}!{wanted}"


def parts(template: str) -> tuple[int, str]:
    """Return level and file of a template's name."""
    match = LEVEL.fullmatch(template)
    return (int(match[1]), match[2]) if match else (0, template)


def render(workflow: str, templates: Sequence[Path], values: Mapping[str, Any]) -> str:
    """Return the submit description of a workflow, the same for all its jobs, without its queue
    statement.

    Raises ``SettingsError`` with file and line if a template cannot be rendered, and for a command
    that HTCondor does not know or that it needs.
    """
    folders = places(workflow, templates)
    try:
        text = Renderer(folders).get_template(f"0!{NAME}").render(values)
    except (jinja2.TemplateError, OSError, TypeError, ValueError, ArithmeticError) as error:
        message = (
            f"The submit template {whereabouts(error, folders)} cannot be used: "
            f"{str(error).rstrip('.')}."
        )
        raise SettingsError(
            message, hint=f"What it may use: {', '.join(sorted(values))}."
        ) from error
    text = (
        "\n".join(
            line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
        )
        + "\n"
    )
    for key in unknown_keys(text):
        message = (
            f"The submit template {line_of(key, folders)} sets '{key}', which is no submit "
            "command of HTCondor."
        )
        hint = "It is written by autoctrl." if key == "queue" else nearest(key.lower(), COMMANDS)
        raise SettingsError(message, hint=f"{hint} An attribute of the job is written +{key} = …")
    missing = missing_keys(text)
    if missing:
        message = f"The submit template {folder_of(folders)} leaves out {', '.join(missing)}."
        raise SettingsError(
            message, hint="Keep these lines: without them no job would be found again."
        )
    return text


def whereabouts(error: BaseException, folders: Sequence[Path]) -> str:
    """Return file and line of a template's error."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or folder_of(folders)}:{error.lineno}"
    trace, found = error.__traceback__, str(folder_of(folders))
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(NAME):
            found = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def line_of(key: str, folders: Sequence[Path]) -> str:
    """Return file and line where a key is set; the file only, if it is put together."""
    pattern = re.compile(rf"^.*?{re.escape(key)}\b", re.MULTILINE)
    for path in (folder / NAME for folder in folders):
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        match = pattern.search(source)
        if match:
            return f"{path}:{source.count(chr(10), 0, match.end()) + 1}"
    return str(folder_of(folders))


def folder_of(folders: Sequence[Path]) -> Path:
    """Return the template that is used."""
    return next(folder / NAME for folder in folders if (folder / NAME).is_file())
