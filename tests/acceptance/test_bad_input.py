"""Bad input, files and disks: each has its one paragraph, and afterwards the repaired project goes
on.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import ask
from tests.acceptance.repair import SETTINGS, check_paragraph, go_on, make_project, status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 200.0


def make_done(folder: Path) -> Path:
    """Make a project with two runs that are done."""
    make_project(folder)
    assert ask(folder, "runs", "add", "1-2").code == 0
    go_on(folder, 2)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_done(tmp_path / "project")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project for tests that leave it as it was."""
    return make_done(tmp_path_factory.mktemp("standing") / "project")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("cycle --workflow helo", ["There is no workflow 'helo'", "Did you mean 'hello'?"]),
        (
            "loop --until-idle --workflow helo",
            ["There is no workflow 'helo'", "Did you mean 'hello'?"],
        ),
        ("retry 1 helo --reason x", ["no workflow 'helo'", "Did you mean 'hello'?"]),
        ("why 1 helo", ["no workflow 'helo'", "Did you mean 'hello'?"]),
        ("pause helo --reason x", ["no workflow 'helo'", "Did you mean 'hello'?"]),
        ("reprocess 2-1 hello --reason x", ["the range '2-1' runs backwards"]),
        ("runs add 1-99999999999", ["has more than 10,000,000 runs"]),
        (
            "skip 1,,2 hello --reason x",
            ["'' is neither a run number nor a range", "Write runs as 4521"],
        ),
        ("outputs --runs one", ["'one' is neither a run number nor a range"]),
    ],
)
def test_what_does_not_exist_is_refused(standing: Path, words: str, parts: list[str]) -> None:
    """An unknown workflow and a nonsense run range are refused with the nearest or the right form;
    nothing changes.
    """
    before = status(standing)
    check_paragraph(ask(standing, *words.split()), *parts)
    assert status(standing) == before


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (
            "[cycle]\nleases = 30",
            ["[cycle] leases is not a known setting", "Did you mean 'lease_s'?"],
        ),
        ("[cycel]\nlease_s = 30", ["[cycel] lease_s is not a known setting", "'cycle.lease_s'"]),
        ("[cycle]\nlease_s = 3", ["lease_s = 3 is too small; the minimum is 5"]),
        ('[cycle]\nlease_s = "long"', ["'long' is not of type float"]),
        ("[cycle", ["is not valid TOML", "every [section] its brackets"]),
        ('[workflows.copy]\nexecutor = "cern"', ["runs on executor 'cern', which does not exist"]),
        ('[store]\nurl = "sqlte:x"', ["unknown scheme 'sqlte'", "Did you mean 'sqlite'?"]),
    ],
)
def test_a_misspelt_setting(standing: Path, line: str, parts: list[str]) -> None:
    """A setting that is misspelt or makes no sense stops every verb with its name; without it the
    project goes on.
    """
    settings = standing / "autoctrl.toml"
    settings.write_text(f"{SETTINGS}\n{line}\n")
    for words in (["status"], ["cycle"], ["runs", "add", "3"]):
        check_paragraph(ask(standing, *words), *parts)
    settings.write_text(SETTINGS)
    go_on(standing, 2)


def test_a_misspelt_placeholder(project: Path) -> None:
    """A misspelt placeholder stops its own workflow, with the nearest name; repaired, the workflow
    goes on.
    """
    handler = project / "workflows/copy/handler.py"
    good = handler.read_text()
    handler.write_text(good.replace("{output}", "{outptu}"))
    assert ask(project, "runs", "add", "3").code == 0
    said = ask(project, "cycle")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "unknown placeholder {outptu} in '{outptu}'. Did you mean 'output'?" in said.err
    assert "1 done" in said.out
    handler.write_text(good)
    go_on(project, 3)


def spoil(path: Path, how: str) -> None:
    """Make a store unusable."""
    if how == "of the future":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
    elif how == "corrupt":
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xde\xad" * 20000)
    elif how == "cut off":
        os.truncate(path, 10000)
    elif how == "a text":
        path.write_text("This is no database at all, only some words.\n" * 100)
    else:
        with closing(sqlite3.connect(path.with_name("foreign"))) as connection:
            connection.execute("CREATE TABLE somebody (elses INTEGER)")
            connection.commit()
        path.write_bytes(path.with_name("foreign").read_bytes())


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        (
            "of the future",
            ["written by a newer autoctrl: its schema is version 99", "Upgrade autoctrl"],
        ),
        ("corrupt", ["is damaged; nothing was changed", "cat BACKUP > FILE"]),
        ("cut off", ["is damaged; nothing was changed", "cat BACKUP > FILE"]),
        ("a text", ["is not an SQLite database; the file was left as it is", "restore a copy"]),
        ("another program's", ["is a database of another program; it was left as it is"]),
    ],
)
def test_a_store_that_cannot_be_used(
    project: Path, tmp_path: Path, how: str, parts: list[str]
) -> None:
    """A database from the future, damaged or foreign is refused and left as it is; with a copy the
    project goes on.
    """
    path, kept = project / ".autoctrl/state.sqlite", tmp_path / "kept"
    shutil.copy2(path, kept)
    spoil(path, how)
    spoilt = path.read_bytes()
    for words in (
        ["status"],
        ["cycle"],
        ["loop", "--until-idle"],
        ["runs", "add", "3"],
        ["retry", "1", "copy", "--reason", "x"],
    ):
        check_paragraph(ask(project, *words), str(path), *parts)
    assert path.read_bytes() == spoilt
    path.write_bytes(kept.read_bytes())
    assert ask(project, "runs", "add", "3").code == 0
    go_on(project, 3)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of three megabytes, in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def remount(disk: Path, option: str) -> None:
    """Change how a disk is mounted."""
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with suppress(OSError), (disk / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_read_only_disk(disk: Path) -> None:
    """On a read-only disk every verb says so; once it can be written, the project goes on."""
    folder = make_project(disk / "project")
    assert ask(folder, "runs", "add", "1-2").code == 0
    go_on(folder, 2)
    remount(disk, "ro")
    for words in (
        ["cycle"],
        ["loop", "--until-idle"],
        ["runs", "add", "3"],
        ["retry", "1", "copy", "--reason", "x"],
    ):
        check_paragraph(
            ask(folder, *words),
            "cannot be written: the disk or the file is read-only",
            "right to write",
        )
    remount(disk, "rw")
    assert ask(folder, "runs", "add", "3").code == 0
    go_on(folder, 3)


def test_a_full_disk(disk: Path) -> None:
    """On a full disk every verb says so and nothing is lost; with room again, the project goes
    on.
    """
    folder = make_project(disk / "project")
    assert ask(folder, "runs", "add", "1-2").code == 0
    go_on(folder, 2)
    assert ask(folder, "runs", "add", "3-9").code == 0
    fill(disk)
    for words in (
        ["cycle"],
        ["loop", "--until-idle"],
        ["runs", "add", "10"],
        ["retry", "1", "copy", "--reason", "x"],
    ):
        check_paragraph(
            ask(folder, *words), "cannot grow: the disk or the quota is full", "Make room"
        )
    (disk / "filling").unlink()
    go_on(folder, 9)


BIG = """
from autoctrl import BatchHandler
handler = BatchHandler(
    "big", "dd if=/dev/zero bs=64k count=20 of={output}", outputs={"output": "zeros"}
)
"""


def test_a_disk_that_fills_up_on_the_way(disk: Path) -> None:
    """Where jobs fill the disk, loop or tasks say so; with room again, all are done, some at a
    further attempt.
    """
    folder = make_project(disk / "project", {"big": BIG})
    assert ask(folder, "runs", "add", "1-4").code == 0
    said = ask(folder, "loop", "--until-idle", "--every", "0.1s")
    assert said.code in {1, 2}, said
    assert "Traceback" not in said.err + said.out
    remount(disk, "size=64m")
    ask(folder, "loop", "--until-idle", "--every", "0.1s")
    for row in status(folder):
        if (
            row["status"] == "failed"
        ):  # dd itself met the full disk, on which its last words may not have fitted
            reason = row["tasks"]["big"]["reason"]
            assert "No space left on device" in reason or "exited with code 1" in reason
            assert ask(folder, "retry", str(row["run"]), "big", "--reason", "room again").code == 0
    go_on(folder, 4)


@contextmanager
def running_loop(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Let a loop work beside the test."""
    command = [
        sys.executable,
        "-m",
        "autoctrl.cli",
        "loop",
        "--every",
        "0.2s",
        "--project",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_two_loops_at_once(project: Path) -> None:
    """A second loop is told who works already and ends; verbs go through; once the first is dead,
    another may work.
    """
    assert ask(project, "runs", "add", "3").code == 0
    with running_loop(project) as first:
        wait_until_done(project)
        second = ask(project, "loop", "--until-idle", "--every", "0.1s")
        check_paragraph(
            second,
            "A loop is already running for campaign prompt",
            f"process {first.pid} on ",
            "One is enough",
        )
        assert ask(project, "runs", "add", "4").code == 0
        wait_until_done(project)
    go_on(project, 4)


def wait_until_done(folder: Path) -> None:
    """Wait until somebody has done everything."""
    deadline = time.monotonic() + PATIENCE_S
    while {row["status"] for row in status(folder)} != {"done"}:
        assert time.monotonic() < deadline, status(folder)
