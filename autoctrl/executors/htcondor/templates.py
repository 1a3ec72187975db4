"""Submit descriptions from templates: packaged, overridden by a project and by a workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jinja2

from autoctrl.errors import SettingsError, nearest
from autoctrl.executors.htcondor.commands import (
    COMMANDS,
    PACKAGED,
    find_missing_keys,
    find_unknown_keys,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

NAME = "job.sub.j2"
LEVEL = "!"


def template_folders(workflow: str, templates: Sequence[Path]) -> list[Path]:
    """Return where templates of a workflow lie, the most particular first; some need not exist."""
    project, *rest = templates or (None,)
    own = [folder / workflow / "templates" for folder in rest]
    both = [found for folder in own for found in (folder, folder / "htcondor")]
    return [*both, *([project / "htcondor"] if project is not None else []), PACKAGED]


def list_overriding(templates: Sequence[Path]) -> list[str]:
    """Return the workflows with templates of their own, and ``-``, which stands for all others."""
    own = {
        path.relative_to(folder).parts[0]
        for folder in templates[1:]
        for path in folder.glob(f"*/templates/**/{NAME}")
    }
    return ["-", *sorted(own)]


class LayeredTemplates(jinja2.Environment):
    """A template that extends its own name means the one beneath it.

    Names are ``<level>!<file>``: the file in the first folder from that level on.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders
        super().__init__(  # no HTML, so nothing to escape
            loader=jinja2.FunctionLoader(self._read),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )

    def _read(self, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return source, path and whether that is still so. Raises ``TemplateNotFound``."""
        first, _, name = template.partition(LEVEL)
        try:
            return jinja2.FileSystemLoader(self.folders[int(first) :]).get_source(self, name)
        except jinja2.TemplateNotFound as error:
            raise jinja2.TemplateNotFound(name) from error

    def join_path(self, template: str, parent: str) -> str:
        """Return the name of a template that another one names."""
        first, _, name = parent.partition(LEVEL)
        wanted = template.removeprefix("htcondor/")
        if wanted != name:
            return f"{first}{LEVEL}{wanted}"
        levels = range(int(first), len(self.folders))
        level = next(level for level in levels if (self.folders[level] / name).is_file())
        return f"{level + 1}{LEVEL}{wanted}"


def render(workflow: str, templates: Sequence[Path], values: Mapping[str, Any]) -> str:
    """Return the submit description of a workflow, the same for all its jobs, without its queue
    statement.

    Raises ``SettingsError`` with file and line if a template cannot be rendered, and for a command
    that HTCondor does not know or that it needs.
    """
    folders = template_folders(workflow, templates)
    try:
        text = LayeredTemplates(folders).get_template(f"0{LEVEL}{NAME}").render(values)
    except (jinja2.TemplateError, OSError, TypeError, ValueError, ArithmeticError) as error:
        words = str(error).rstrip(".")
        message = f"The submit template {locate_error(error, folders)} cannot be used: {words}."
        hint = f"What it may use: {', '.join(sorted(values))}."
        raise SettingsError(message, hint=hint) from error
    lines = (line for line in text.splitlines() if line.strip())
    text = "".join(f"{line}\n" for line in lines if not line.lstrip().startswith("#"))
    check_keys(text, folders)
    return text


def check_keys(text: str, folders: Sequence[Path]) -> None:
    """Raise ``SettingsError`` for a command that HTCondor does not know or that is missing."""
    for key in find_unknown_keys(text):
        where = f"The submit template {locate_key(key, folders)}"
        message = f"{where} sets '{key}', which is not a submit command of HTCondor."
        hint = "It is written by autoctrl." if key == "queue" else nearest(key.lower(), COMMANDS)
        raise SettingsError(message, hint=f"{hint} An attribute of the job is written +{key} = …")
    missing = find_missing_keys(text)
    if missing:
        message = f"The submit template {find_template(folders)} leaves out {', '.join(missing)}."
        hint = "Keep these lines: without them no job would be found again."
        raise SettingsError(message, hint=hint)


def locate_error(error: BaseException, folders: Sequence[Path]) -> str:
    """Return file and line of a template's error."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"{error.filename or find_template(folders)}:{error.lineno}"
    trace, found = error.__traceback__, str(find_template(folders))
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(NAME):
            found = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def locate_key(key: str, folders: Sequence[Path]) -> str:
    """Return file and line where a key is set; the file only, if it is put together."""
    pattern = re.compile(rf"^.*?{re.escape(key)}\b", re.MULTILINE)
    for path in (folder / NAME for folder in folders):
        source = path.read_text(encoding="utf-8") if path.is_file() else ""
        match = pattern.search(source)
        if match:
            return f"{path}:{source.count(chr(10), 0, match.end()) + 1}"
    return str(find_template(folders))


def find_template(folders: Sequence[Path]) -> Path:
    """Return the template that is used."""
    return next(folder / NAME for folder in folders if (folder / NAME).is_file())
