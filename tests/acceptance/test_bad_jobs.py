"""Jobs that hang, print binary, leave children, or write nothing, too little or nonsense; repaired,
they go on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.project import Said, ask
from tests.acceptance.repair import SETTINGS, go_on, make_project, status

JOBS_SETTINGS = f"{SETTINGS}time_limit_s = 1\nmemory_mb = 500\n"
JOB = """
from autoctrl import BatchHandler
handler = BatchHandler(
    {name!r}, argv=["sh", "-c", {script!r}, "x", "{{output}}"], outputs={{"output": {output!r}}}
)
"""
GOOD_SCRIPT = 'echo good > "$1"'


class Job(NamedTuple):
    """A job that misbehaves: what it runs, what becomes of it, what is said of it, and the name of
    its output.
    """

    script: str
    status: str
    reason: str = ""
    output: str = "out.txt"


JOBS = {
    "hangs": Job(
        "sleep 1000", "failed", "job 0.2 failed (time limit): ran longer than its limit of 2 s"
    ),
    "ignores-sigterm": Job(
        "trap '' TERM; while :; do sleep 0.1; done", "failed", "job 0.2 failed (time limit)"
    ),
    "prints-binary": Job(
        'head -c 5000 /dev/urandom; printf "\\377\\000\\033[31m"; echo good > "$1"', "done"
    ),
    "forks-and-leaves": Job('setsid sleep 1000 & echo good > "$1"', "done"),
    "writes-nothing": Job(
        "true", "failed", "exited 0, but its output 'output' (out.txt) is missing"
    ),
    "writes-empty": Job(
        ': > "$1"', "failed", "exited 0, but its output 'output' (out.txt) is empty"
    ),
    "writes-wrong": Job('echo no ROOT > "$1"', "failed", "is not a readable ROOT file", "out.root"),
    "fails-with-words": Job(
        "echo the magnet is off >&2; exit 3",
        "failed",
        "exited with code 3; it last said: the magnet",
    ),
    "kills-itself": Job("kill -SEGV $$", "failed", "was ended by signal 11"),
    "writes-outside": Job('ln -s /etc/passwd "$1"', "failed", "leads out of the job's folder"),
}


class Worked(NamedTuple):
    """A project with every bad job after a loop."""

    folder: Path
    loop: Said
    tasks: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Worked:
    handlers = {
        name: JOB.format(name=name, script=job.script, output=job.output)
        for name, job in JOBS.items()
    }
    folder = make_project(tmp_path_factory.mktemp("jobs") / "project", handlers, JOBS_SETTINGS)
    assert ask(folder, "runs", "add", "1").code == 0
    loop = ask(folder, "loop", "--until-idle", "--every", "0.1s")
    return Worked(folder, loop, status(folder)[0]["tasks"])


@pytest.mark.parametrize("name", JOBS)
def test_a_job_that_misbehaves(worked: Worked, name: str) -> None:
    """A bad job ends where it belongs, with the reason, and leaves neither a process nor an output
    behind.
    """
    task, job = worked.tasks[name], JOBS[name]
    assert task["status"] == job.status, task
    assert job.reason in (task["reason"] or "")
    outputs = json.loads(ask(worked.folder, "outputs", "--workflow", name, "--format", "json").out)
    assert len(outputs) == (1 if job.status == "done" else 0)
    assert ask(worked.folder, "log", "1", name).code == 0
    assert not [
        process
        for process in Path("/proc").glob("[0-9]*/environ")
        if _is_of(process, worked.folder, name)
    ]


def _is_of(environment: Path, folder: Path, name: str) -> bool:
    try:
        content = environment.read_bytes()
    except OSError:
        return False
    return f"/{name}/1/v1/".encode() in content and os.fsencode(folder) in content


def test_bad_jobs_are_counted(worked: Worked) -> None:
    """A loop in which jobs failed for good exits with 1 and names each task once."""
    assert worked.loop.code == 1, worked.loop
    assert worked.loop.err == ""
    for name, job in JOBS.items():
        assert worked.loop.out.count(f"failed: run 1 / {name}:") == (job.status == "failed")


def test_binary_is_shown_as_text(worked: Worked) -> None:
    """What a job prints is shown without harm to the terminal, whatever it is."""
    shown = ask(worked.folder, "log", "1", "prints-binary").out
    assert "\\xff\\x00\\x1b[31m\n" in shown
    assert not {character for character in shown if character < " " and character not in "\n\t"}


def test_repaired_jobs_go_on(worked: Worked) -> None:
    """After a repair and a retry, what had failed is done, as a further attempt of the same
    version.
    """
    for name, job in JOBS.items():
        if job.status == "failed":
            text = JOB.format(name=name, script=GOOD_SCRIPT, output="out.txt")
            (worked.folder / "workflows" / name / "handler.py").write_text(text)
            assert ask(worked.folder, "retry", "1", name, "--reason", "repaired").code == 0
    go_on(worked.folder, 1)


MAKE = """
import sys, numpy, uproot
with uproot.recreate(sys.argv[1]) as file:
    file["Events"] = {"x": numpy.arange(int(sys.argv[2]))}
"""
ENTRIES = """
from autoctrl import After, BatchHandler, Output
MAKE = ["{{python}}", "{{folder}}/make.py", "{{output}}"]
make = BatchHandler("make", argv=[*MAKE, "10"], outputs={{"output": "made.root"}})
split = BatchHandler(
    "split", argv=[*MAKE, "{part}"], inputs={{"made": Output("make")}}, split_events=5,
    merge_line=" ".join([*MAKE, "{whole}"]), outputs={{"output": "part.root"}},
)
"""


@pytest.mark.parametrize(
    ("part", "whole", "reason"),
    [
        (
            4,
            8,
            (
                "2 jobs failed, the first: job 0.1 failed (output): output output has 4 "
                "entries, but should have 5: events [0, 5)"
            ),
        ),
        (
            5,
            9,
            (
                "job merge.1 failed (output): output output has 9 entries, but should have 10: "
                "events [0, 10)"
            ),
        ),
    ],
    ids=["in parts", "in the merged file"],
)
def test_a_wrong_number_of_entries(tmp_path: Path, part: int, whole: int, reason: str) -> None:
    """An output whose entries are not the events is never published; after a repair and a
    reprocessing it is.
    """
    folder = make_project(tmp_path / "project", {"rows": ENTRIES.format(part=part, whole=whole)})
    (folder / "workflows/rows/make.py").write_text(MAKE)
    assert ask(folder, "runs", "add", "1").code == 0
    assert ask(folder, "loop", "--until-idle", "--every", "0.1s").code == 1
    task = status(folder)[0]["tasks"]["split"]
    assert task["status"] == "failed"
    assert reason in task["reason"]
    published = ["outputs", "--workflow", "split", "--format", "json"]
    assert json.loads(ask(folder, *published).out) == []
    (folder / "workflows/rows/handler.py").write_text(ENTRIES.format(part=5, whole=10))
    assert ask(folder, "reprocess", "1", "split", "--reason", "counted right").code == 0
    go_on(folder, 1)
    assert [row["entries"] for row in json.loads(ask(folder, *published).out)] == [{"Events": 10}]
