"""Answers that are too long to be held at once: the overview of all runs, written page by page."""

from __future__ import annotations

import json
from itertools import chain
from textwrap import indent
from typing import TYPE_CHECKING, Any

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from starlette.responses import Response

    from autoctrl.views import Overview

RUNS_AT_ONCE = 500
NO_RUNS = '\n  "runs": []'


def stream_overview(read: Callable[[Sequence[int]], Overview], numbers: Sequence[int]) -> Response:
    """Answer with the overview of these runs, as ``json_answer`` writes it; ``read`` returns that
    of some.
    """
    begins = range(0, len(numbers), RUNS_AT_ONCE)
    pages = (read(numbers[begin : begin + RUNS_AT_ONCE]).values() for begin in begins)
    first = next(pages, None) or read(()).values()
    return StreamingResponse(
        write_pages(first, chain([first], pages)), media_type="application/json"
    )


def write_pages(first: dict[str, Any], pages: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the text of one overview whose ``runs`` are those of all ``pages``; what else it says
    is said by the ``first``.
    """
    frame = json.dumps({**first, "runs": []}, indent=2, ensure_ascii=False)
    before, _, after = frame.partition(NO_RUNS)
    yield before
    separator = '\n  "runs": ['
    for page in pages:
        for row in page["runs"]:
            yield separator + "\n" + indent(json.dumps(row, indent=2, ensure_ascii=False), " " * 4)
            separator = ","
    yield ("\n  ]" if separator == "," else NO_RUNS) + after + "\n"
