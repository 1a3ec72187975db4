"""Answers that are too long to be held at once: the overview of all runs, written page by page."""

from __future__ import annotations

import json
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

from autoctrl.views.overview import row_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.responses import Response

    from autoctrl.views import RunRow

NO_RUNS = '\n  "runs": []'


def stream_overview(frame: dict[str, Any], rows: Iterable[Sequence[RunRow]]) -> Response:
    """Answer with an overview as ``json_answer`` writes it: all but its ``runs`` is said by the
    ``frame``, and ``rows`` are read while they are sent.
    """
    return StreamingResponse(write_rows(frame, rows), media_type="application/json")


def write_rows(frame: dict[str, Any], rows: Iterable[Sequence[RunRow]]) -> Iterator[str]:
    """Yield the text of an overview, piece by piece."""
    text = json.dumps({**frame, "runs": []}, indent=2, ensure_ascii=False)
    before, _, after = text.partition(NO_RUNS)
    yield before
    separator = '\n  "runs": ['
    for row in chain.from_iterable(rows):
        written = json.dumps(row_values(row), indent=2, ensure_ascii=False)
        yield separator + "\n" + indent(written, " " * 4)
        separator = ","
    yield ("\n  ]" if separator == "," else NO_RUNS) + after + "\n"
