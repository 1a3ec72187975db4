"""One at a time, and one rename: how an environment changes its release."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config.deployment import RELEASES
from autoctrl.errors import DeploymentError
from autoctrl.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.operations.deployment.layout import Place

WAIT_S = 900.0
PAUSE_S = 0.1


@contextmanager
def alone(path: Path, say: Callable[[str], object], *, wait_s: float = WAIT_S) -> Iterator[int]:
    """Hold the lock of a file during the block, and yield its descriptor.

    Waits for another process that holds it, and says so. Raises ``DeploymentError`` if that takes
    longer than ``wait_s``, and for files that cannot be written, in the block as well.
    """
    with telling(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _take(descriptor, path, say, wait_s)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Turn what the system refuses in a folder into ``DeploymentError``."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        why = "the disk is full" if is_full else error.strerror or error
        message = f"{error.filename or folder} cannot be written: {why}."
        hint = "Make room, then repeat." if is_full else "See whose it is, and who you are."
        raise DeploymentError(message, hint=hint) from error


def _take(descriptor: int, path: Path, say: Callable[[str], object], wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    is_told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "another"
            if time.monotonic() > deadline:
                message = f"Process {holder} still holds {path} after {wait_s:g} s."
                raise DeploymentError(message, hint="See what it does, or end it.") from error
            if not is_told:
                say(f"Process {holder} is deploying in {path.parent}; waiting for it.")
            is_told = True
            time.sleep(PAUSE_S)
        else:
            return


def switch(place: Place, release: Path) -> None:
    """Make a release the current one, by one rename. Raises ``OSError``."""
    draft = place.current.with_name(f"{place.current.name}.next")
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path(RELEASES, release.name))
    draft.rename(place.current)
    sync_folder(place.folder)
