"""What jobs printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.web.reading import FILES

if TYPE_CHECKING:
    from autoctrl.compose import Project
    from autoctrl.model.job import JobRecord

STREAMS = ("stdout", "stderr")
LONGEST = 64 * 1024


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


def read_stream(project: Project, job: JobRecord, stream: str) -> str:
    """Return what an attempt printed to ``stdout`` or ``stderr``; raises ``ServiceDown`` if the
    executor cannot say.
    """
    if not job.handle:
        return ""
    executor = project.executor(job.spec.address)
    return FILES.ask(lambda: executor.log(job.handle, stream))


def read_excerpts(project: Project, job: JobRecord) -> list[Excerpt]:
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
