"""What one attempt printed, as plain text or as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, StreamingResponse

from autoctrl.views import (
    choose_attempt,
    newest_attempts,
    read_history,
)
from autoctrl.web.entry.visitor import require_known
from autoctrl.web.exchange.parameters import (
    is_on,
    read_choice,
)
from autoctrl.web.files.logs import read_stream, stream_whole
from autoctrl.web.pages.log import name_download, read_stream_name
from autoctrl.web.site.state import site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def log_text(request: Request) -> Response:
    """Answer with what one attempt printed, as plain text, of a very long log without its middle;
    with ``download=1`` whole, as a file.
    """
    require_known(request, "read logs")
    site, unit = site_of(request), request.path_params["unit"]
    campaign, workflow = request.path_params["campaign"], request.path_params["workflow"]
    key, records = read_history(site.store, campaign, unit, workflow)
    stream = read_stream_name(request)
    job = choose_attempt(key, newest_attempts(records), read_choice(request))
    if not is_on(request, "download"):
        return PlainTextResponse(read_stream(site.project, job, stream))
    name = name_download(key, job, stream)
    return StreamingResponse(
        stream_whole(site.project, job, stream),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
        media_type="text/plain",
    )
