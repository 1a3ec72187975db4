"""What an executor finds around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.model.names import JOBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Surroundings(NamedTuple):
    """What an executor finds around it.

    state      folder for what it keeps
    store_id   identity of the store whose jobs it runs
    project    the project's folder, from which relative paths of the settings count
    place      where the jobs are that are meant, empty for where the settings point now
    templates  folders in which a project overrides the packaged templates
    hints      variables that tell a job where to leave hints
    """

    state: Path
    store_id: str
    project: Path
    place: str = ""
    templates: Sequence[Path] = ()
    hints: Mapping[str, str] | None = None

    def jobs_folder(self, name: str) -> Path:
        """Return the folder in which the executor of this name keeps its jobs."""
        return self.state / JOBS / name
