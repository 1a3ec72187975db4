"""The wrapper, with real processes: whatever a job does, its result says so, and nothing of it is
left behind.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.executors.job_folder import read_own_result
from tests.integration.jobs import (
    WRAPPER,
    is_alive,
    wrapped,
    write_job,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_good_job_is_written_down_whole(tmp_path: Path) -> None:
    """The result of a good job has its outputs with size and checksum, its times, memory and
    host.
    """
    result = wrapped(
        tmp_path,
        "printf data > x.root; printf other > sub/y",
        outputs={"a": "x.root", "b": "sub/y"},
    )
    assert (result["exit_code"], result["signal"], result["failure"], result["reason"]) == (
        0,
        None,
        None,
        "",
    )
    assert (result["schema"], result["tag"], result["start"]) == (1, "store/a/b", 1)
    digest = hashlib.sha256(b"data").hexdigest()
    assert result["outputs"][0] == {
        "name": "a",
        "path": f"{tmp_path}/out/x.root",
        "bytes": 4,
        "sha256": digest,
    }
    assert [output["name"] for output in result["outputs"]] == ["a", "b"]
    assert result["started"] <= result["ended"]
    assert result["started"].endswith("Z")
    assert 0 < result["wall_s"] < 10
    assert result["cpu_s"] > 0
    assert result["peak_memory_mb"] > 0.5
    assert result["host"] == os.uname().nodename


def test_a_job_knows_who_it_is_and_nothing_else(tmp_path: Path) -> None:
    """A job has its own environment, folder, session and an empty stdin."""
    write_job(
        tmp_path,
        "env; pwd; cat; ps -o sid= -p $$ | tr -d ' '; echo pid $$",
        environment={"PATH": os.defpath, "X": "1"},
    )
    subprocess.run(
        [sys.executable, WRAPPER, tmp_path], check=True, env={"LEAK": "1"}, stdin=subprocess.DEVNULL
    )
    lines = (tmp_path / "stdout.log").read_text().splitlines()
    assert {
        "X=1",
        "AUTOCTRL_TAG=store/a/b",
        "AUTOCTRL_START=1",
        f"AUTOCTRL_OUTPUT_DIR={tmp_path}/out",
    } < set(lines)
    assert f"AUTOCTRL_FIELDS={tmp_path}/fields.json" in lines
    assert "LEAK=1" not in lines
    assert lines[-3] == f"{tmp_path}/out"
    assert lines[-1] == f"pid {lines[-2]}"


def test_a_job_may_inherit_the_environment_of_its_node(tmp_path: Path) -> None:
    """With ``inherit`` the job sees what the wrapper sees, under what the spec sets."""
    write_job(
        tmp_path,
        "echo $NODE $PLACE",
        inherit=True,
        environment={"PATH": os.environ["PATH"], "PLACE": "spec"},
    )
    subprocess.run(
        [sys.executable, WRAPPER, tmp_path], check=True, env={"NODE": "n1", "PLACE": "node"}
    )
    assert (tmp_path / "stdout.log").read_text() == "n1 spec\n"


@pytest.mark.parametrize(
    "line", ["sleep 60", "trap '' TERM; while :; do sleep 0.1; done"], ids=["hangs", "ignores"]
)
def test_a_job_that_does_not_end_is_stopped(tmp_path: Path, line: str) -> None:
    """A job that hangs, or ignores SIGTERM, is over shortly after its time limit."""
    result = wrapped(tmp_path, line, time_limit_s=0.3)
    assert result["failure"] == "time limit"
    assert "0.3 s" in result["reason"]
    assert 0.3 <= result["wall_s"] < 5


def test_binary_output_is_kept_as_it_is(tmp_path: Path) -> None:
    """What a job prints is kept byte by byte."""
    wrapped(tmp_path, r"printf '\000\377\033[31m'; printf '\200' >&2")
    assert (tmp_path / "stdout.log").read_bytes() == b"\0\xff\x1b[31m"
    assert (tmp_path / "stderr.log").read_bytes() == b"\x80"


@pytest.mark.parametrize(
    "how", ["setsid sleep 60 &", "sh -c 'trap \"\" TERM; sleep 60; sleep 60' &", "(sleep 60 &);"]
)
def test_nothing_that_a_job_leaves_behind_survives(tmp_path: Path, how: str) -> None:
    """A job that forks and leaves succeeds, and what it left is ended before the result is
    written.
    """
    result = wrapped(tmp_path, f"{how} echo $! > pid; exit 0")
    assert result["failure"] is None
    assert "left behind" in result["reason"]
    pid = (tmp_path / "out" / "pid").read_text().strip()
    assert not pid or not is_alive(int(pid))
    assert result["wall_s"] < 5


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("true", "is missing"),
        (": > x", "is empty"),
        ("mkdir x", "Is a directory"),
        ("mkfifo x", "is not a file"),
        ("ln -s /etc/hostname x", "leads out"),
    ],
)
def test_exit_code_0_is_not_trusted(tmp_path: Path, line: str, why: str) -> None:
    """Exit code 0 without a declared output, or with an empty, odd or outlying one, is a
    failure.
    """
    result = wrapped(tmp_path, line, outputs={"output": "x"})
    assert (result["exit_code"], result["failure"], result["outputs"]) == (0, "output", [])
    assert why in result["reason"]
    assert "'output'" in result["reason"]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_an_output_outside_is_refused_before_the_start(tmp_path: Path, name: str) -> None:
    """A job whose output would lie outside its folder is never started."""
    result = wrapped(tmp_path, "touch ran", outputs={"output": name})
    assert result["failure"] == "user code"
    assert "outside" in result["reason"]
    assert not (tmp_path / "out" / "ran").exists()


def test_a_link_in_the_way_of_an_output_is_refused(tmp_path: Path) -> None:
    """A folder of an output that leads elsewhere is refused, and nothing is made there."""
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path / "elsewhere")
    result = wrapped(tmp_path, "touch sub/deep/x", outputs={"output": "sub/deep/x"})
    assert result["failure"] == "output"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_output_of_an_earlier_start_does_not_count(tmp_path: Path) -> None:
    """What lies under an output's name before the start is removed, so it cannot be taken for the
    job's.
    """
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("old")
    (tmp_path / "fields.json").write_text('{"old": 1}')
    result = wrapped(tmp_path, "true", outputs={"output": "x"})
    assert (result["failure"], result["fields"]) == ("output", {})


def test_a_wrong_exit_code_is_user_code(tmp_path: Path) -> None:
    """An exit code other than 0 fails the job; the reason quotes what it said last."""
    result = wrapped(tmp_path, "echo first >&2; echo 'no such detector' >&2; exit 3")
    assert (result["exit_code"], result["failure"]) == (3, "user code")
    judged = read_own_result(tmp_path)
    assert judged is not None
    assert judged.reason == "exited with code 3; it last said: no such detector"


def test_a_signal_is_named(tmp_path: Path) -> None:
    """A job that a signal ended has no exit code, but the signal."""
    result = wrapped(tmp_path, "kill -SEGV $$")
    assert (result["exit_code"], result["signal"], result["failure"]) == (
        None,
        signal.SIGSEGV,
        "user code",
    )
    assert "signal 11" in result["reason"]


def test_too_much_memory_is_stopped_and_measured(tmp_path: Path) -> None:
    """A job beyond its memory limit, its children counted, is stopped, and the result says how much
    it used.
    """
    eat = "x = bytearray(120_000_000); import time; time.sleep(60)"
    result = wrapped(
        tmp_path,
        f"{sys.executable} -S -c '{eat}' & {sys.executable} -S -c '{eat}' & wait",
        memory_mb=180,
    )
    assert result["failure"] == "memory"
    assert "180 MB" in result["reason"]
    assert 180 < result["peak_memory_mb"] < 400
    assert result["wall_s"] < 10


def test_shared_memory_is_counted_once(tmp_path: Path) -> None:
    """Forked children that share their parent's memory do not add up to too much."""
    code = (
        "import os, time\nx = bytearray(b'x') * 100_000_000\n"
        "pids = [os.fork() or (time.sleep(1) or os._exit(0)) for _ in "
        "range(3)]\n[os.wait() for _ in pids]"
    )
    result = wrapped(tmp_path, sys.executable, "-S", "-c", code, memory_mb=300)
    assert result["failure"] is None, result["reason"]
    assert 95 < result["peak_memory_mb"] < 300
