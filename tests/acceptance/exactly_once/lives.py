"""Controllers that live one after the other, each until its work is done or until it is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance.exactly_once.driver import PROTOCOLS, Point, methods

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSE_S = 120.0
# Methods that no cycle calls, and why: a kill there can leave nothing behind.
NOT_CALLED = {
    "store.ping": "only people ask; nothing is written",
    "store.leases": "only the web page looks at them; nothing is written",
    "store.revision": "only the web page asks; nothing is written",
    "store.each_task": "only the web page asks; nothing is written",
    "store.each_mark": "only people look back at incidents; nothing is written",
    "store.run_numbers": "only the web page asks; nothing is written",
    "store.units": "only the web page asks; nothing is written",
    "store.records": "only a copy reads them; what it leaves behind is tested with it",
    "notifier.change": "a life is shorter than the minute before which nothing told is changed",
    "notifier.ping": "only people ask; nothing is written",
    "inline.describe": "a call has no template",
    "local.log": "only people ask for logs; nothing is written",
    "local.log_piece": "only people ask for logs; nothing is written",
    "local.ping": "only people ask; nothing is written",
    "inline.log": "only people ask for logs; nothing is written",
    "inline.log_piece": "only people ask for logs; nothing is written",
    "inline.ping": "only people ask; nothing is written",
    "inline.remove": "a call is over before anybody can ask for its removal",
}
METHODS = sorted(
    {f"{port}.{name}" for port in PROTOCOLS for name in methods(port)} - NOT_CALLED.keys()
)
# The methods that change something. The others only tell: before and after such a call are the same
# moment.
WRITING = {
    "store.append",
    "store.lease",
    "store.beat",
    "store.close",
    "notifier.tell",
    "inline.submit",
    "inline.acknowledge",
}
WRITING |= {f"local.{name}" for name in ("submit", "find", "poll", "remove", "acknowledge")}
# Methods that are called only where an earlier life was cut short.
AFTERMATH = {"local.find": Point("local.submit", 1, "after")}


class Lives:
    """A process that forks one controller after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.acceptance.exactly_once.driver"]
        root = Path(__file__).parents[3]
        self.process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, folder: Path, *points: Point) -> Mapping[str, int] | None:
        """Let a controller work in a project; return how often it called what, None if it was
        killed at a point.
        """
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([str(folder), points]) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        if points and code == -signal.SIGKILL:
            return None
        assert code == 0, (folder / "driver.log").read_text()
        counts: dict[str, int] = json.loads((folder / "calls.json").read_text())
        return counts

    def close(self) -> None:
        """End it."""
        self.process.communicate(timeout=CLOSE_S)
