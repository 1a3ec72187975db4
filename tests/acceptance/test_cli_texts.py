"""What the command line says: campaigns, what to call next, tables, shared reasons."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.project import ask, make_project
from tests.acceptance.terminal import in_terminal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def test_a_closed_campaign_says_so(project: Path) -> None:
    """An overview and a plan of a closed campaign say that nothing starts in it, and how to open it
    again.
    """
    ask(project, "campaign", "close", "prompt")
    ask(project, "runs", "add", "1", "--set", "kind=physics")
    for verb in ("status", "plan"):
        assert (
            "Campaign prompt is closed; nothing starts in it any more. Open it again:"
            in ask(project, verb).out
        )
    assert ask(project, "status", "--format", "csv").out.count("\n") == 2


def test_what_to_call_next_means_the_same_campaign_and_project(
    project: Path, tmp_path: Path
) -> None:
    """A hint carries the options that the call had."""
    answer = ask(tmp_path, "loop", "--until-idle", "--project", str(project))
    assert answer.out.splitlines()[-1].endswith(f"See: autoctrl status --project {project}")
    ask(project, "runs", "add", "1", "--set", "kind=physics")
    ask(project, "campaign", "create", "again", "--workflows", "reco")
    answer = ask(project, "outputs", "--campaign", "again")
    assert answer.out == "No outputs yet. See: autoctrl status --campaign again\n"


def test_a_project_without_anything_says_what_to_do_first(tmp_path: Path) -> None:
    """Make a workflow, then add runs; only then is it true that all is done."""
    (tmp_path / "autoctrl.toml").write_text("")
    assert "autoctrl new-workflow NAME" in ask(tmp_path, "plan").out
    folder = tmp_path / "workflows" / "good"
    folder.mkdir(parents=True)
    (folder / "handler.py").write_text(
        'from autoctrl import InlineHandler\nhandler = InlineHandler("good", lambda task: None)\n'
    )
    assert "autoctrl runs add 1-5" in ask(tmp_path, "plan").out


def test_names_and_times_stay_whole_while_the_last_column_has_room(project: Path) -> None:
    """On a narrow terminal the last column of a table is folded before any other."""
    ask(project, "runs", "add", "1", "--set", "kind=physics")
    ask(project, "loop", "--until-idle")
    shown = in_terminal(project, "history", "1", "reco", COLUMNS="84")
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown)) > 5


def test_what_many_tasks_share_is_said_once(project: Path) -> None:
    """A verb over many runs says a line per task while they are few, and one for all that are alike
    when many.
    """
    ask(project, "runs", "add", "1-9", "--set", "kind=physics")
    ask(project, "cycle")
    answer = ask(project, "skip", "1-6,8,20-30", "plots", "--reason", "no beam")
    assert answer.out == "runs 1-6,8 / plots went from new to skipped.\n"
    assert answer.err == "runs 20-30: the run has no task in plots: it is not registered.\n"
    answer = ask(project, "retry", "1-2", "plots", "--reason", "beam")
    assert answer.out.splitlines() == [
        f"run {run} / plots went from skipped to new." for run in (1, 2)
    ]
