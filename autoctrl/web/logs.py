"""What jobs printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.ports import LogPiece, LogWindow
from autoctrl.web.reading import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def read_piece(project: Project, job: JobRecord, stream: str, window: LogWindow) -> LogPiece:
    """Return a part of what an attempt printed. Raises as ``read_stream``."""
    if not job.handle:
        return LogPiece("")
    executor = project.executor(job.spec.address)
    return FILES.ask(lambda: executor.log_piece(job.handle, stream, window))


def read_pieces(
    project: Project, job: JobRecord, stream: str, begin: int, length: int
) -> Iterator[LogPiece]:
    """Yield what an attempt printed from a byte on, so many bytes at a time."""
    while True:
        piece = read_piece(project, job, stream, LogWindow(begin=begin, length=length))
        yield piece
        if piece.end >= piece.size or piece.end <= begin:
            return
        begin = piece.end


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
