"""A headless Chromium, driven over its debugging pipe: opens pages, presses buttons, tells what it
complains about.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
LIMIT_S = 60.0


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, None if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One browser with one page; ``complaints`` is what it said about scripts, policies and missing
    files.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self.complaints: list[str] = []
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self._loads = 0
        command_read, self._to = os.pipe()
        self._from, answer_write = os.pipe()
        # The browser reads commands from descriptor 3 and writes answers to 4.
        script = f'exec 3<&{command_read} 4>&{answer_write}; exec "$0" "$@"'
        command = [
            "bash",
            "-c",
            script,
            program,
            *FLAGS,
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            command,
            pass_fds=(command_read, answer_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(command_read)
        os.close(answer_write)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        loads = self._loads
        failure = self._call("Page.navigate", url=url).get("errorText")
        assert not failure, f"{url}: {failure}"
        self._wait_for_load(loads)

    def press(self, selector: str) -> None:
        """Click on something that leads to another page, and wait until that is loaded."""
        loads = self._loads
        assert self.ask(f"!!document.querySelector({json.dumps(selector)})"), (
            f"nothing is {selector}"
        )
        self.ask(f"document.querySelector({json.dumps(selector)}).click()")
        self._wait_for_load(loads)

    def wait_for(self, selector: str) -> None:
        """Wait until a page that leads on by itself has led to one on which this is."""
        deadline = time.monotonic() + LIMIT_S
        question = f"!!document.querySelector({json.dumps(selector)})"
        while True:
            with suppress(AssertionError):  # between two pages nothing is answered
                if self.ask(question):
                    return
            assert time.monotonic() < deadline, f"nothing is {selector}"
            time.sleep(0.05)

    def fill(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.ask(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """Return what a person reads on the page."""
        return str(self.ask("document.body.innerText"))

    def resize(self, width: int, height: int, *, is_dark: bool = False) -> None:
        """Show pages on a screen of this size, and light or dark."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> bytes:
        """Save and return a picture of the page, a PNG."""
        data = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(data)
        return data

    def switch_scripts_off(self) -> None:
        """Let pages run no scripts of their own."""
        self._call("Emulation.setScriptExecutionDisabled", value=True)

    def _wait_for_load(self, loads: int) -> None:
        deadline = time.monotonic() + LIMIT_S
        while self._loads == loads:
            self._take(self._read(deadline))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT_S
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._take(answer)

    def _take(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Page.loadEventFired":
            self._loads += 1
        elif event.get("method") == "Log.entryAdded":
            self.complaints.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(event["params"]["exceptionDetails"]))

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._from, 1 << 16) if ready else b""
            assert chunk, "the browser does not answer"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message
