"""New projects and workflows come from the skeletons whole, and never over something that is
there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autoctrl.cli.scaffold import FIRST_RUNS, KINDS, create_project, create_workflow
from autoctrl.compose import Project
from autoctrl.config import load_settings
from autoctrl.errors import UsageError
from autoctrl.handlers.modules import find_modules, load_module
from autoctrl.machine.loop import loop
from autoctrl.model.actor import Actor
from autoctrl.model.status import TaskStatus
from autoctrl.operations.pipelines.groovy import judge_files
from autoctrl.operations.pipelines.places import find_jenkinsfiles
from autoctrl.ports import Selection
from autoctrl.verbs.registration import add_runs
from autoctrl.verbs.request import Request
from tests.groovy import find_groovy

LONGEST_HANDLER = 12
ME = Actor("ada", "cli")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "experiment"
    create_project(folder)
    return folder


def complete(folder: Path) -> list[tuple[str, str, TaskStatus]]:
    """Add the first runs, loop until idle, and return every task with its status."""
    settings = load_settings(folder, environ={})
    with Project(settings) as opened:
        add_runs(Request(opened.store, opened.clock, ME), FIRST_RUNS, {}, settings.attributes)
        assert not loop(opened, "prompt", until_idle=True)
        tasks = opened.store.tasks(Selection("prompt"))
    return [(task.key.workflow, task.key.unit, task.status) for task in tasks]


def test_a_new_project_completes_at_once(project: Path) -> None:
    """Every first run goes through both workflows to done, and the job's files are there."""
    tasks = complete(project)
    assert len(tasks) == 10
    assert {status for _, _, status in tasks} == {TaskStatus.DONE}
    assert len(list((project / "outputs").rglob("primes_run*.txt"))) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_workflow_completes_and_its_test_passes(project: Path, kind: str) -> None:
    """What new-workflow writes works before anything is changed in it."""
    create_workflow(project, "my-flow", kind)
    assert ("my-flow", "3", TaskStatus.DONE) in complete(project)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "workflows"]
    tested = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_two_workflows_have_tests_of_one_name(project: Path) -> None:
    """The tests of all workflows run together, though each file is called test_handler.py."""
    create_workflow(project, "one")
    create_workflow(project, "two", "batch")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert "2 passed" in tested.stdout, tested.stdout + tested.stderr


def test_the_first_handler_is_short_and_executable(project: Path) -> None:
    """Twelve lines are enough, and the file is its own command."""
    hello = project / "workflows" / "hello" / "handler.py"
    assert len(hello.read_text().splitlines()) <= LONGEST_HANDLER
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shown = subprocess.run(
        [hello, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert "autoctrl cycle" in shown.stdout, shown.stderr


def test_no_placeholder_of_the_skeletons_is_left(project: Path) -> None:
    """Names are filled in everywhere, and the files' names are those of a project."""
    for kind in KINDS:
        create_workflow(project, f"a-{kind}", kind)
    files = [path for path in project.rglob("*") if path.is_file()]
    left = re.compile(r"\$(\{?name|\$)")  # a $ of the shell stands in each Jenkinsfile
    assert not [path for path in files if left.search(path.read_text()) or path.suffix == ".in"]
    top = {path.name for path in project.iterdir() if path.is_file()}
    assert top == {"autoctrl.toml", ".gitignore", "README.md", "pytest.ini"}
    assert load_settings(project, environ={}).project.name == "experiment"
    names = [
        handler.workflow for module in find_modules(project) for handler in load_module(module)
    ]
    assert names == ["a-batch", "a-inline", "count", "hello"]


def test_every_workflow_has_a_jenkinsfile_that_calls_it(project: Path) -> None:
    """Its only command, given to a shell as Jenkins does, makes a cycle and reports where it is."""
    create_workflow(project, "my-flow")
    files = find_jenkinsfiles(project)
    assert [file.parent.name for file in files] == ["count", "hello", "my-flow"]
    judged = judge_files(files, environ={**os.environ, "GROOVY_JAR": str(find_groovy())})
    for judgement in judged:
        name = Path(judgement.file).parent.name
        assert (judgement.findings, judgement.stages) == ((), (name,))
        results = [build.result for build in judgement.builds]
        assert results == ["SUCCESS", "UNSTABLE", "FAILURE"]
    (command,) = judged[-1].builds[0].commands
    workspace = project / "a workspace"
    workspace.mkdir()
    run_step(command, workspace, AUTOCTRL_HOME=str(project))
    run_step(command, project)
    assert all((folder / "cycle-my-flow.xml").is_file() for folder in (workspace, project))


def run_step(command: str, workspace: Path, **variables: str) -> None:
    """Run a command in a workspace of Jenkins; the project is there, or where a variable says."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables |= {"WORKSPACE": str(workspace), "PATH": path}
    done = subprocess.run(
        ["sh", "-xe", "-c", command],
        cwd=workspace,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_written_over_what_is_there(tmp_path: Path, project: Path) -> None:
    """A project, a file in the way and an existing workflow are refused with what to do."""
    with pytest.raises(UsageError, match="is an autoctrl project already"):
        create_project(project)
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md is in the way; nothing was written"):
        create_project(tmp_path)
    assert not (tmp_path / "autoctrl.toml").exists()
    with pytest.raises(UsageError, match="Workflow 'hello' exists already"):
        create_workflow(project, "hello")


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("My Flow", "inline", "is not a name for a workflow"),
        ("../x", "inline", "is not a name"),
        ("x", "bath", "'batch'"),
    ],
)
def test_a_workflow_without_sense_is_refused(
    project: Path, name: str, kind: str, part: str
) -> None:
    """Impossible names and kinds write nothing."""
    with pytest.raises(UsageError, match=part):
        create_workflow(project, name, kind)


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    """The error names the folder and the reason."""
    with pytest.raises(UsageError, match="/proc/nowhere cannot be written"):
        create_project(Path("/proc/nowhere"))
