"""The files of outputs, shown or handed over: only those that a record names, as they were then."""

from __future__ import annotations

import errno
import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from autoctrl.errors import ServiceDown
from autoctrl.files import open_plain
from autoctrl.model.output import LocationState
from autoctrl.ports import Selection
from autoctrl.views import find_task
from autoctrl.views.outputs import OutputChoice, choose_output, group_copies
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.parameters import is_on, read_number
from autoctrl.web.files.genuine import Mark, find_change, mark_of, tag_of
from autoctrl.web.files.media import HEAD, Media, Span, disposition, media_of, read_range
from autoctrl.web.files.reader import FILES
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from autoctrl.views import OutputLine

LOG = logging.getLogger("uvicorn.error")
PIECE = 256 * 1024
PLACE = "outputs"
SEALED = "sandbox; default-src 'none'"
FORBIDDEN = {errno.ELOOP, errno.EXDEV}


class OpenOutput(NamedTuple):
    """The file of an output, open for reading.

    descriptor  where it is read
    mark        what tells it from others
    head        its first bytes
    change      in what it differs from what was recorded, empty if in nothing
    """

    descriptor: int
    mark: Mark
    head: bytes
    change: str


class FileAnswer(StreamingResponse):
    """Answers with a part of an open file, read piece by piece, and closes it whatever happens."""

    def __init__(
        self, descriptor: int, span: Span, status_code: int, headers: dict[str, str]
    ) -> None:
        """Answer with ``span`` of the file."""
        self.descriptor = descriptor
        super().__init__(_read_pieces(descriptor, span), status_code, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; one that cannot be read to its end ends too early, by which its reader
        knows.
        """
        try:
            await super().__call__(scope, receive, send)
        except (OSError, ServiceDown) as error:
            LOG.warning("%s is sent only in part: %s", scope["path"], error)
        finally:
            os.close(self.descriptor)


def _read_pieces(descriptor: int, span: Span) -> Iterator[bytes]:
    position = span.begin
    while position < span.end:
        length = min(PIECE, span.end - position)
        piece = FILES.ask(lambda at=position, most=length: os.pread(descriptor, most, at), PLACE)  # type: ignore[misc]
        if not piece:  # it has been cut meanwhile: the reader must see that the answer is short
            raise OSError(errno.EIO, "it became shorter while it was read")
        position += len(piece)
        yield piece


def output_file(request: Request) -> Response:
    """Answer with the file of an output: ``name=``, ``version=`` (by default the newest),
    ``content=`` (the beginning of its checksum); with ``download=1`` always as a file to keep.
    """
    require_known(request, "see outputs")
    campaign = request.path_params.get("campaign") or request.query_params.get("campaign")
    line = _find_line(request, campaign or site_of(request).campaign)
    path = local_path(line)
    settings = site_of(request).project.settings
    opened = open_output(settings.path(settings.outputs.root), path, line)
    try:
        return _answer(request, line, path, opened)
    except BaseException:
        os.close(opened.descriptor)
        raise


def _find_line(request: Request, campaign: str) -> OutputLine:
    """Return the output that is asked for. Raises ``UsageError`` if no record names it."""
    query, store = request.query_params, site_of(request).store
    workflow, unit = request.path_params["workflow"], request.path_params["unit"]
    key = find_task(store, campaign, unit, workflow).key
    records = store.find_outputs(Selection(key.campaign, (key.workflow,), (key.unit,)))
    choice = OutputChoice(
        name=query.get("name", ""),
        version=read_number(request, "version"),
        content=query.get("content", ""),
    )
    return choose_output(group_copies(campaign, records), choice)


def local_path(line: OutputLine) -> str:
    """Return where the file of an output lies on this machine; answers 404 if it lies elsewhere,
    410 if it is known to be gone.
    """
    if line.local_path:
        return line.local_path
    there = [copy.url for copy in line.locations if copy.state is LocationState.PRESENT]
    if there:
        message = f"The output {line.name} lies at {there[0]}, which is not read from here."
        raise HTTPException(404, message)
    states = " and ".join(dict.fromkeys(copy.state for copy in line.locations))
    raise HTTPException(410, f"The output {line.name} is {states}.")


def open_output(root: Path, path: str, line: OutputLine) -> OpenOutput:
    """Open the file of an output, beneath the folder of all outputs, without following a link.

    Answers 403 for what is no plain file there, 410 if it is gone, 409 if it is known to have
    changed since it was recorded, 503 if it cannot be read.
    """
    try:
        opened = FILES.ask(lambda: _open(root, path, line), PLACE)
    except OSError as error:
        raise _refusal(line, path, error) from error
    if opened.change:
        os.close(opened.descriptor)
        raise HTTPException(409, f"{path} has changed: {opened.change}.")
    return opened


def _open(root: Path, path: str, line: OutputLine) -> OpenOutput:
    descriptor = open_plain(root, path)
    try:
        mark, head = mark_of(os.fstat(descriptor)), os.pread(descriptor, HEAD, 0)
        return OpenOutput(descriptor, mark, head, find_change(descriptor, mark, line, path))
    except OSError:
        os.close(descriptor)
        raise


def _refusal(line: OutputLine, path: str, error: OSError) -> HTTPException:
    if isinstance(error, FileNotFoundError):
        return HTTPException(410, f"{path} is gone: the output {line.name} was recorded there.")
    if error.errno in FORBIDDEN:
        return HTTPException(403, f"{path} is not shown: {error.strerror}.")
    return HTTPException(503, f"{path} cannot be read: {error.strerror}.")


def _answer(request: Request, line: OutputLine, path: str, opened: OpenOutput) -> Response:
    """Answer with an open file, or with the part of it that is asked for; the answer closes it."""
    size = opened.mark.size
    headers = _headers_of(request, path, media_of(path, opened.head, size))
    headers["ETag"] = tag_of(opened.mark, line)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        os.close(opened.descriptor)
        return Response(status_code=304, headers=headers)
    is_same = request.headers.get("if-range", headers["ETag"]) == headers["ETag"]
    part = read_range(request.headers.get("range", "") if is_same else "", size)
    if part is not None:
        headers["Content-Range"] = _spell_part(part, size)
    span = part or Span(0, size)
    headers["Content-Length"] = str(span.end - span.begin)
    read = Span(0, 0) if request.method == "HEAD" else span
    return FileAnswer(opened.descriptor, read, 200 if part is None else 206, headers)


def _spell_part(part: Span, size: int) -> str:
    """Return the header that says which part of a file this is; answers 416 if it is empty."""
    if part.begin == part.end:
        message = f"The file has {size} bytes; nothing lies there."
        raise HTTPException(416, message, {"Content-Range": f"bytes */{size}"})
    return f"bytes {part.begin}-{part.end - 1}/{size}"


def _headers_of(request: Request, path: str, media: Media) -> dict[str, str]:
    is_shown = media.is_shown and not is_on(request, "download")
    return {
        "Content-Type": media.type,
        "Content-Disposition": disposition(os.path.basename(path), is_shown=is_shown),  # noqa: PTH119 - a name alone
        "Content-Security-Policy": SEALED,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
    }


ROUTES = [
    Route("/campaigns/{campaign}/outputs/{workflow}/{unit:path}", output_file),
    Route("/api/output/{unit:path}/{workflow}", output_file),
]
