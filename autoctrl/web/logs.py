"""What jobs printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.model.job import index_text
from autoctrl.model.status import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.compose import Project
    from autoctrl.model.job import JobRecord
    from autoctrl.model.unit import TaskKey

STREAMS = ("stdout", "stderr")
LONGEST = 64 * 1024
BROKEN = frozenset({JobStatus.FAILED, JobStatus.LOST})


class Excerpt(NamedTuple):
    """The end of what an attempt printed.

    stream    ``stdout`` or ``stderr``
    text      its last characters
    left_out  number of characters before them
    problem   why it cannot be read, empty if it can
    """

    stream: str
    text: str
    left_out: int = 0
    problem: str = ""


def choose_attempt(
    key: TaskKey,
    known: Sequence[JobRecord],
    *,
    version: int | None = None,
    index: str | None = None,
    attempt: int | None = None,
) -> JobRecord:
    """Return the attempt that is meant: one that failed, else the newest, of the newest version
    unless one is given.

    Raises ``UsageError`` if there is none.
    """
    wanted = version if version is not None else max((job.key.version for job in known), default=0)
    there = [job for job in known if job.key.version == wanted]
    meant = [
        job
        for job in there
        if index in {None, index_text(job.key.index)} and attempt in {None, job.attempt}
    ]
    if not meant:
        names = ", ".join(f"{index_text(job.key.index)}.{job.attempt}" for job in there) or "none"
        message = f"{key} has no such job in version {wanted}; there is: {names}."
        raise UsageError(message)
    broken = [job for job in meant if job.status in BROKEN]
    return max(broken or meant, key=lambda job: (job.attempt, job.time))


def read_stream(project: Project, job: JobRecord, stream: str) -> str:
    """Return what an attempt printed to ``stdout`` or ``stderr``; raises ``ServiceDown`` if the
    executor cannot say.
    """
    return project.executor(job.spec.address).log(job.handle, stream) if job.handle else ""


def excerpts(project: Project, job: JobRecord) -> list[Excerpt]:
    """Return the ends of both streams; one that cannot be read says why, an empty one is left
    out.
    """
    found = []
    for stream in STREAMS:
        try:
            text = read_stream(project, job, stream)
        except AutoctrlError as error:
            found.append(Excerpt(stream, "", problem=str(error)))
            continue
        if text:
            found.append(shorten(stream, text))
    return found


def shorten(stream: str, text: str) -> Excerpt:
    """Return the last 64 KiB characters of a text, from the beginning of a line where there is
    one.
    """
    if len(text) <= LONGEST:
        return Excerpt(stream, text)
    begin = len(text) - LONGEST
    line = text.find("\n", begin) + 1
    begin = line if 0 < line < len(text) else begin
    return Excerpt(stream, text[begin:], begin)
