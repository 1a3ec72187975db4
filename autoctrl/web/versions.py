"""What made each version of a task, and what it published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.errors import UsageError
from autoctrl.machine.provenance import read_body
from autoctrl.model.names import STATE_FOLDER
from autoctrl.views import made

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoctrl.compose import Project
    from autoctrl.ports import Record
    from autoctrl.views import Made


def versions_of(project: Project, records: Sequence[Record]) -> list[Made]:
    """Return what made each version, oldest first; raises ``UsageError`` if a description is
    gone.
    """
    return made(records, lambda digest: read_body(project.folder / STATE_FOLDER, digest))


def versions_to_show(project: Project, records: Sequence[Record]) -> list[Made]:
    """Return the same, newest first, with a sentence in place of a description that is gone."""

    def describe(digest: str) -> Mapping[str, Any]:
        try:
            return read_body(project.folder / STATE_FOLDER, digest)
        except UsageError as error:
            return {"gone": str(error)}

    return made(records, describe)[::-1]


def flat(values: Any, prefix: str = "") -> list[tuple[str, str]]:  # noqa: ANN401 - a description is any JSON
    """Return a description as pairs of dotted name and text."""
    if isinstance(values, dict):
        return [
            pair
            for name, value in values.items()
            for pair in flat(value, f"{prefix}.{name}" if prefix else str(name))
        ]
    if isinstance(values, list | tuple):
        return [(prefix, " ".join(map(str, values)))]
    return [(prefix, "" if values is None else str(values))]
