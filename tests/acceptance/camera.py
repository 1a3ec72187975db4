"""The camera's command, called here or as a program, and one chain of files for all tests.

The chain is made once in a session and never changed: a module that asks for ``chain`` has a folder
of its own in which the same files are linked.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.science.camera.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("autoctrl-camera")
FIELDS = "AUTOCTRL_FIELDS"
PATIENCE_S = 300  # of a program, on a machine that does much else
MADE_WITHIN_S = 900  # the chain, and the first test that asks for it
EVENTS = 11
SIZE = 1152
JUDGED = "--pedestal pedestal.root --friends reco_Friend.root --raw run04501.mid.gz"
CHAIN = (
    f"simulate --runs 4500-4501 --events {EVENTS} --size {SIZE} --spots 5 --output .",
    "pedestal run04500.mid.gz --output pedestal.root",
    f"reco run04501.mid.gz --pedestal pedestal.root --events 0:{EVENTS} --output reco.root",
    "friends reco.root --output reco_Friend.root",
    f"dq reco.root {JUDGED} --limits limits.toml --output whole.json",
)


class Answer(NamedTuple):
    """What one call of the command did: exit code, what it printed, the fields that it reported."""

    code: int
    out: str
    err: str
    fields: dict[str, Any]


def call(folder: Path, *words: str | Path) -> Answer:
    """Call the command in this process, as its program would be called in a folder."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    before = os.environ.get(FIELDS)
    os.environ[FIELDS] = str(_new_fields(folder))
    try:
        with chdir(folder), redirect_stdout(out), redirect_stderr(err):
            main([str(word) for word in words])
    except SystemExit as end:
        code = end.code or 0
    finally:
        del os.environ[FIELDS]
        if before is not None:
            os.environ[FIELDS] = before
    return Answer(int(code), out.getvalue(), err.getvalue(), _read_fields(folder))


def call_program(folder: Path, *words: str | Path) -> Answer:
    """Call the command as a person does, and wait for it."""
    done = subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        env=os.environ | {FIELDS: str(_new_fields(folder)), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr, _read_fields(folder))


def _new_fields(folder: Path) -> Path:
    path = folder / "fields.json"
    path.unlink(missing_ok=True)
    return path


def _read_fields(folder: Path) -> dict[str, Any]:
    path = folder / "fields.json"
    fields: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return fields


def succeed(folder: Path, line: str) -> Answer:
    """Call the command with the words of a line, and see that it ends well."""
    answer = call(folder, *line.split())
    assert answer.code == 0, answer.err
    return answer


def refuse(folder: Path, line: str) -> str:
    """Call the command with the words of a line, and return the paragraph with which it refuses."""
    answer = call(folder, *line.split())
    assert answer.code == 2, answer.out
    assert "Traceback" not in answer.err
    return answer.err


def link_files(source: Path, folder: Path) -> Path:
    """Give a folder the files of another without copying them."""
    for path in source.iterdir():
        (folder / path.name).hardlink_to(path)
    return folder


@pytest.fixture(scope="session")
def made_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a pedestal run, a physics run, and everything that follows from them, with programs."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "limits.toml").write_bytes((ROOT / "workflows/camera-dq/limits.toml").read_bytes())
    for line in CHAIN:
        answer = call_program(folder, *line.split())
        assert answer.code == 0, answer.err
    (folder / "fields.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    yield folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.fixture(scope="module")
def chain(made_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the module's own with the files of the chain."""
    return link_files(made_chain, tmp_path_factory.mktemp("linked"))
