"""Asks the page of a project one question after the other, and says how much memory that took.

``python -m tests.integration.web_memory FOLDER PATH …`` prints a list of numbers as JSON: the
largest memory that the process had before the first question and after each, KiB. What is answered
is thrown away, as by a client elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.compose import open_project
from autoctrl.web.app import create_app
from autoctrl.web.crowds.turnstile import Turnstile

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message


def peak_kib() -> int:
    """Return the largest memory that this process had since it began, KiB."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


async def ask(app: ASGIApp, address: str) -> int:
    """Ask, throw the answer away and return its status."""
    path, _, query = address.partition("?")
    status = 0
    has_asked = False

    async def receive() -> Message:
        nonlocal has_asked
        if has_asked:
            await asyncio.Event().wait()
        has_asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return status


async def ask_all(folder: Path, addresses: list[str]) -> list[int]:
    """Return what each question took at most."""
    with open_project(folder) as project:
        app = Turnstile(create_app(project))
        assert await ask(app, "/health") == 200
        assert await ask(app, "/campaigns/none") == 404
        found = [peak_kib()]
        for address in addresses:
            status = await ask(app, address)
            assert status == 200, (address, status)
            found.append(peak_kib())
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(ask_all(Path(sys.argv[1]), sys.argv[2:]))))
