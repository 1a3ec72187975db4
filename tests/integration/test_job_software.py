"""The software of a job is made ready on its node: by a script, a commit, a container."""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.status import Failure, JobStatus
from tests.acceptance.project import call
from tests.integration.condor import Bench
from tests.integration.jobs import executor_in, settle, submit_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.ports import JobReport
    from tests.services import Pool

SAYS = 'echo "$GREETING $* from $$" >said'
OUTPUTS = {"said": "said"}


def run(folder: Path, line: str, *setup: str, **changes: object) -> tuple[JobReport, str]:
    """Run one job; return its last report and what it wrote, empty if that is nothing."""
    executor = executor_in(folder)
    handle = submit_one(executor, folder, line, setup=setup, **changes)
    said = folder / "outputs/1/said"
    return settle(executor, [handle])[handle], said.read_text() if said.exists() else ""


def repository(folder: Path) -> tuple[str, str]:
    """Make a repository with a program and a module; return its address and its commit."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/reconstruct").write_text('#!/bin/sh\necho "reconstructed $1" >said\n')
    (folder / "bin/reconstruct").chmod(0o755)
    (folder / "clusters.py").write_text("print('clusters', file=open('said', 'w'))\n")
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "-qm", "Begin"], check=True)
    for allowed in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowReachableSHA1InWant"):
        subprocess.run([*git, "config", allowed, "true"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return f"file://{folder}", head.stdout.strip()


def test_a_script_prepares_the_environment_and_the_command_follows(tmp_path: Path) -> None:
    """What it exports is there, what it prints is no output of the job's, it sees none of the
    command's words, and the command begins in its own folder wherever the script has gone.
    """
    script = tmp_path / "view" / "setup.sh"
    script.parent.mkdir()
    script.write_text('export GREETING="hello${1}"; cd /; echo noise\n')
    report, said = run(tmp_path, SAYS, str(script), outputs=OUTPUTS)
    assert report.status is JobStatus.DONE, report
    assert said.startswith("hello  from ")
    stdout = next((tmp_path / "jobs").rglob("stdout.log")).read_text()
    assert "noise" not in stdout


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("exit 0\n", ""),
        ("false\n", "its last command ended with 1"),
        ("nonsense-command\n", "nonsense-command"),
        (None, "No"),
    ],
)
def test_a_set_up_that_fails_is_no_fault_of_the_command(
    tmp_path: Path, script: str | None, word: str
) -> None:
    """It fails for the node's sake, so that another attempt is made: also if it ends the shell
    with success, or is not there.
    """
    path = tmp_path / "setup.sh"
    if script is not None:
        path.write_text(script)
    report, said = run(tmp_path, SAYS, str(path), outputs=OUTPUTS)
    assert (report.status, report.failure, said) == (JobStatus.FAILED, Failure.NODE, "")
    assert f"its set-up {path} failed" in report.reason
    assert word in report.reason


def test_a_command_that_fails_after_its_set_up_is_at_fault_itself(tmp_path: Path) -> None:
    """The class is that of user code then, with its exit code and last words."""
    path = tmp_path / "setup.sh"
    path.write_text("true\n")
    report, _ = run(tmp_path, "echo too hot >&2; exit 3", str(path))
    assert (report.failure, report.reason) == (
        Failure.USER,
        "exited with code 3; it last said: too hot",
    )


def test_a_commit_is_fetched_and_its_programs_are_found(tmp_path: Path) -> None:
    """Programs by name, modules by Python's, and a commit that is not there fails for the node's
    sake.
    """
    url, commit = repository(tmp_path / "reco")
    setup = f"git+{url}@{commit}"
    report, said = run(tmp_path / "a", "reconstruct run7", setup, outputs=OUTPUTS)
    assert (report.status, said) == (JobStatus.DONE, "reconstructed run7\n"), report
    report, said = run(tmp_path / "b", "python3 -m clusters", setup, outputs=OUTPUTS)
    assert (report.status, said) == (JobStatus.DONE, "clusters\n"), report
    report, _ = run(tmp_path / "c", "reconstruct run7", f"git+{url}@{'0' * 40}")
    assert (report.status, report.failure) == (JobStatus.FAILED, Failure.NODE)
    assert f"its set-up {url} failed" in report.reason
    assert not [*(tmp_path / "c/jobs").rglob("software.*")]


def test_a_container_gets_the_command_and_sees_its_files(tmp_path: Path) -> None:
    """The runtime is called with the image, the job's folders and those of the files that its
    words name; the set-up counts as done inside of it. Where no runtime is, the node is at fault.
    """
    runtime = tmp_path / "bin/apptainer"
    runtime.parent.mkdir()
    runtime.write_text(
        '#!/bin/bash\nprintf "%s\\n" "$@" >"$AUTOCTRL_OUTPUT_DIR/words"\n'
        'until [ "$1" = reco.sif ]; do shift; done\nshift; exec "$@"\n'
    )
    runtime.chmod(0o755)
    raw = tmp_path / "raw/run7"
    raw.parent.mkdir()
    raw.write_text("raw")
    path = f"{runtime.parent}:{os.environ['PATH']}"
    line = f"cp {raw} said"
    colon = tmp_path / "raw:2/run8"
    colon.parent.mkdir()
    colon.write_text("raw")
    spec = {"outputs": OUTPUTS, "environment": {"PATH": path}}
    executor = executor_in(tmp_path)
    argv = {"argv": ("cp", str(raw), "said"), "setup": ("container:reco.sif",)}
    handle = submit_one(executor, tmp_path, line, **spec, **argv)
    report = settle(executor, [handle])[handle]
    assert report.status is JobStatus.DONE, report
    words = (tmp_path / "outputs/1/words").read_text().split("\n")
    assert words[:3] == ["exec", "--pwd", str(tmp_path / "outputs/1")]
    assert ["--bind", str(raw.parent)] == words[words.index(str(raw.parent)) - 1 :][:2]
    argv["argv"] = ("ls", "/etc", str(colon))
    handle = submit_one(executor_in(tmp_path / "colon"), tmp_path / "colon", line, **spec, **argv)
    report = settle(executor_in(tmp_path / "colon"), [handle])[handle]
    assert f"{colon.parent} has a : or , and cannot be bound" in report.reason
    spec["environment"] = {"PATH": "/usr/bin:/bin"}
    report, _ = run(tmp_path / "bare", line, "container:reco.sif", **spec)
    assert report.failure is Failure.NODE
    assert "neither apptainer nor singularity" in report.reason


def test_a_setting_sets_up_the_jobs_of_a_workflow(tmp_path: Path) -> None:
    """From ``autoctrl.toml`` to the output, and provenance says it."""
    script = tmp_path / "setup.sh"
    script.write_text("export GREETING=hello\n")
    handler = tmp_path / "workflows/greet/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(
        "from autoctrl import BatchHandler\nhandler = BatchHandler('greet', argv=['sh', '-c', "
        "'echo $GREETING >{output}'], outputs={'output': 'said'})\n"
    )
    (tmp_path / "autoctrl.toml").write_text(f'[workflows.greet]\nsetup = "{script}"\n')
    call(tmp_path, "runs", "add", "1")
    call(tmp_path, "loop", "--until-idle")
    assert next((tmp_path / "outputs").rglob("said")).read_text() == "hello\n"
    made = call(tmp_path, "provenance", "1", "greet", "--format", "json")
    assert json.loads(made.out)["versions"][0]["description"]["setup"] == [str(script)]


def test_a_function_has_no_set_up(tmp_path: Path) -> None:
    """It runs with autoctrl's own Python; the cycle says so instead of ignoring the setting."""
    handler = tmp_path / "workflows/gain/handler.py"
    handler.parent.mkdir(parents=True)
    handler.write_text(
        "from autoctrl import inline\n@inline('gain')\ndef gain(task):\n    return {'gain': 1}\n"
    )
    (tmp_path / "autoctrl.toml").write_text('[workflows.gain]\nsetup = "/view/setup.sh"\n')
    call(tmp_path, "runs", "add", "1")
    said = call(tmp_path, "cycle")
    assert said.code == 2
    assert "[workflows.gain] setup is set, but its handler calls a function" in said.err


@pytest.fixture
def web_folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Serve a folder as plain files; yield it and its address."""
    serve = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_pool_sets_up_its_jobs(htcondor: Pool, web_folder: tuple[Path, str]) -> None:
    """A script, and a commit from a server that only hands out files, on a node of a real pool;
    what was fetched does not come back.
    """
    bench = Bench(htcondor, "spool")
    script = bench.folder / "setup.sh"
    script.write_text("export GREETING=hello\n")
    script.chmod(0o644)
    folder, address = web_folder
    _, commit = repository(folder / "reco")
    subprocess.run(["git", "-C", str(folder / "reco"), "update-server-info"], check=True)
    setup = (str(script), f"git+{address}/reco/.git@{commit}")
    line = 'reconstruct "$GREETING"'
    report = bench.end(bench.submit(line, outputs=OUTPUTS, setup=setup))
    assert report.status is JobStatus.DONE, report
    found = [path for path in (bench.folder / "outputs/1").rglob("*") if path.is_file()]
    assert [(path.name, path.read_text()) for path in found] == [("said", "reconstructed hello\n")]
