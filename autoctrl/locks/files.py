"""Which files that versions read have another content by now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.files import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.task import InputRef, TaskRecord


def changed_files(tasks: Iterable[TaskRecord]) -> frozenset[InputRef]:
    """Return the inputs of these tasks that no workflow made, recorded with a SHA-256, and are
    other files now.

    Each file is read once.  One that is gone has changed; where its folder cannot be seen either,
                             nothing is known.
    """
    refs = {
        ref
        for task in tasks
        for ref in task.inputs
        if ref.checksum.startswith("sha256:") and not ref.workflow
    }
    return frozenset(ref for ref in refs if _differs(ref))


def _differs(ref: InputRef) -> bool:
    path = Path(ref.url)
    try:
        return digest_of(path).checksum != ref.checksum
    except OSError:
        return path.parent.is_dir() and not path.exists()
