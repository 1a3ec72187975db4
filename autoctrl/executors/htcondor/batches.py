"""What an executor keeps of its submissions, for whichever controller goes on after a kill.

Below ``<jobs>/<store id>/``::

    batches/<id>/          one submission: items (its rows, in order), job.sub (what was submitted),
                           about.json
    batches/<id>/<row>/    one job: a folder for each start, node.log, outcome.json (its result was
                           fetched and judged)
    batches/<id>/<row>.remove   the row was removed before it existed, it never starts
    clusters/<schedd>#<n>  link to the batch that became this cluster
    programs/<digest>      the jobs' executable
    missed.json            since when a job is neither in the queue nor in the history
"""

from __future__ import annotations

import json
import os
import secrets
import time
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.executors.htcondor.executable import write_program
from autoctrl.executors.htcondor.submit import NOTHING, parse_row
from autoctrl.executors.job_folder import read_json
from autoctrl.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from autoctrl.executors.htcondor.submit import JobRow, Rows

ITEMS, ABOUT, MISSED = "items", "about.json", "missed.json"
RECENT_S = 10 * 86400.0
FORGOTTEN_S = 30 * 86400.0
FOR_ALL = 0o1777


class Handle(NamedTuple):
    """``<schedd>#<cluster>.<proc>``, taken apart."""

    schedd: str
    cluster: int
    row: int


class JobBatch(NamedTuple):
    """One submission.

    folder   where it is kept
    travels  files travel with its jobs; else nodes see this machine's file system
    is_late  its rows become jobs one after the other
    created  when it was made, seconds since 1970
    """

    folder: Path
    travels: bool
    is_late: bool
    created: float

    def job_folder(self, row: int) -> Path:
        """Return the folder of one job."""
        return self.folder / str(row)

    def removal(self, row: int) -> Path:
        """Return the file that says that a row never starts."""
        return self.folder / f"{row}.remove"

    def removals(self) -> set[int]:
        """Return the rows that never start."""
        if not self.is_late:
            return set()
        names = os.listdir(self.folder)  # noqa: PTH208 - names only
        return {int(name.removesuffix(".remove")) for name in names if name.endswith(".remove")}

    def lines(self) -> Iterator[str]:
        """Yield the rows as they are written. Raises ``OSError``."""
        with (self.folder / ITEMS).open(encoding="ascii", newline="\n") as file:
            yield from file

    def rows(self, numbers: Iterable[int]) -> dict[int, JobRow]:
        """Return rows by number, without those that are not there."""
        wanted = set(numbers)
        try:
            return {
                number: parse_row(line)
                for number, line in enumerate(self.lines())
                if number in wanted
            }
        except (OSError, ValueError, KeyError, IndexError):
            return {}  # its description is gone or broken: nothing of it can be accepted

    def tags(self, wanted: Iterable[str]) -> dict[str, int]:
        """Return the rows of these tags, encoded as in the ads.

        A batch that cannot be read has none.
        """
        chosen = set(wanted)
        try:
            found = {line.split("\x1f", 2)[1]: number for number, line in enumerate(self.lines())}
        except (OSError, IndexError):
            return {}
        return {tag: number for tag, number in found.items() if tag in chosen}


def parse_handle(handle: str) -> Handle | None:
    """Return a handle taken apart, None if it is not one of HTCondor's."""
    schedd, _, job = handle.rpartition("#")
    cluster, _, row = job.partition(".")
    return (
        Handle(schedd, int(cluster), int(row))
        if schedd and cluster.isdecimal() and row.isdecimal()
        else None
    )


class Batches:
    """All batches of one store's executor; ``folder`` is theirs alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[tuple[str, int], JobBatch] = {}

    def write(self, rows: Rows, description: str, *, travels: bool, is_late: bool) -> JobBatch:
        """Write a new batch down, durably. Raises ``OSError``."""
        now = time.time()
        folder = self.folder / "batches" / f"{int(now):x}-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        if not travels and os.geteuid() == 0:
            folder.chmod(FOR_ALL)  # jobs are never root's, and write their results here
        with (folder / ITEMS).open("w", encoding="ascii", newline="\n") as file:
            file.writelines(rows.lines)
            file.flush()
            os.fsync(file.fileno())
        (folder / "job.sub").write_text(description, encoding="utf-8")
        (folder / NOTHING).touch()
        if rows.aliases:
            (folder / "inputs").mkdir()
        for alias, path in rows.aliases.items():
            (folder / "inputs" / alias).symlink_to(os.path.abspath(path))  # noqa: PTH100 - links are kept as they are
        about = {"travels": travels, "is_late": is_late, "created": now}
        (folder / ABOUT).write_text(json.dumps(about), encoding="ascii")
        return JobBatch(folder, **about)  # type: ignore[arg-type] # as read back below

    def program(self, content: bytes) -> Path:
        """Return the path of the executable, written if it is not there. Raises ``OSError``."""
        folder = self.folder / "programs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / sha256(content).hexdigest()[:16]
        write_program(path, content)
        return path

    def link(self, schedd: str, cluster: int, batch: str) -> None:
        """Remember which batch became a cluster."""
        folder = self.folder / "clusters"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{schedd}#{cluster}"
        if batch and path.is_symlink() and str(path.readlink()) != f"../batches/{batch}":
            path.unlink()  # of a schedd that was set up anew and counts from 1 again
        if batch and not path.is_symlink():
            path.symlink_to(f"../batches/{batch}")
        self._known.pop((schedd, cluster), None)

    def of(self, schedd: str, cluster: int) -> JobBatch | None:
        """Return the batch that became a cluster, None if nobody knows."""
        key = (schedd, cluster)
        if key not in self._known:
            batch = self._read((self.folder / "clusters" / f"{schedd}#{cluster}").resolve())
            if batch is None:
                return None
            self._known[key] = batch
        return self._known[key]

    def recent(self) -> list[JobBatch]:
        """Return the batches of the last days, newest first."""
        try:
            names = sorted(os.listdir(self.folder / "batches"), reverse=True)  # noqa: PTH208 - names only
        except FileNotFoundError:
            return []
        oldest = time.time() - RECENT_S
        young = [name for name in names if int(name.partition("-")[0], 16) > oldest]
        found = [self._read(self.folder / "batches" / name) for name in young]
        return [batch for batch in found if batch is not None]

    def _read(self, folder: Path) -> JobBatch | None:
        about = read_json(folder / ABOUT)
        return (
            JobBatch(folder, about["travels"], about["is_late"], about["created"])
            if about
            else None
        )

    def missed(self) -> dict[str, float]:
        """Return since when jobs are missed, by handle."""
        return {
            str(handle): float(since) for handle, since in read_json(self.folder / MISSED).items()
        }

    def note_missed(self, missed: Mapping[str, float], now: float) -> None:
        """Replace what ``missed`` returns, where it differs. Raises ``OSError``."""
        kept = {handle: since for handle, since in missed.items() if now - since < FORGOTTEN_S}
        if kept == self.missed():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / MISSED, json.dumps(kept).encode())
