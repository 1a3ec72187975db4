"""How logs are shown, whatever a job prints."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from autoctrl.errors import ServiceDown
from autoctrl.executors.htcondor.batches import ABOUT
from autoctrl.executors.htcondor.executor import HTCondorExecutor
from autoctrl.executors.htcondor.settings import HTCondorExecutorSettings
from autoctrl.executors.inline import InlineExecutor
from autoctrl.executors.job_folder import read_last_words
from autoctrl.executors.local.executor import LocalExecutor
from autoctrl.executors.logs import (
    COUNTED,
    LIMIT,
    LogBytes,
    cut_piece,
    make_readable,
    piece_of_text,
    read_log,
    read_piece,
)
from autoctrl.ports import LOG_END, LogWindow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from autoctrl.ports import LogPiece

HUGE = 2**36
POOL_HANDLE = "here#7.0"
HANDLE = "store/prompt/reco/1/v1/0.1"


def test_odd_bytes_are_shown() -> None:
    """Bytes that are no UTF-8 and control characters appear as escapes; line ends of any kind are
    line ends.
    """
    assert make_readable("é\t1\r\n2\r3\n".encode()) == "é\t1\n2\n3\n"
    assert make_readable(b"\xff\x00\x1b[0m\x7f\xc2\x9b") == "\\xff\\x00\\x1b[0m\\x7f\\x9b"


@given(some.binary())
def test_no_log_can_harm_a_terminal(raw: bytes) -> None:
    """Whatever a job prints, what is shown is printable text and line ends."""
    shown = make_readable(raw)
    assert all(character in "\n\t" or ord(character) >= 0x20 for character in shown)
    assert not any(0x7F <= ord(character) < 0xA0 for character in shown)
    assert shown.encode().decode() == shown


@given(some.text(max_size=60), some.integers(1, 9))
def test_pieces_forward_are_the_whole_log(text: str, length: int) -> None:
    """Whoever asks on where the last piece ended has read every byte once, and every line number is
    right.
    """
    raw, pieces = text.encode(), [piece_of_text(text, LogWindow(0, length=length))]
    while pieces[-1].end < len(raw):
        pieces.append(piece_of_text(text, LogWindow(pieces[-1].end, length=length)))
    assert all(before.end == after.begin for before, after in pairwise(pieces))
    parts = [raw[piece.begin : piece.end] for piece in pieces]
    assert b"".join(parts) == raw
    assert [piece.text for piece in pieces] == [make_readable(part) for part in parts]
    if "\r" not in text:
        counts = [1 + raw[: piece.begin].count(b"\n") for piece in pieces]
        assert [piece.line for piece in pieces] == counts


@given(some.text(max_size=60), some.integers(4, 9))
def test_pieces_backward_are_the_whole_log(text: str, length: int) -> None:
    """The end comes first; whoever asks on before it has read every byte once, no character cut."""
    raw, pieces = text.encode(), [piece_of_text(text, LogWindow(length=length))]
    assert (pieces[0].end, pieces[0].size) == (len(raw), len(raw))
    while pieces[-1].begin:
        pieces.append(piece_of_text(text, LogWindow(end=pieces[-1].begin, length=length)))
    parts = [raw[piece.begin : piece.end] for piece in reversed(pieces)]
    assert b"".join(parts) == raw
    assert "".join(part.decode() for part in parts) == text


def test_a_piece_is_of_whole_lines() -> None:
    """A line that is longer than the piece is cut; what lies outside the log is its end."""
    text = "one\ntwo\nthree\n"

    def shown(**window: int) -> LogPiece:
        return piece_of_text(text, LogWindow(**window))

    assert (shown(begin=0, length=6).text, shown(length=9).text) == ("one\n", "three\n")
    assert (shown(begin=8, length=3).text, shown(length=10).text) == ("thr", "two\nthree\n")
    assert (shown(length=3).text, shown(end=4).text) == ("ee\n", "one\n")
    assert (shown(begin=99).text, shown(begin=99).begin, shown(end=99).end) == ("", 14, 14)
    assert len(piece_of_text("x" * 2 * LIMIT, LogWindow(length=9 * LIMIT)).text) == LIMIT


def test_a_huge_log_costs_what_is_shown_of_it(tmp_path: Path) -> None:
    """Of a log of 64 GiB, which is mostly a hole, the end and any part can be read."""
    path = tmp_path / "stdout.log"
    with path.open("wb") as file:
        file.write(b"begin\n")
        file.truncate(HUGE)
        file.seek(0, os.SEEK_END)
        file.write(b"\nend\n")
    piece = read_piece(tmp_path, path, window=LOG_END)
    assert (piece.text, piece.size, piece.line) == ("end\n", HUGE + 5, None)
    assert read_piece(tmp_path, path, window=LogWindow(0, length=8)).text == "begin\n"
    assert read_piece(tmp_path, path, window=LogWindow(COUNTED, length=8)).line == 2
    assert len(read_log(tmp_path, path, limit=400)) < 2000


def test_lines_are_not_counted_where_their_number_is_known() -> None:
    """Then nothing is read but the piece."""
    read: list[tuple[int, int]] = []

    def at(begin: int, end: int) -> bytes:
        read.append((begin, end))
        return b"x\n" * ((end - begin) // 2)

    piece = cut_piece(LogBytes(10**6, at), LogWindow(1000, length=10, line=7))
    assert (piece.line, read) == (7, [(1000, 1010)])


def test_files_that_follow_one_another_are_one_log(tmp_path: Path) -> None:
    """A part may lie in both; one that is missing is left out."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("a\nb\n")
    second.write_text("c\nd\n")
    files = (first, tmp_path / "none", second)
    assert read_log(tmp_path, *files) == "a\nb\nc\nd\n"
    piece = read_piece(tmp_path, *files, window=LogWindow(2, length=4))
    assert (piece.text, piece.line, piece.size) == ("b\nc\n", 2, 8)
    assert "4 bytes left out here" in read_log(tmp_path, *files, limit=4)
    assert read_piece(tmp_path, window=LOG_END).text == ""


def make_pipe(path: Path) -> None:
    """Put a pipe there into which nobody writes."""
    os.mkfifo(path)


def make_link(path: Path) -> None:
    """Put a link there that leads to what the job must not know."""
    secret = path.with_name("shadow")
    secret.write_text("root:*:20228:0\n")
    path.symlink_to(secret)


def make_device_link(path: Path) -> None:
    """Put a link to a device there that never ends."""
    path.symlink_to("/dev/zero")


def make_folder(path: Path) -> None:
    """Put a folder there."""
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (make_pipe, "it is a pipe"),
        (make_link, "it is a link"),
        (make_device_link, "it is a link"),
        (make_folder, "it is a folder"),
    ],
)
def test_what_a_job_puts_in_the_place_of_its_log_is_refused(
    tmp_path: Path, make: Callable[[Path], None], says: str
) -> None:
    """Neither is it waited for nor followed: whoever asks is told what is there."""
    local = LocalExecutor("local", tmp_path / "local", "store")
    inline = InlineExecutor(tmp_path)
    pool, start = open_pool(tmp_path)
    for executor, handle, path in (
        (local, HANDLE, local.jobs / HANDLE / "stdout.log"),
        (inline, HANDLE, inline.log_path(HANDLE)),
        (pool, POOL_HANDLE, start / "stdout.log"),
    ):
        path.parent.mkdir(parents=True)
        make(path)
        for ask in (executor.log, executor.log_piece):
            with pytest.raises(ServiceDown, match=says):
                ask(handle)
        assert read_last_words(path) == ""


def open_pool(folder: Path) -> tuple[HTCondorExecutor, Path]:
    """Return an executor for a pool, and where the only start of its only job keeps its files; the
    pool is never asked.
    """
    settings = HTCondorExecutorSettings(type="htcondor", schedd="here", mode="shared")
    executor = HTCondorExecutor("pool", folder / "pool", "store", settings)
    batch = executor.batches.folder / "batches" / "5f-aa"
    batch.mkdir(parents=True)
    about = {"travels": False, "is_late": False, "created": 0.0}
    (batch / ABOUT).write_text(json.dumps(about))
    executor.batches.link("here", 7, batch.name)
    return executor, batch / "0" / "1"


def test_a_log_of_a_pool_is_followed_by_the_nodes_complaints(tmp_path: Path) -> None:
    """Both files are one log, whose end can be asked for."""
    pool, start = open_pool(tmp_path)
    start.mkdir(parents=True)
    (start / "stderr.log").write_text("careful\n")
    (start.parent / "node.log").write_text("no hints\n")
    assert pool.log(POOL_HANDLE, "stderr") == "careful\nno hints\n"
    piece = pool.log_piece(POOL_HANDLE, "stderr", LogWindow(length=10))
    assert (piece.text, piece.line, piece.size) == ("no hints\n", 2, 17)


def test_a_log_behind_a_linked_folder_is_refused(tmp_path: Path) -> None:
    """The folder of a job cannot be made to mean another one."""
    local = LocalExecutor("local", tmp_path / "local", "store")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "stdout.log").write_text("secret\n")
    (local.jobs / HANDLE).parent.mkdir(parents=True)
    (local.jobs / HANDLE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServiceDown, match="on the way to it is a link"):
        local.log(HANDLE)
