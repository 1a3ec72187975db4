"""A small project that tests spoil and repair, and what they ask of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.acceptance.project import Said, ask

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[runs.attributes]
fill = "int"
[executors.local]
type = "local"
slots = 4
grace_s = 0.2
[defaults]
back_off_s = 0
"""
HANDLERS = {
    "hello": (
        'from autoctrl import InlineHandler\nhandler = InlineHandler("hello", lambda task: '
        '{"x": 1})\n'
    ),
    "copy": """
from autoctrl import After, BatchHandler
handler = BatchHandler(
    "copy",
    "cp {folder}/handler.py {output}",
    locks=After("hello"),
    outputs={"output": "copy.py"},
)
""",
}


def make_project(
    folder: Path, handlers: dict[str, str] = HANDLERS, settings: str = SETTINGS
) -> Path:
    """Write a project; its store and runs are not there yet."""
    folder.mkdir(exist_ok=True)
    (folder / "autoctrl.toml").write_text(settings)
    for name, text in handlers.items():
        (folder / "workflows" / name).mkdir(parents=True)
        (folder / "workflows" / name / "handler.py").write_text(text)
    return folder


def go_on(folder: Path, runs: int) -> None:
    """Check that a loop does everything, and that so many runs are known and done."""
    said = ask(folder, "loop", "--until-idle", "--every", "0.1s")
    assert said.code == 0, said
    rows = status(folder)
    assert len(rows) == runs
    assert {row["status"] for row in rows} == {"done"}


def status(folder: Path) -> list[dict[str, Any]]:
    """Return the overview's rows."""
    rows: list[dict[str, Any]] = json.loads(ask(folder, "status", "--format", "json").out)["runs"]
    return rows


def check_paragraph(said: Said, *parts: str) -> None:
    """Check that an error is one line on stderr with these parts, and nothing else."""
    assert said.code == 2, said
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert "Traceback" not in said.err
    for part in parts:
        assert part in said.err
