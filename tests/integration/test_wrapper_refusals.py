"""What the wrapper does when something is wrong: bad commands, removal, rivals, full disks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.executors.job_folder import read_json, read_own_result
from autoctrl.node import wrapper
from tests.integration.jobs import (
    WRAPPER,
    is_alive,
    run_wrapper,
    start_wrapper,
    until,
    wrapped,
    write_job,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("no-such-command", 127, "no such command"),
        ("/etc/passwd", 126, "Permission denied"),
        ("/etc", 126, "Permission denied"),
        ("./broken", 127, "interpreter"),
    ],
)
def test_a_command_that_cannot_run_says_why(
    tmp_path: Path, command: str, code: int, words: str
) -> None:
    """A command that is missing or not executable has the exit code that a shell gives, and a
    sentence.
    """
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "broken").write_text("#!/no/such/interpreter\n")
    (tmp_path / "out" / "broken").chmod(0o755)
    result = wrapped(tmp_path, command, "argument")
    assert (result["exit_code"], result["failure"]) == (code, "user code")
    assert words in result["reason"]
    assert f"'{command}'" in result["reason"]


def test_a_node_without_a_folder_for_outputs_is_to_blame(tmp_path: Path) -> None:
    """A folder of outputs that cannot be made is the node's failure, not the job's."""
    (tmp_path / "file").write_text("")
    result = wrapped(tmp_path, "true", workdir="file/out")
    assert (result["exit_code"], result["failure"]) == (None, "node")


@pytest.mark.parametrize(
    "line", ["sleep 60", "trap '' TERM; while :; do sleep 0.1; done"], ids=["plain", "ignores"]
)
def test_sigterm_to_the_wrapper_removes_the_job(tmp_path: Path, line: str) -> None:
    """A wrapper that is told to end ends its job and writes that down."""
    write_job(tmp_path, line)
    process = start_wrapper(tmp_path)
    process.terminate()
    assert process.wait(10) == 0
    assert read_json(tmp_path / "result.json")["failure"] == "removed"
    assert not is_alive(read_json(tmp_path / "claim")["group"])


def test_a_file_asks_for_removal_from_afar(tmp_path: Path) -> None:
    """A file ``remove`` in the folder ends the job too, for a controller on another machine."""
    write_job(tmp_path, "sleep 60")
    process = start_wrapper(tmp_path)
    (tmp_path / "remove").touch()
    assert process.wait(10) == 0
    assert read_json(tmp_path / "result.json")["failure"] == "removed"


def test_a_removed_job_never_starts(tmp_path: Path) -> None:
    """With the file ``remove`` there, a wrapper does nothing."""
    write_job(tmp_path, "touch ran")
    (tmp_path / "remove").touch()
    assert run_wrapper(tmp_path).returncode == 0
    assert not (tmp_path / "claim").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "fields", "remark"),
    [
        (
            '{"n": 3, "x": -1.5, "ok": true, "t": "good"}',
            {"n": 3.0, "x": -1.5, "ok": 1.0, "t": "good"},
            "",
        ),
        ('{"n": 1, "l": [1], "z": null, "inf": 1e999, "nan": NaN}', {"n": 1.0}, "l, z, inf, nan"),
        ("garbage", {}, "its fields"),
        ("[1]", {}, "its fields"),
        ('{"t": "' + 70000 * "x" + '"}', {}, "its fields"),
    ],
)
def test_fields_are_taken_or_named(
    tmp_path: Path, text: str, fields: dict[str, Any], remark: str
) -> None:
    """Numbers and short texts that a job reports are taken; garbage fails nothing, but the reason
    names it.
    """
    (tmp_path / "given").write_text(text)
    assert wrapped(tmp_path, "cat ../given > $AUTOCTRL_FIELDS")["failure"] is None
    result = read_own_result(tmp_path)
    assert result is not None
    assert result.fields == fields
    assert remark in result.reason
    assert bool(remark) == bool(result.reason)


@pytest.mark.parametrize("command", ["mkfifo", "mkdir", "ln -s /etc/passwd"])
def test_fields_that_are_no_file_are_ignored(tmp_path: Path, command: str) -> None:
    """A pipe, folder or link in place of the file of fields neither hangs the wrapper nor fails the
    job.
    """
    result = wrapped(tmp_path, f"{command} $AUTOCTRL_FIELDS")
    assert (result["failure"], result["fields"]) == (None, {})
    assert "its fields" in result["reason"]


def test_a_second_wrapper_leaves_at_once(tmp_path: Path) -> None:
    """A second wrapper of a claimed job exits 0 and touches nothing."""
    write_job(tmp_path, "echo once >> ran; until [ -e go ]; do sleep 0.05; done")
    process, ran = start_wrapper(tmp_path), tmp_path / "out" / "ran"
    until(lambda: ran.exists() and ran.read_text() == "once\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run_wrapper(tmp_path).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    (tmp_path / "out" / "go").touch()
    assert process.wait(10) == 0
    assert (tmp_path / "out" / "ran").read_text() == "once\n"


def test_of_racing_wrappers_one_starts_the_job(tmp_path: Path) -> None:
    """Of two wrappers that race for one job, fifty times over, exactly one starts it."""
    code = (
        "import sys, os; sys.path.append(sys.argv[1]); import wrapper\n"
        "for job in sys.argv[2:]:\n"
        "  if os.fork() == 0: os._exit(wrapper.run(job))\n"
        "  os.wait()"
    )
    jobs = [tmp_path / str(number) for number in range(50)]
    for job in jobs:
        write_job(job, "echo started >> ran")
    command = [sys.executable, "-I", "-S", "-c", code, str(Path(WRAPPER).parent), *map(str, jobs)]
    racers = [subprocess.Popen(command) for _ in range(2)]
    assert [racer.wait(60) for racer in racers] == [0, 0]
    assert [(job / "out" / "ran").read_text() for job in jobs] == ["started\n"] * 50
    assert all(read_json(job / "result.json")["failure"] is None for job in jobs)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "argv": ["true"]}']
)
def test_a_spec_that_cannot_be_read_claims_nothing(tmp_path: Path, content: str) -> None:
    """A broken or foreign description ends the wrapper with 2 and a message; nothing is claimed."""
    (tmp_path / "spec.json").write_text(content)
    ended = run_wrapper(tmp_path)
    assert ended.returncode == 2
    assert "description" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


def test_a_job_dies_with_its_wrapper(tmp_path: Path) -> None:
    """A wrapper that is killed takes its job with it."""
    write_job(tmp_path, "exec sleep 60")
    process = start_wrapper(tmp_path)
    pid = read_json(tmp_path / "claim")["group"]
    process.kill()
    process.wait(10)
    until(lambda: not is_alive(pid), "the death of the job")
    assert not (tmp_path / "result.json").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 128 kB; only root may."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_leaves_no_half_result(small_disk: Path) -> None:
    """With no room for the result the wrapper says so and exits non-zero; there is no half
    result.
    """
    write_job(small_disk, "cat /dev/zero > fill; exit 0")
    ended = run_wrapper(small_disk)
    assert ended.returncode == 3
    assert "cannot record" in ended.stderr
    assert "No space" in ended.stderr
    assert (small_disk / "claim").exists()
    assert not list(small_disk.glob("result.json*"))


def test_a_full_disk_starts_nothing(small_disk: Path) -> None:
    """With no room for the claim the job is not started; it can be once there is room again."""
    write_job(small_disk, "touch /dev/null; echo ran > ran")
    with (
        (small_disk / "fill").open("wb", buffering=0) as file,
        pytest.raises(OSError, match="No space"),
    ):
        file.writelines(b"x" * 4096 for _ in range(1000))
    ended = run_wrapper(small_disk)
    assert ended.returncode == 3
    assert not list(small_disk.glob("claim*"))
    (small_disk / "fill").unlink()
    assert run_wrapper(small_disk).returncode == 0
    assert (small_disk / "out" / "ran").exists()


def test_the_wrapper_runs_with_every_python_that_is_here(tmp_path: Path) -> None:
    """The wrapper works with each Python from 3.9 on that this machine has."""
    paths = [shutil.which(f"python3.{minor}") for minor in range(9, 16)]
    answers = {
        path: subprocess.run([path, "-V"], capture_output=True, check=False)
        for path in paths
        if path
    }
    works = [path for path, answer in answers.items() if answer.returncode == 0]
    for number, python in enumerate([sys.executable, *works]):
        folder = tmp_path / str(number)
        write_job(folder, "echo hello > x", outputs={"output": "x"})
        assert run_wrapper(folder, python).stderr == ""
        assert read_json(folder / "result.json")["outputs"][0]["bytes"] == 6


def test_starting_is_light(tmp_path: Path) -> None:
    """The wrapper imports nothing slow: no pathlib, typing, subprocess, and none of our
    packages.
    """
    write_job(tmp_path, "true")
    code = "import sys; sys.path.append(sys.argv[1]); import wrapper; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", code, str(Path(WRAPPER).parent)]
    modules = set(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    )
    assert not modules & {
        "pathlib",
        "typing",
        "subprocess",
        "socket",
        "contextlib",
        "hashlib",
        "ctypes",
        "autoctrl",
    }


def test_a_claim_names_its_processes(tmp_path: Path) -> None:
    """The claim is complete before anything of the job runs: processes, their start times, boot and
    host.
    """
    write_job(tmp_path, "exec sleep 60")
    process = start_wrapper(tmp_path)
    claim = json.loads((tmp_path / "claim").read_text())
    assert claim["pid"] == process.pid
    assert claim["pid_start"] == wrapper.start_time(process.pid)
    assert claim["group_start"] == wrapper.start_time(claim["group"])
    assert claim["machine"] == wrapper.machine()
    assert claim["host"] == os.uname().nodename
    assert claim["time"] <= time.strftime("%Y-%m-%dT%H:%M:%S.999999Z", time.gmtime())
    process.terminate()
    assert process.wait(10) == 0
