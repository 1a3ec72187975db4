#!/usr/bin/env python3
"""Takes the README's pictures of a project that has worked: ``_pictures.py PROJECT FOLDER``.

``page.png`` is the overview in a browser, ``terminal.png`` what ``autoctrl status`` prints,
``plot.png`` one plot of the data quality, as a job has drawn it. Beside them stay, in
``shown.json``, the words that the first two show: a test brings a project as far with the code of
its day, and fails when it says other words. Then the pictures are taken anew.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
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


def shoot_page(project: Path, picture: Path) -> str:
    """Serve the page for as long as the picture takes; return its HTML."""
    with tempfile.TemporaryFile("w+") as said:
        words = autoctrl(project, "serve", "--port", "0")
        with subprocess.Popen(words, stdout=said) as server:
            try:
                address = wait_for_address(said)
                shoot(address, PAGE_SIZE, picture)
                with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own
                    return str(answer.read().decode())
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


def shoot_terminal(project: Path, picture: Path) -> str:
    """Print the status as a terminal shows it, colours included; return it without them."""
    shown = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}
    done = subprocess.run(autoctrl(project, "status"), env=shown, capture_output=True, check=True)
    text = f"$ autoctrl status\n{done.stdout.decode()}"
    console = Console(record=True, width=COLUMNS, file=StringIO())
    console.print(Text.from_ansi(text))
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(console.export_html(inline_styles=True, code_format=STYLE))
        page.flush()
        shoot(f"file://{page.name}", TERMINAL_SIZE, picture)
    return Text.from_ansi(text).plain


def words_of(text: str) -> list[str]:
    """Return the lines that a person reads of a page or of a terminal's text, without what differs
    from day to day and from machine to machine.
    """
    body = re.sub(r"(?s)<(head|script|style)\b.*?</\1>", "", text)
    plain = html.unescape(re.sub(r"<[^>]*>", "\n", body))
    plain = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z?|\d\d:\d\d:\d\d", "TIME", plain)
    plain = re.sub(r"last cycle .*", "last cycle", plain)
    lines = [" ".join(line.split()) for line in plain.splitlines()]
    return [line for line in lines if line]


def main() -> None:
    """Take all three, and keep what they show."""
    project, folder = Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    page = words_of(shoot_page(project, folder / "page.png"))
    terminal = words_of(shoot_terminal(project, folder / "terminal.png"))
    plots = sorted((project / "outputs/prompt").glob(PLOT))
    shutil.copyfile(plots[-1], folder / "plot.png")
    shown = json.dumps({"page": page, "terminal": terminal}, indent=1, ensure_ascii=False)
    (folder / "shown.json").write_text(f"{shown}\n")


if __name__ == "__main__":
    main()
