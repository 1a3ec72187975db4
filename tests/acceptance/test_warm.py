"""A command that begins warm does what one that begins cold does."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import LIMIT_S, call, environment, make_project
from tests.warm import our_own

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "line", ["runs add 1-3", "status --format json", "status --nonsense", "cycle", "why 9 reco"]
)
def test_a_warm_command_says_what_a_cold_one_says(tmp_path: Path, line: str) -> None:
    """Folder, environment, output, errors and exit code are those of a process of its own."""
    said = []
    for name, ask in (("cold", call), ("warm", call_warm)):
        (tmp_path / name).mkdir()
        said.append(ask(make_project(tmp_path / name / "project"), *line.split()))
    assert said[0] == said[1]


def call_warm(folder: Path, *words: str) -> tuple[int, str, str]:
    """Call the program that stands in for a command, as a shell does."""
    done = subprocess.run(
        [our_own().programs / "autoctrl", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_signal_reaches_a_warm_command(tmp_path: Path) -> None:
    """Whoever stops what stands in for a command stops the command, and is told how it ended."""
    folder = make_project(tmp_path / "project")
    with subprocess.Popen(
        [our_own().programs / "autoctrl", "serve", "--port", "0"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    ) as page:
        assert page.stdout is not None
        assert re.search(r"http://127.0.0.1:\d+/", page.stdout.readline())
        page.send_signal(signal.SIGINT)
        page.communicate(timeout=LIMIT_S)
    assert page.returncode == 0, "Ctrl-C is how a page ends"
