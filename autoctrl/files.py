"""Files that take their name only when they are complete, whatever interrupts their writer."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError
from autoctrl.process import has_died, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; the file takes its final name only when the block ends
    well.

    What earlier writers of ``path`` left is removed, if they are known to be dead.  Raises
    AutoctrlError when the place is read-only, full or otherwise refuses the file.
    """
    process = "-".join(this_process().rsplit(":", 3)[1:])
    temporary = path.with_name(f".{path.name}.{process}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}."
        raise AutoctrlError(message, hint="Make room, or choose another place.") from error
    finally:
        # what prevented the writing may prevent this too, and is the error worth telling
        with suppress(OSError):
            temporary.unlink()


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of ``path`` whose writer was killed.

    A file is removed only when its name has a process of this very machine, boot and space of
    process numbers that is gone, and when it belongs to the same user.  On a shared file system the
    file of another machine, of another container, or from before a boot says nothing of its writer:
    it is left to whoever looks after the place.
    """
    begin, end = f".{path.name}.", ".tmp"
    with suppress(OSError):
        for found in path.parent.iterdir():
            if not (found.name.startswith(begin) and found.name.endswith(end)):
                continue
            process = found.name[len(begin) : -len(end)].replace("-", ":")
            with suppress(OSError):
                if has_died(f":{process}") and found.lstat().st_uid == os.geteuid():
                    found.unlink()
