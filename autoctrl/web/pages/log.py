"""What one attempt printed, with numbered lines: window by window, searched, followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.routing import Route

from autoctrl.model.job import index_text
from autoctrl.ports import LogWindow
from autoctrl.views import choose_attempt, newest_attempts, read_history
from autoctrl.views.log_lines import number_lines
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.parameters import is_on, read_choice, read_number
from autoctrl.web.exchange.posted import clean
from autoctrl.web.files.logs import STREAMS, read_piece, search_stream
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from autoctrl.model.job import JobRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import LogPiece

LONGEST_WORD = 200
LENGTH = 64 * 1024  # bytes that are shown at once
SEARCHED = 8 * 1024 * 1024  # bytes at the end of a log that are searched


def log_page(request: Request) -> Response:
    """Show a window of a log, or the lines that have a word."""
    require_known(request, "read logs")
    site, campaign = site_of(request), request.path_params["campaign"]
    workflow, unit = request.path_params["workflow"], request.path_params["unit"]
    key, records = read_history(site.store, campaign, unit, workflow)
    job = choose_attempt(key, newest_attempts(records), read_choice(request))
    stream = read_stream_name(request)
    piece = _read(request, job, stream)
    return site.draw(
        request,
        "log.html",
        campaign,
        workflow=workflow,
        unit=key.unit,
        job=job,
        job_name=f"{index_text(job.key.index)}.{job.attempt}",
        stream=stream,
        streams=STREAMS,
        same=_same(job, stream),
        piece=piece,
        lines=number_lines(piece),
        **_search(request, job, stream, piece.size),
        is_followed=is_on(request, "follow") and not job.is_final,
        is_still=True,
    )


def _read(request: Request, job: JobRecord, stream: str) -> LogPiece:
    """Return the part of a log that the address means, by default its end."""
    begin, end = read_number(request, "begin"), read_number(request, "end")
    window = LogWindow(begin=begin, end=end, length=LENGTH)
    return read_piece(site_of(request).project, job, stream, window)


def _search(request: Request, job: JobRecord, stream: str, size: int) -> dict[str, Any]:
    """Return the word of the address, and what is found of it at the end of a log of a size."""
    word = clean(request.query_params.get("search", ""), LONGEST_WORD)
    begin = max(0, size - SEARCHED)
    if not word:
        return {"word": "", "found": None, "not_searched": 0}
    found = search_stream(site_of(request).project, job, stream, begin, word)
    return {"word": word, "found": found, "not_searched": begin}


def read_stream_name(request: Request) -> str:
    """Return which stream the address means; answers 400 for one that there is not."""
    stream = request.query_params.get("stream") or STREAMS[0]
    if stream not in STREAMS:
        known = ", ".join(STREAMS)
        raise HTTPException(400, f"'{stream[:40]}' is not a stream; there are {known}.")
    return stream


def name_download(key: TaskKey, job: JobRecord, stream: str) -> str:
    """Return a name for a log's file, of letters and digits that every system knows."""
    text = f"{key.workflow}-{key.unit}-v{job.key.version}-{index_text(job.key.index)}.{job.attempt}"
    safe = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in text
    )
    return f"{safe}-{stream}.txt"


def _same(job: JobRecord, stream: str) -> dict[str, Any]:
    """Return the parameters of an address that mean this log."""
    index = index_text(job.key.index)
    return {"version": job.key.version, "job": index, "attempt": job.attempt, "stream": stream}


ROUTES = [Route("/campaigns/{campaign}/read/{workflow}/{unit:path}", log_page)]
