"""What jobs printed, and what they said of themselves: asked where it may hang."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from autoctrl.compose import HintsOfTask
from autoctrl.errors import AutoctrlError
from autoctrl.ports import LogPiece, LogWindow
from autoctrl.views.log_lines import Found, search
from autoctrl.web.files.reader import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from autoctrl.compose import Project
    from autoctrl.model.job import JobRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Executor

STREAMS = ("stdout", "stderr")
LONGEST = 64 * 1024
AT_ONCE = 256 * 1024  # bytes of a log that is handed over
Answer = TypeVar("Answer")


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
    return _ask(project, job, lambda executor: executor.log(job.handle, stream), "")


def read_piece(project: Project, job: JobRecord, stream: str, window: LogWindow) -> LogPiece:
    """Return a part of what an attempt printed. Raises as ``read_stream``."""
    return _ask(
        project, job, lambda executor: executor.log_piece(job.handle, stream, window), LogPiece("")
    )


def search_stream(project: Project, job: JobRecord, stream: str, begin: int, word: str) -> Found:
    """Return the lines that have a word of what an attempt printed from a byte on.

    The log is read once, piece by piece, within the time of one question. Raises as
    ``read_stream``.
    """

    def look(executor: Executor) -> Found:
        first = executor.log_piece(job.handle, stream, LogWindow(begin=begin, length=LONGEST))
        return search(_follow(executor, job.handle, stream, first), word)

    return _ask(project, job, look, Found((), 0, 0))


def stream_whole(project: Project, job: JobRecord, stream: str) -> Iterator[str]:
    """Return the pieces of all that an attempt printed until now, read as they are taken.

    The first is read at once, so that what cannot be read is known before. Raises as
    ``read_stream``, also while it goes on: then the end is missing.
    """
    first = read_piece(project, job, stream, LogWindow(begin=0, length=AT_ONCE, line=1))
    return _go_on(project, job, stream, first)


def _go_on(project: Project, job: JobRecord, stream: str, first: LogPiece) -> Iterator[str]:
    piece = first
    while True:
        yield piece.text
        if piece.end >= first.size or piece.begin == piece.end:
            return
        piece = read_piece(project, job, stream, LogWindow(piece.end, length=AT_ONCE, line=1))


def _follow(executor: Executor, handle: str, stream: str, first: LogPiece) -> Iterator[LogPiece]:
    """Yield a piece and those that follow it, up to where the log ended then; none is counted
    anew.
    """
    piece = first
    while True:
        yield piece
        if piece.end >= first.size or piece.begin == piece.end:
            return
        line = (piece.line or 1) + piece.text.count("\n")
        window = LogWindow(piece.end, length=LONGEST, line=None if piece.line is None else line)
        piece = executor.log_piece(handle, stream, window)


def read_excerpts(project: Project, job: JobRecord) -> list[Excerpt]:
    """Return the ends of both streams; one that cannot be read says why, an empty one is left
    out.
    """

    def look(executor: Executor) -> list[Excerpt]:
        return [_excerpt(executor, job.handle, stream) for stream in STREAMS]

    nothing: list[Excerpt] = []
    try:
        found = _ask(project, job, look, nothing)
    except AutoctrlError as error:
        return [Excerpt(STREAMS[0], "", problem=str(error))]
    return [excerpt for excerpt in found if excerpt.text or excerpt.problem]


def _excerpt(executor: Executor, handle: str, stream: str) -> Excerpt:
    try:
        return shorten(stream, executor.log(handle, stream))
    except AutoctrlError as error:
        return Excerpt(stream, "", problem=str(error))


def read_hints(project: Project, key: TaskKey) -> HintsOfTask:
    """Return what the task's jobs last said of themselves, or why nobody knows."""
    if not project.settings.hints.url:
        return HintsOfTask([])
    try:
        return FILES.ask(lambda: project.hints(key), "hints")
    except AutoctrlError as error:
        return HintsOfTask([], f"Hints of the jobs cannot be shown. {error}")


def _ask(
    project: Project, job: JobRecord, question: Callable[[Executor], Answer], without: Answer
) -> Answer:
    """Ask the executor of an attempt; return ``without`` of one that was never handed over."""
    if not job.handle:
        return without
    address = job.spec.address
    return FILES.ask(lambda: question(project.executor(address)), address)


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
