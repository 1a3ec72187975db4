"""The wrapper, with real processes: whatever a job does, its result says so, and nothing of it is
left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
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
    write_job(tmp_path, "echo once >> ran; until [ -e go ]; do sleep 0.01; done")
    process = start_wrapper(tmp_path)
    until((tmp_path / "out" / "ran").exists)
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
