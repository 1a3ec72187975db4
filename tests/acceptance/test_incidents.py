"""One message for one trouble: what people are told of failures, and what they can do about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.project import LIMIT_S, ask, environment, make_project

if TYPE_CHECKING:
    from pathlib import Path

FAILING = """
#!/usr/bin/env python3
import sys
from autoctrl import inline

@inline("strict")
def handler(task):
    raise ValueError(f"run {task.unit} has no pedestal in /data/{task.unit}")

if __name__ == "__main__":
    sys.exit(handler())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a workflow that fails for every run."""
    folder = make_project(tmp_path)
    path = folder / "workflows" / "strict" / "handler.py"
    path.parent.mkdir()
    path.write_text(FAILING.lstrip())
    path.chmod(0o755)
    return folder


def alerts(folder: Path) -> list[str]:
    """Return what people were told, without the time."""
    path = folder / ".autoctrl" / "alerts.log"
    return [line.partition(" ")[2] for line in path.read_text().splitlines()]


def incidents(folder: Path, *options: str) -> list[dict[str, Any]]:
    said = ask(folder, "incidents", "list", "--format", "json", *options)
    found: list[dict[str, Any]] = json.loads(said.out)["incidents"]
    assert said.code == int(any(one["closed"] is None for one in found))
    return found


def test_three_hundred_failures_are_one_message(project: Path) -> None:
    """A single cycle tells at its end; the same trouble later changes the message and is no new
    one.
    """
    assert ask(project, "runs", "add", "1-300").code == 0
    said = ask(project, "cycle", "--workflow", "strict")
    assert (said.code, said.out.count("failed: runs 1-300 / strict: ")) == (1, 1)
    assert said.out.count("failed:") == 1
    (line,) = alerts(project)
    assert line.startswith("alarm [strict]: runs 1-300 permanently marked as failed. ")
    assert "reason: job 0.1 failed (user code): ValueError: run 1 has no pedestal" in line
    (found,) = incidents(project)
    assert (found["workflow"], found["struck"], len(found["units"])) == ("strict", 300, 300)
    assert ask(project, "runs", "add", "301").code == 0
    assert ask(project, "cycle", "--workflow", "strict").code == 1
    assert len(alerts(project)) == 1
    assert incidents(project)[0]["struck"] == 301


def test_a_handler_script_tells_as_well(project: Path) -> None:
    """It is how experiments call it: one workflow, once."""
    assert ask(project, "runs", "add", "7").code == 0
    assert ask(project, "cycle", "--workflow", "strict").code == 1
    assert [line.split(".")[0] for line in alerts(project)] == [
        "alarm [strict]: run 7 permanently marked as failed"
    ]


def test_an_incident_is_shown_acknowledged_muted_and_closed(project: Path) -> None:
    """By the beginning of its id, with a reason; the list says how it stands."""
    assert ask(project, "incidents", "list").out == "There is no incident.\n"
    ask(project, "runs", "add", "1-3")
    assert ask(project, "loop", "--until-idle").code == 1
    (found,) = incidents(project)
    name = found["id"][:4]
    assert ask(project, "incidents", "ack", name, "--reason", "I look").code == 0
    shown = ask(project, "incidents", "show", name).out
    assert "units         1-3\n" in shown
    assert "acknowledged  by " in shown
    muted = ask(project, "incidents", "mute", name, "--for", "2h", "--reason", "access")
    assert (muted.code, muted.out) == (0, f"Incident {found['id']} is muted.\n")
    listed = ask(project, "incidents", "list")
    assert listed.code == 1
    assert f"{found['id']}  strict    muted" in listed.out
    assert ask(project, "incidents", "close", name, "--reason", "of no use").code == 0
    assert ask(project, "incidents", "list").code == 0
    (closed,) = incidents(project, "--all")
    assert closed["ended_by"]["reason"] == "of no use"
    again = ask(project, "incidents", "ack", name, "--reason", "too late")
    assert (again.code, "is over since" in again.err) == (2, True)
    assert ask(project, "incidents", "close", name).code == 2, "a reason is needed"
    assert "no incident 'xyz'" in ask(project, "incidents", "show", "xyz").err


def test_an_incident_is_over_when_its_tasks_are_well(project: Path) -> None:
    """Whoever skips or repairs them closes it."""
    ask(project, "runs", "add", "1-2")
    ask(project, "cycle", "--workflow", "strict")
    assert ask(project, "skip", "1-2", "strict", "--reason", "no beam").code == 0
    assert ask(project, "cycle").code == 0
    assert incidents(project) == []
    (over,) = incidents(project, "--all")
    assert (over["units"], over["struck"]) == ([], 2)


SLOW = """
import time
from pathlib import Path
from autoctrl import inline

@inline("strict")
def handler(task):
    Path(f"begun{task.unit}").touch()
    while task.unit == "2" and not Path("go").exists():
        time.sleep(0.02)
    raise ValueError("no pedestal")
"""


def test_nobody_waits_for_a_cycle_that_is_at_work(project: Path) -> None:
    """While a function holds up its workflow, what a person says of its incident is kept; and what
    the cycle finds afterwards joins it.
    """
    (project / "workflows/strict/handler.py").write_text(SLOW)
    ask(project, "runs", "add", "1")
    assert ask(project, "cycle", "--workflow", "strict").code == 1
    ask(project, "runs", "add", "2")
    command = [sys.executable, "-m", "autoctrl.cli", "cycle", "--workflow", "strict"]
    with subprocess.Popen(command, cwd=project, env=environment(project)) as cycle:
        wait_for(project / "begun2")
        name = incidents(project)[0]["id"]
        assert ask(project, "incidents", "ack", name, "--reason", "I look").code == 0
        assert cycle.poll() is None
        (project / "go").touch()
    assert cycle.returncode == 1
    (found,) = incidents(project)
    assert (found["units"], found["acked"]["reason"]) == (["1", "2"], "I look")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_condition_is_told_as_well(project: Path) -> None:
    """A module that cannot be loaded, once; and that it is over is known."""
    path = project / "workflows/strict/handler.py"
    whole = path.read_text()
    path.write_text(whole + "handler = (\n")
    assert ask(project, "cycle").code == 2
    assert ask(project, "cycle").code == 2
    (line,) = alerts(project)
    assert line.startswith("alarm module strict: ")
    assert "never closed" in line
    path.write_text(whole)
    assert ask(project, "cycle").code == 0
    assert [(one["kind"], one["closed"] is None) for one in incidents(project, "--all")] == [
        ("module", False)
    ]


def test_a_notifier_can_be_tried(project: Path) -> None:
    """The message arrives, or the reason why it cannot is said; doctor asks each by its name."""
    assert ask(project, "notify", "test", "log").out == "log was told.\n"
    assert "nothing is wrong" in alerts(project)[0]
    assert "notifier log" in ask(project, "doctor").out
    unknown = ask(project, "notify", "test", "lag")
    assert (unknown.code, "Did you mean 'log'?" in unknown.err) == (2, True)
    path = project / ".autoctrl" / "alerts.log"
    path.unlink()
    path.mkdir()
    broken = ask(project, "notify", "test", "log")
    assert (broken.code, "cannot be written" in broken.err) == (2, True)


def test_a_notifier_that_cannot_tell_is_a_condition(project: Path) -> None:
    """A real cycle finds it, `health` lists it, the other notifier is told of it; it ends when the
    notifier works, and nothing was missed.
    """
    settings = project / "autoctrl.toml"
    names = ("shift", "desk")
    tables = [f'[notifiers.{name}]\ntype = "log"\npath = "{name}/told"\n' for name in names]
    settings.write_text(settings.read_text() + "".join(tables))
    (project / "shift").write_text("a file where a folder should be")
    ask(project, "runs", "add", "1")
    assert ask(project, "cycle", "--workflow", "strict").code == 1
    health = ask(project, "health")
    assert (health.code, "notifier  shift" in health.out) == (1, True)
    assert "The file shift/told for alerts cannot be written" in health.out
    assert ask(project, "cycle").code == 0
    first, second = (project / "desk" / "told").read_text().splitlines()
    assert "alarm [strict]: run 1 permanently" in first
    assert "alarm notifier shift: " in second
    (project / "shift").unlink()
    assert ask(project, "notify", "test", "shift").code == 0
