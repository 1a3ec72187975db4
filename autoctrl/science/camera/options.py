"""What the commands of ``autoctrl-camera`` share: ranges, extensions, fields, help."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoctrl import __version__
from autoctrl.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FILE = click.Path(path_type=Path)
VERSION = f"autoctrl {__version__}"


def science(module: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of the camera; raises MissingExtra without the science packages."""
    try:
        return importlib.import_module(f"autoctrl.science.camera.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("autoctrl"):
            raise
        what = "autoctrl-camera"
        raise MissingExtra(what, "science") from error


def with_options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that gives a command these options, shown by its help in this order."""

    def add_options(command: Any) -> Any:  # noqa: ANN401 - a function that click wraps
        for option in reversed(options):
            command = option(command)
        return command

    return add_options


def parse_range(text: str) -> tuple[int, int | None]:
    """Return (first, last) of a half-open range ``0:200``; ``:`` and an empty end mean all."""
    match = re.fullmatch(r"(\d*):(\d*)", text.strip())
    if not match:
        message = f"{text!r} is not a range of events."
        hint = "Write it as FIRST:LAST, for example 0:200; LAST is not included."
        raise UsageError(message, hint=hint)
    first, last = int(match[1] or 0), int(match[2]) if match[2] else None
    if last is not None and last < first:
        message = f"the range {text} ends before it begins."
        raise UsageError(message, hint="Write it as FIRST:LAST, for example 0:200.")
    return first, last


def load_extensions(paths: tuple[Path, ...]) -> None:
    """Run Python files that register friend modules or plots.

    Raises UsageError for one that cannot be loaded.
    """
    for number, path in enumerate(paths):
        spec = importlib.util.spec_from_file_location(f"autoctrl_camera_extension_{number}", path)
        if spec is None or spec.loader is None:
            message = f"{path} is not a Python file."
            raise UsageError(message)
        try:
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        except (Exception, SystemExit) as error:
            message = f"{path} cannot be loaded: {type(error).__name__}: {error}"
            raise UsageError(message) from error


def refuse_overwriting(outputs: Iterable[Path], inputs: Iterable[Path | None] = ()) -> None:
    """Raise UsageError for an output without a name, or with that of another file."""
    taken = {path.resolve() for path in inputs if path is not None}
    for output in outputs:
        if not output.name:
            message = f"{output} is a folder, not the name of an output."
            raise UsageError(message, hint="Give the output a name.")
        if output.resolve() in taken:
            message = f"{output} would replace another file of this command."
            raise UsageError(message, hint="Give the output another name.")
        taken.add(output.resolve())


def report_fields(fields: dict[str, Any]) -> None:
    """Write custom fields as JSON to the file that ``AUTOCTRL_FIELDS`` names, if it names one."""
    target = os.environ.get("AUTOCTRL_FIELDS")
    if target:
        Path(target).write_text(json.dumps(fields), encoding="utf-8")


def example(line: str) -> dict[str, str]:
    """Return the closing lines of a command's help."""
    return {"epilog": f"Example: {line}"}
