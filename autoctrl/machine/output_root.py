"""The folder of outputs belongs to one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.errors import SubmitRefused
from autoctrl.files import write_first
from autoctrl.model.names import OWNER_FILE

if TYPE_CHECKING:
    from pathlib import Path


def claim_output_root(root: Path, store_id: str) -> None:
    """Mark the folder of outputs as this store's, once.

    Another store begins its versions at 1 too and would write into the same places. Raises
    ``SubmitRefused`` if the folder is another store's, or cannot be written.
    """
    mark = root / OWNER_FILE
    try:
        if not mark.exists():
            root.mkdir(parents=True, exist_ok=True)
            write_first(mark, store_id.encode("ascii"))
        found = mark.read_text(encoding="ascii")
    except OSError as error:
        message = f"The folder of outputs {root} cannot be written: {error.strerror}."
        raise SubmitRefused(
            message, hint="Check the disk, or set [outputs] root to another folder."
        ) from error
    if found != store_id:
        message = (
            f"The folder of outputs {root} belongs to the store {found}, not to this one "
            f"({store_id})."
        )
        hint = (
            "Move it away, or set [outputs] root to another folder. Only if that store is "
            "gone for good and this one "
            f"was restored from its copy: write {store_id} into {mark}."
        )
        raise SubmitRefused(message, hint=hint)
