"""Which files that versions read have another content by now."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autoctrl.model.task import InputRef, TaskRecord


def changed_files(tasks: Iterable[TaskRecord]) -> frozenset[InputRef]:
    """Return the inputs of these tasks that no workflow made, recorded with a checksum, and are other files now.

    Each file is read once.  One that is gone has changed; where its folder cannot be seen either, nothing is known.
    """
    return frozenset(ref for ref in {ref for task in tasks for ref in task.inputs} if ref.is_watched and _differs(ref))


def _differs(ref: InputRef) -> bool:
    path = Path(ref.url)
    kind, _, digest = ref.checksum.partition(":")
    try:
        with path.open("rb") as file:
            return path.stat().st_size != ref.bytes or hashlib.file_digest(file, kind).hexdigest() != digest
    except FileNotFoundError:
        return path.parent.is_dir()
    except (OSError, ValueError):
        return False
