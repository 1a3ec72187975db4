"""Files that take their name when they are complete, and what killed writers leave of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import AutoctrlError
from autoctrl.files import replacing
from autoctrl.process import this_process

if TYPE_CHECKING:
    from pathlib import Path

BEGINNING = """
import sys
from pathlib import Path

from autoctrl.files import replacing

with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("from the other")
    print(temporary.name, flush=True)
    sys.stdin.readline()
"""


def test_a_failed_file_never_appears(tmp_path: Path) -> None:
    """When writing fails nothing is left, neither under the final name nor under another."""

    def fail() -> None:
        with replacing(tmp_path / "a.root") as temporary:
            temporary.write_text("half")
            raise EOFError

    with pytest.raises(EOFError):
        fail()
    assert list(tmp_path.iterdir()) == []


def leave_behind(path: Path) -> tuple[str, subprocess.Popen[str]]:
    """Let a process begin a file and wait; returns its temporary name and the process."""
    command = [sys.executable, "-c", BEGINNING, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process.stdout.readline().strip(), process


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """The temporary file of a dead process goes when the same file is written again; that of a
    living one stays.
    """
    target = tmp_path / "a.root"
    (dead, killed), (living, waiting) = leave_behind(target), leave_behind(target)
    killed.kill()
    killed.communicate()
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert {path.name for path in tmp_path.iterdir()} == {living, temporary.name}
    assert dead not in {path.name for path in tmp_path.iterdir()}
    waiting.communicate("go on\n", timeout=60)
    assert waiting.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.root"}
    assert target.read_text() == "from the other"


def test_files_whose_writer_is_not_known_to_be_dead_stay(tmp_path: Path) -> None:
    """Other outputs, other machines, and names of another form are left alone."""
    pid, start, machine = this_process().rsplit(":", 3)[1:]
    gone = f"{pid}-{int(start) + 1}-{machine}"
    others = {
        f".a.root.{gone}0.tmp", f".a.root.{pid}.tmp", f".a.root.x{gone}.tmp", f".b.root.{gone}.tmp",
        f".a.root.more.{gone}.tmp", f"a.root.{gone}.tmp", f".a.root.{gone}.txt", ".a.root..tmp", ".a.root.tmp",
    }  # fmt: skip
    for name in (*others, f".a.root.{gone}.tmp"):
        (tmp_path / name).write_text("half")
    (tmp_path / f".a.root.{pid}-{int(start) + 2}-{machine}.tmp").mkdir()
    with replacing(tmp_path / "a.root") as temporary:
        temporary.write_text("whole")
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {*others, "a.root"}


def test_a_place_that_refuses_the_file_is_named(tmp_path: Path) -> None:
    """Where no file can be written the error says which file and why."""
    (tmp_path / "file").write_text("not a folder")
    target = tmp_path / "file" / "a.root"
    with (
        pytest.raises(
            AutoctrlError, match=r"a\.root cannot be written: Not a directory|File exists"
        ),
        replacing(target),
    ):
        pass
