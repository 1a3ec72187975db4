"""How the command behaves: errors of one paragraph, colour only where it belongs, progress,
completion.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from autoctrl.cli import main
from tests.acceptance.project import call, make_project
from tests.acceptance.terminal import in_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TERMINAL_S = 200


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("statsu", ["There is no verb 'statsu'.", "Did you mean 'status'?", "autoctrl --help"]),
        (
            "status --fromat json",
            ["There is no option --fromat.", "Did you mean '--format'?", "autoctrl status --help"],
        ),
        ("status --format xml", ["xml", "'text', 'json', 'csv'"]),
        (
            "--project . status",
            [
                "There is no option --project.",
                "come after its name, as in 'autoctrl status --project'.",
            ],
        ),
        (
            "runs lst",
            ["There is no verb 'runs lst'.", "Did you mean 'list'?", "autoctrl runs --help"],
        ),
        ("status 4521", ["unexpected extra argument (4521). See: autoctrl status --help"]),
        ("retry 1 reco", ["Missing option '--reason'."]),
        ("retry 1 reco --reason=", ["--reason is empty.", "Say why"]),
        ("why 1", ["Missing argument 'WORKFLOW'."]),
        ("runs add 1-x", ["'1-x' is not a run selection", "Write runs as 4521"]),
        ("runs add 9-1", ["backwards"]),
        ("runs add 1 --set kund=physics", ["'kund' is not declared", "Did you mean 'kind'?"]),
        ("runs add 1 --set kind", ["'kind' sets nothing", "fill=8222"]),
        ("status --campaign promt", ["There is no campaign 'promt'.", "Did you mean 'prompt'?"]),
        ("cycle --workflow rco", ["There is no workflow 'rco'", "Did you mean 'reco'?"]),
        ("loop --every soon", ["'soon' is not a duration", "10s, 5min, 1h or 2d"]),
        ("status --environment mirror", ["There is no environment 'mirror'"]),
        ("reprocess --reason x", ["reprocess needs RUNS and WORKFLOW, or --stale WORKFLOW."]),
        ("reprocess 1 reco --stale reco --reason x", ["already names the workflow"]),
        (
            "complete 1 reco --output gone.txt --reason x",
            ["gone.txt cannot be read: No such file or directory."],
        ),
        (
            "complete 1 reco --output a.txt --output b.txt --reason x",
            ["'a.txt' is one of several outputs", "NAME=FILE"],
        ),
        ("init .", ["is an autoctrl project already"]),
        ("new-workflow Reco", ["'Reco' is not a name for a workflow"]),
    ],
)
def test_an_error_is_one_paragraph(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    parts: list[str],
) -> None:
    """What is wrong and what to do stand in one line on stderr; nothing on stdout; the exit code is
    2.
    """
    monkeypatch.chdir(project)
    assert main(words.split()) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert all(part in answer.err for part in parts), answer.err


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        ("statsu --format json", "There is no verb 'statsu'. Did", "See: autoctrl --help"),
        ("runs add 1-x --format=json", "'1-x' is not a run selection", "Write runs as 4521"),
    ],
)
def test_an_error_is_json_where_json_was_asked_for(
    project: Path, words: str, error: str, hint: str
) -> None:
    """The same two sentences by name, on stderr, as the page's JSON answers."""
    answer = call(project, *words.split())
    assert (answer.code, answer.out) == (2, "")
    said = json.loads(answer.err)
    assert said.keys() == {"schema", "error", "hint"}
    assert said["error"].startswith(error)
    assert said["hint"].startswith(hint)


def test_an_empty_file_completes_nothing(project: Path) -> None:
    """An output that was made by hand must have something in it."""
    (project / "empty.txt").touch()
    answer = call(project, "complete", "1", "reco", "--output", "empty.txt", "--reason", "x")
    assert (answer.code, "empty.txt is empty." in answer.err) == (2, True)


def test_outside_a_project_the_command_says_how_to_make_one(tmp_path: Path) -> None:
    """Where no settings are found, the error names init."""
    answer = call(tmp_path, "status")
    assert answer.code == 2
    assert "this is not an autoctrl project. Make one with: autoctrl init DIR" in answer.err


def test_the_project_may_be_named_from_anywhere(project: Path, tmp_path: Path) -> None:
    """--project and AUTOCTRL_PROJECT name the folder; a folder below it finds it by itself."""
    assert call(tmp_path, "status", "--project", str(project)).code == 0
    assert call(tmp_path, "status", AUTOCTRL_PROJECT=str(project)).code == 0
    assert call(project / "workflows", "status").code == 0


def test_a_traceback_is_shown_only_to_those_who_ask(project: Path) -> None:
    """--debug shows where an error comes from, after the verb or before its arguments; else there
    is none.
    """
    assert "Traceback" not in call(project, "status", "--campaign", "x").err
    answer = call(project, "status", "--campaign", "x", "--debug")
    assert "Traceback" in answer.err
    assert answer.err.splitlines()[-1].startswith("There is no campaign 'x'")


def test_a_fault_of_ours_is_one_paragraph_as_well(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen exception says its name and asks for --debug; the exit code is 2."""
    monkeypatch.chdir(project)
    monkeypatch.setattr("autoctrl.cli.status.read_standing", lambda *_, **__: 1 / 0)
    assert main(["status"]) == 2
    text = capsys.readouterr().err
    assert (
        "unexpected error: ZeroDivisionError: division by zero. Run the same command with --debug"
        in text
    )
    assert text.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    """`autoctrl … | head -1` is quiet, and its exit code is that of a closed pipe, not of a failed
    task.
    """
    call(project, "runs", "add", "1-3000", "--set", "kind=physics")
    line = (
        f"{{ {sys.executable} -m autoctrl.cli runs list --limit 3000; echo $? >code; }} | head -1"
    )
    done = subprocess.run(  # noqa: S602
        line, shell=True, cwd=project, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("RUN")
    assert done.stderr == ""
    assert (project / "code").read_text() == "141\n"


def test_help_is_a_verb_for_those_who_expect_one(project: Path) -> None:
    """`autoctrl help` is `autoctrl --help`, `autoctrl help why` is `autoctrl why --help`."""
    assert call(project, "help").out == call(project, "--help").out
    assert call(project, "help", "why").out == call(project, "why", "--help").out


def test_a_letter_that_the_terminal_does_not_have_stops_no_verb(project: Path) -> None:
    """Where the output takes only ASCII, other letters are escaped."""
    call(project, "runs", "add", "1", "--set", "kind=physics")
    call(project, "cycle")
    call(project, "skip", "1", "plots", "--reason", "Umbau am Gerät")
    answer = call(project, "status", PYTHONIOENCODING="ascii")
    assert (answer.code, answer.err) == (0, "")
    assert r"Umbau am Ger\xe4t" in answer.out


def test_status_of_many_runs_shows_the_newest_and_says_so(project: Path) -> None:
    """Text shows the newest 50 unless more are asked for; JSON and CSV are whole."""
    call(project, "runs", "add", "1-60")
    answer = call(project, "status")
    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines[1:51]] == [str(run) for run in range(11, 61)]
    assert "The newest 50 of 60 runs; see more with --limit 60." in lines
    assert len(json.loads(call(project, "status", "--format", "json").out)["runs"]) == 60
    assert len(call(project, "status", "--format", "csv").out.splitlines()) == 61


def test_a_terminal_gets_colour_and_a_pipe_does_not(project: Path) -> None:
    """Statuses are coloured on a terminal that has colour, and plain with NO_COLOR, on a dumb one
    and in a pipe.
    """
    call(project, "runs", "add", "1-3", "--set", "kind=physics", "--set", "fill=7")
    call(project, "loop", "--until-idle")
    shown = in_terminal(project, "status")
    assert "\x1b[32mdone" in shown
    assert "\x1b[1;31mfailed" in shown
    assert "\x1b" not in in_terminal(project, "status", NO_COLOR="1")
    assert "\x1b" not in in_terminal(project, "status", TERM="dumb")
    assert "\x1b" not in call(project, "status").out


def test_nothing_is_cut_on_a_narrow_terminal(project: Path) -> None:
    """Long words are folded, so that every letter of a reason can be read."""
    call(project, "runs", "add", "1", "--set", "kind=physics")
    call(project, "cycle")
    call(
        project,
        "pause",
        "plots",
        "--reason",
        "a reason that is long enough to be cut by a careless table",
    )
    call(project, "cycle")
    shown = in_terminal(project, "status", COLUMNS="40")
    assert "careless" in shown
    assert "…" not in shown


def test_loop_shows_progress_on_a_terminal(project: Path) -> None:
    """A live table counts what is done, processing, new and failed, and names failures; elsewhere a
    line per change.
    """
    call(project, "runs", "add", "1-3", "--set", "kind=physics")
    shown = in_terminal(project, "loop", "--until-idle")
    assert "PROCESSING" in shown
    assert "elapsed" in shown
    assert "failed: run 3 / reco" in shown
    call(project, "runs", "add", "4", "--set", "kind=physics")
    lines = call(project, "loop", "--until-idle").out.splitlines()
    assert any(line.endswith("reco: 1 born, 1 started (0 new, 1 processing)") for line in lines), (
        lines
    )
    assert lines[-1].startswith("Idle: 2 done, 0 failed in this loop")


@pytest.fixture
def _hears_ctrl_c() -> Iterator[None]:
    """Undo what a shell does to its background jobs, of which these tests may be one: they ignore
    Ctrl-C.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_ctrl_c")
def test_an_interrupted_loop_ends_quietly(project: Path) -> None:
    """Ctrl-C ends a loop with 130, no traceback and a word about the jobs; another loop can begin
    at once.
    """
    command = [sys.executable, "-m", "autoctrl.cli", "loop", "--every", "1h"]
    call(project, "runs", "add", "1", "--set", "kind=physics")
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "reco" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=TERMINAL_S)
    assert process.returncode == 130
    assert errors.strip().startswith("Interrupted. Jobs that were submitted go on;")
    assert call(project, "loop", "--until-idle").code == 0


def test_a_broken_workflow_gives_exit_code_2_and_the_others_go_on(project: Path) -> None:
    """A module that cannot be loaded is named on stderr; the other workflows do their work."""
    (project / "workflows" / "broken").mkdir()
    (project / "workflows" / "broken" / "handler.py").write_text("import nothing_of_this_name\n")
    call(project, "runs", "add", "1", "--set", "kind=physics")
    answer = call(project, "cycle")
    assert answer.code == 2
    assert "nothing_of_this_name" in answer.err
    assert "reco: 1 born" in answer.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(tmp_path: Path, shell: str) -> None:
    """Each shell gets its script from the command itself."""
    answer = call(tmp_path, _AUTOCTRL_COMPLETE=f"{shell}_source")
    assert answer.code == 0
    assert "_AUTOCTRL_COMPLETE" in answer.out


def test_completion_knows_verbs_workflows_and_campaigns(project: Path) -> None:
    """The shell is offered verbs, and names from the project's store; outside a project nothing,
    and no error.
    """
    call(project, "cycle")

    def offered(folder: Path, line: str) -> list[str]:
        words = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - (not line.endswith(" "))),
        }
        answer = call(folder, _AUTOCTRL_COMPLETE="bash_complete", **words)
        assert answer.err == ""
        return [word.partition(",")[2] for word in answer.out.split()]

    assert offered(project, "autoctrl re") == ["retry", "reprocess", "resume"]
    assert offered(project, "autoctrl why 1 re") == ["reco"]
    assert offered(project, "autoctrl status --campaign pr") == ["prompt"]
    assert offered(project.parent, "autoctrl why 1 re") == []


def test_an_overview_of_the_idle_cycle_imports_nothing_heavy(project: Path) -> None:
    """Neither the tables' library nor the science packages are imported by a cycle with nothing to
    do.
    """
    script = (
        "import sys; from autoctrl.cli import main; code = main(['cycle']); "
        "print([name for name in ('rich', 'numpy', 'uproot', 'awkward', 'jinja2', "
        "'starlette') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
