"""Serve the queue of a local pool: one detached process for each slot runs jobs until none is left.

Run as a program, never imported by the rest: ``python slot.py POOL WRAPPER SLOT:FD…``. Each FD is
an open, locked file ``POOL/slots/SLOT``; whoever holds the lock has the slot, and a job inherits
it. Imports the standard library only, and the wrapper by its path, so that it starts fast and needs
no installed package.
"""

from __future__ import annotations

import fcntl
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    RunJob = Callable[[str], int]

BAD_SPEC = 2  # exit code of a wrapper that cannot read the job's description: nobody can


def serve(pool: str, slot: str, fd: int | None, run: RunJob) -> int:
    """Run queued jobs, oldest first, while the slot is ours; return the process's exit code."""
    queue = os.path.join(pool, "queue")
    while fd is not None:
        for entry in sorted(os.listdir(queue)):
            if not take(os.path.join(queue, entry), run):
                return 1
        os.close(fd)
        # The slot is free before we look once more: who queues a job after that finds it free.
        fd = hold(os.path.join(pool, "slots", slot)) if os.listdir(queue) else None
    return 0


def take(entry: str, run: RunJob) -> bool:
    """Run the job of one entry and drop the entry; say whether going on makes sense."""
    try:
        folder = os.path.normpath(os.path.join(os.path.dirname(entry), os.readlink(entry)))
    except FileNotFoundError:
        return True
    code = 0 if is_settled(folder) else run_apart(run, folder)
    if code == BAD_SPEC or is_settled(folder):
        drop(entry)
    return code <= BAD_SPEC  # else nothing can be recorded here, of the next job neither


def is_settled(folder: str) -> bool:
    """Say whether nobody has to start this job any more: it is claimed, removed or gone."""
    return any(
        os.path.lexists(os.path.join(folder, name)) for name in ("claim", "remove")
    ) or not os.path.isdir(folder)


def run_apart(run: RunJob, folder: str) -> int:
    """Run the wrapper in a forked process; return its exit code, negative if a signal ended it."""
    pid = os.fork()
    if pid == 0:
        code = 4
        try:
            log = os.open(
                os.path.join(folder, "stderr.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666
            )
            os.dup2(log, 2)
            os.close(log)
            code = run(folder)
        except BaseException:  # noqa: BLE001 - the process ends here, its complaint goes where it can be read
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def drop(entry: str) -> None:
    """Remove an entry of the queue, whoever else does the same."""
    try:
        os.unlink(entry)
    except FileNotFoundError:
        return


def hold(path: str) -> int | None:
    """Take a slot; return the open file whose lock it is, None if somebody else has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    os.set_inheritable(fd, True)  # noqa: FBT003 - positional-only
    return fd


def close_others(kept: set[int]) -> None:
    """Close all descriptors but ``kept`` and the standard ones: slots outlive their starter."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:  # noqa: PLR2004 - stdin, stdout, stderr
            try:
                os.close(int(name))
            except OSError:
                continue  # the listing's own descriptor


def main(arguments: list[str]) -> int:
    """Detach one process for each slot, then end, so that nobody has to wait for them."""
    pool, wrapper, *pairs = arguments
    slots = {int(fd): slot for slot, fd in (pair.split(":") for pair in pairs)}
    close_others(set(slots))
    sys.path.append(os.path.dirname(wrapper))
    run = import_module("wrapper").run
    for module in ("ctypes", "hashlib"):  # imported here once instead of in each job's wrapper
        import_module(module)
    for fd, slot in slots.items():
        if os.fork() == 0:
            os.setsid()
            close_others({fd})
            code = 1
            try:
                code = serve(pool, slot, fd, run)
            except BaseException:  # noqa: BLE001 - as in run_apart
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
