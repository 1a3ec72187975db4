#!/usr/bin/env python3
"""Takes the README's pictures of a project that has worked: ``_pictures.py PROJECT FOLDER``.

``page.png`` is the overview in a browser, ``terminal.png`` what ``autoctrl status`` prints,
``plot.png`` one plot of the data quality, as a job has drawn it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.text import Text

LIMIT_S = 120
COLUMNS, PAGE_SIZE, TERMINAL_SIZE = 96, "1180,560", "860,200"
PLOT = "camera-dq/4501/*/*/*display*.png"
STYLE = """<body style="margin:0;padding:16px;background:#10151c;color:#dfe6ee">
<pre style="font:14px/1.35 monospace;margin:0">{code}</pre></body>"""


def autoctrl(project: Path, *words: str) -> list[str]:
    """Return the words that call the command for a project."""
    return [sys.executable, "-m", "autoctrl.cli", *words, "--project", str(project)]


def shoot(address: str, size: str, picture: Path) -> None:
    """Let a browser take a picture of a page."""
    with tempfile.TemporaryDirectory() as profile:
        words = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"]
        words += [f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={picture}"]
        subprocess.run([*words, address], check=True, stderr=subprocess.DEVNULL, timeout=LIMIT_S)


def shoot_page(project: Path, picture: Path) -> None:
    """Serve the page for as long as the picture takes."""
    with tempfile.TemporaryFile("w+") as said:
        words = autoctrl(project, "serve", "--port", "0")
        with subprocess.Popen(words, stdout=said) as server:
            try:
                shoot(wait_for_address(said), PAGE_SIZE, picture)
            finally:
                server.terminate()


def wait_for_address(said: IO[str]) -> str:
    """Return where the page is served, once the server has said it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        said.seek(0)
        if address := re.search(r"http://\S+", said.read()):
            return address[0]
        time.sleep(0.2)
    message = f"The page was not served within {LIMIT_S} s."
    raise SystemExit(message)


def shoot_terminal(project: Path, picture: Path) -> None:
    """Print the status as a terminal shows it, colours included."""
    shown = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}
    done = subprocess.run(autoctrl(project, "status"), env=shown, capture_output=True, check=True)
    text = f"$ autoctrl status\n{done.stdout.decode()}"
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.from_ansi(text))
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(console.export_html(inline_styles=True, code_format=STYLE))
        page.flush()
        shoot(f"file://{page.name}", TERMINAL_SIZE, picture)


def main() -> None:
    """Take all three."""
    project, folder = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    shoot_page(project, folder / "page.png")
    shoot_terminal(project, folder / "terminal.png")
    plots = sorted((project / "outputs/prompt").glob(PLOT))
    shutil.copyfile(plots[-1], folder / "plot.png")


if __name__ == "__main__":
    main()
