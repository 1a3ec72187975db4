"""Deliveries as a data acquisition signs them, and the command that listens to them."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.acceptance.project import environment
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "k" * 64
PATH = "/hooks/source/daq"
LIMIT_S = 60.0
SETTINGS = """
[runs.attributes]
kind = "str"
events = "int"

[sources.daq]
type = "hook"
secret_file = "daq.key"
"""
HANDLER = """\
#!/usr/bin/env python3
import sys
from autoctrl import InlineHandler

handler = InlineHandler("note", lambda task: None)
if __name__ == "__main__":
    sys.exit(handler())
"""


class Answered(NamedTuple):
    status: int
    text: str


def sign(key: str, sent: str, body: bytes) -> str:
    return hmac.new(key.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()


def headers(body: bytes, sent: str = "", key: str = KEY) -> dict[str, str]:
    sent = sent or str(int(time.time()))
    return {"X-Autoctrl-Time": sent, "X-Autoctrl-Signature": sign(key, sent, body)}


def deliver(port: int, content: object, key: str = KEY) -> Answered:
    """Post a signed delivery. Raises ``OSError`` or ``HTTPException`` where nobody answers."""
    body = json.dumps(content).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    connection.request("POST", PATH, body, headers(body, key=key))
    answer = connection.getresponse()
    return Answered(answer.status, answer.read().decode())


def make_told_project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "autoctrl.toml").write_text(SETTINGS)
    key = folder / "daq.key"
    key.write_text(f"{KEY}\n")
    key.chmod(0o600)
    return folder


def make_noting_project(folder: Path) -> Path:
    """Make a project that is told of runs, whose only workflow is done with each at once."""
    handler = make_told_project(folder) / "workflows/note/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(HANDLER)
    handler.chmod(0o755)
    return folder


class Listener(NamedTuple):
    process: subprocess.Popen[str]
    port: int
    said: str


@contextmanager
def a_listener(folder: Path, *words: str) -> Iterator[Listener]:
    """Run ``autoctrl serve --hooks`` until the block ends; it is killed if it still runs then."""
    words = words or ("--no-page",)
    command = [sys.executable, "-m", "autoctrl.cli", "serve", "--hooks", "127.0.0.1:0", *words]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**environment(folder), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], LIMIT_S)
            said = process.stdout.readline() if ready else ""
            found = re.search(r"at http://127\.0\.0\.1:(\d+) to ", said)
            assert found, f"it does not listen: {said!r}"
            yield Listener(process, int(found[1]), said)
        finally:
            process.kill()
