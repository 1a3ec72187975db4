"""Which requests a command sends: a proxy that forwards them and takes their times."""

from __future__ import annotations

import re
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.proxy import Handler, Proxy

STREAM = re.compile(
    r'(?:r\.(?:kind|name) == \\?"([^"\\]*)\\?"[^\n]*?)?yield\(name: \\?"(.*?)\\?"\)'
)
LONGEST = 90


class Seen(NamedTuple):
    """One request.

    connection  counts the connections from 1; every opening of a store has one of its own
    began_s     seconds since the watch began
    took_s      seconds until it was answered
    answered    bytes of the answer's body
    what        method, path and what it is about
    """

    connection: int
    began_s: float
    took_s: float
    answered: int
    what: str

    @property
    def is_write(self) -> bool:
        """Say whether it writes points."""
        return "/write" in self.what

    @property
    def is_data(self) -> bool:
        """Say whether it writes records."""
        return self.is_write and "journal" in self.what


class Watch(Proxy):
    """Forwards to ``upstream`` and lists in ``seen`` what passes."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._server.RequestHandlerClass = type("Watched", (WatchedHandler,), {"proxy": self})
        self.seen: list[Seen] = []
        self.connections: dict[object, int] = {}
        self.began = time.perf_counter()

    def forget(self) -> None:
        """Begin anew, with nothing seen."""
        self.seen, self.connections, self.began = [], {}, time.perf_counter()
        self.requests.clear()


class WatchedHandler(Handler):
    """Takes the time of each request on its connection."""

    proxy: Watch

    answered = 0

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.answered = len(body)
        super().reply(status, headers, body)

    def watched(self) -> None:
        """Forward one request."""
        watch, began = self.proxy, time.perf_counter()
        number = watch.connections.setdefault(self.client_address, len(watch.connections) + 1)
        count = len(watch.requests)
        self.serve()
        now = time.perf_counter()
        body = next((each.body for each in watch.requests[count:] if each.path == self.path), b"")
        what = f"{self.command} {about(self.path, body)}"
        watch.seen.append(Seen(number, began - watch.began, now - began, self.answered, what))

    do_GET = do_POST = do_HEAD = watched  # noqa: N815 - the names that the standard library looks for


def about(path: str, body: bytes) -> str:
    """Return what a request is about: its path with the measurements it writes, or the streams it
    asks for.
    """
    short, text = urlsplit(path).path, body.decode(errors="replace")
    if "/write" in short:
        lines = text.splitlines()
        names = dict.fromkeys(re.split(r"(?<!\\)[, ]", line, maxsplit=1)[0] for line in lines)
        return f"{short} {len(lines)} points: {', '.join(names)}"[:LONGEST]
    streams = [
        f"{name} ({kind})" if kind else name
        for kind, name in STREAM.findall(text.replace("\\n", "\n"))
    ]
    return f"{short} {', '.join(dict.fromkeys(streams))}"[:LONGEST]
