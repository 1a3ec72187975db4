"""Files: written whole or not at all, measured, and put in place without covering another."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autoctrl.errors import AutoctrlError
from autoctrl.files import (
    Digest,
    digest_of,
    link_or_copy,
    open_plain,
    replacing,
    write_first,
    write_whole,
)
from autoctrl.process import this_process

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
        f".a.root.{gone}0.tmp",
        f".a.root.{pid}.tmp",
        f".a.root.x{gone}.tmp",
        f".b.root.{gone}.tmp",
        f".a.root.more.{gone}.tmp",
        f"a.root.{gone}.tmp",
        f".a.root.{gone}.txt",
        ".a.root..tmp",
        ".a.root.tmp",
    }
    for name in (*others, f".a.root.{gone}.tmp"):
        (tmp_path / name).write_text("half")
    (tmp_path / f".a.root.{pid}-{int(start) + 2}-{machine}.tmp").mkdir()
    with replacing(tmp_path / "a.root") as temporary:
        temporary.write_text("whole")
    left = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert left == {*others, "a.root"}


def test_a_folder_that_refuses_the_file_is_named(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("is_durable", [False, True])
def test_a_file_is_replaced_whole(tmp_path: Path, *, is_durable: bool) -> None:
    """The new content stands under the name, and nothing else is left beside it."""
    write_whole(tmp_path / "a", b"old")
    write_whole(tmp_path / "a", b"new", is_durable=is_durable)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_cannot_take_its_name_leaves_nothing(tmp_path: Path) -> None:
    """Where the name is a folder's, the error comes through and the draft is gone."""
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_permissions_are_those_asked_for_whatever_the_umask(tmp_path: Path) -> None:
    """Others may execute a program even if the umask takes that away, and read no secret."""
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "program", b"#!/bin/sh", mode=0o755)
        os.umask(0o000)
        write_first(tmp_path / "private", b"{}", mode=0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "program").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600


def test_only_the_first_writer_counts(tmp_path: Path) -> None:
    """The second one is told that it came too late, and changes nothing."""
    assert write_first(tmp_path / "a", b"first")
    assert not write_first(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("sync", [False, True])
def test_a_digest_is_the_size_and_the_sha256(tmp_path: Path, *, sync: bool) -> None:
    """Both are those of the content, as records keep them."""
    (tmp_path / "a").write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of(tmp_path / "a", sync=sync) == Digest(3, sha256)
    assert Digest(3, sha256).checksum == f"sha256:{sha256}"


def test_what_must_be_on_disk_is_no_link_to_something_else(tmp_path: Path) -> None:
    """A symbolic link is followed to measure a file, and refused where the file itself is meant."""
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert digest_of(tmp_path / "link").bytes == 3
    with pytest.raises(OSError, match="symbolic links"):
        digest_of(tmp_path / "link", sync=True)


def test_a_second_name_never_covers_another_file(tmp_path: Path) -> None:
    """A free name is given to the file; a taken one is left alone, and that is said."""
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"abc")
    assert link_or_copy(str(source), str(target))
    assert source.samefile(target)
    source.unlink()
    source.write_bytes(b"other")
    assert not link_or_copy(str(source), str(target))
    assert target.read_bytes() == b"abc"


def test_a_file_of_another_file_system_is_copied(tmp_path: Path) -> None:
    """Where no link can be made a copy takes the name, unless the name is taken."""
    assert link_or_copy("/proc/version", str(tmp_path / "b"))
    assert not link_or_copy("/proc/version", str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == Path("/proc/version").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def read_plain(root: Path, path: str | Path) -> bytes:
    """Return what ``open_plain`` opens."""
    with os.fdopen(open_plain(root, path), "rb") as file:
        return file.read()


def test_a_plain_file_beneath_a_folder_is_opened(tmp_path: Path) -> None:
    """By its whole path or by that from the folder, which itself may be reached by a link."""
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b.txt").write_text("good")
    (tmp_path / "link").symlink_to("root")
    for root in (tmp_path / "root", tmp_path / "link"):
        assert read_plain(root, "a/b.txt") == b"good"
        assert read_plain(root, root / "a" / "b.txt") == b"good"
    with pytest.raises(FileNotFoundError):
        open_plain(tmp_path / "root", "a/c.txt")
    with pytest.raises(FileNotFoundError):
        open_plain(tmp_path / "root", "c/b.txt")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("inner", "it is a link"),
        ("outer", "it is a link"),
        ("up/secret", "'up' on the way to it is a link"),
        ("plain/x", "'plain' on the way to it is a file"),
        ("pipe", "it is a pipe"),
        ("socket", "it is a socket"),
        ("folder", "it is a folder"),
        ("folder/../plain", "does not lie beneath"),
        ("/etc/passwd", "does not lie beneath"),
        ("", "does not lie beneath"),
    ],
)
def test_nothing_else_is_opened(tmp_path: Path, path: str, says: str) -> None:
    """No link is followed, wherever it leads, no pipe waited for, and nothing outside reached."""
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "plain").touch()
    (tmp_path / "secret").touch()
    (root / "inner").symlink_to("plain")
    (root / "outer").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    os.mknod(root / "socket", stat.S_IFSOCK | 0o600)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match=says):
        open_plain(root, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_device_is_not_opened() -> None:
    """Looking at a device does not open it."""
    with pytest.raises(OSError, match="it is a device"):
        open_plain("/dev", "zero")


def test_a_file_that_is_exchanged_while_it_is_opened_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at and what was opened are two things; the second is looked at again."""
    (tmp_path / "plain").touch()
    os.mkfifo(tmp_path / "pipe")
    look = os.stat
    monkeypatch.setattr(os, "stat", lambda *_, **more: look("plain", **more))
    with pytest.raises(OSError, match="it is a pipe"):
        open_plain(tmp_path, "pipe")
