"""What a cycle could not do is shown wherever people look, until it can be done again."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from autoctrl.compose import open_project
from autoctrl.ports import Heartbeat
from autoctrl.stores import open_store
from autoctrl.web import create_app
from tests.acceptance.conditions import CLEAN, STATE, append, conditions, make_processed
from tests.acceptance.project import ask

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.ports import Record

TABLE = """
[sources.table]
type = "table"
path = "runs.csv"
"""
POOL = """
[executors.pool]
type = "local"
[workflows.reco]
executor = "{name}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a run that was processed."""
    return make_processed(tmp_path)


def test_a_module_that_cannot_be_loaded_is_seen_everywhere(project: Path) -> None:
    """Status, why, doctor and health name the line; once it is repaired nobody does any more."""
    path = project / "workflows/reco/handler.py"
    whole = path.read_text()
    append(path, "handler = BatchHandler(\n")
    assert ask(project, "runs", "add", "2", "--set", "kind=physics").code == 0
    assert ask(project, "cycle").code == 2
    status = ask(project, "status").out
    assert status.startswith("! module reco, since ")
    assert "'(' was never closed (handler.py, line " in status.splitlines()[0]
    (found,) = conditions(project)
    assert (found["kind"], found["about"]) == ("module", "reco")
    assert conditions(project, "status") == conditions(project, "why 2 reco") == [found]
    why = ask(project, "why", "2", "reco").out
    assert "has not looked at the newest runs yet; it cannot" in why
    assert "module reco, since " in why
    assert conditions(project, "why 1 plots") == []
    health = ask(project, "health")
    assert (health.code, "never closed" in health.out) == (1, True)
    doctor = ask(project, "doctor")
    assert (doctor.code, "never closed" in doctor.out) == (2, True)
    path.write_text(whole)
    assert ask(project, "cycle").code == 0
    assert ask(project, "health").out == CLEAN
    assert "module reco" not in ask(project, "status").out
    assert "workflow modules  ok" in ask(project, "doctor").out


def test_a_workflow_that_never_loaded_is_not_unknown(project: Path) -> None:
    """Why says what is wrong with its module instead of naming another workflow."""
    path = project / "workflows/fits/handler.py"
    path.parent.mkdir()
    path.write_text("import nothing_of_this_name\n")
    assert ask(project, "cycle").code == 2
    why = ask(project, "why", "1", "fits")
    assert why.code == 2
    assert "Workflow 'fits' has not made a cycle yet" in why.err
    assert "nothing_of_this_name" in why.err
    path.unlink()
    assert ask(project, "cycle").code == 0
    assert ask(project, "health").out == CLEAN


def test_a_run_table_that_is_gone_fails_the_cycle(project: Path) -> None:
    """Whoever calls cycles sees red, and the table is named until it is back."""
    append(project / "autoctrl.toml", TABLE)
    table = project / "runs.csv"
    table.write_text("run,kind\n5,physics\n")
    assert ask(project, "cycle").code == 0
    table.rename(project / "runs.off")
    said = ask(project, "cycle")
    assert (said.code, "runs.csv cannot be read" in said.err) == (2, True)
    (found,) = conditions(project)
    assert (found["kind"], found["about"]) == ("source", "table")
    (project / "runs.off").rename(table)
    ask(project, "cycle")
    assert conditions(project) == []


def test_a_source_whose_table_makes_no_sense_is_named(project: Path) -> None:
    """The others are asked and the workflows do their work; the doctor says the same."""
    append(project / "autoctrl.toml", TABLE + '[sources.odd]\ntype = "files"\npattern = "x"\n')
    (project / "runs.csv").write_text("run,kind\n5,physics\n")
    said = ask(project, "cycle")
    assert (said.code, "reco: 1 born" in said.out) == (2, True)
    (found,) = conditions(project)
    assert (found["kind"], found["about"]) == ("source", "odd")
    assert "source odd" in ask(project, "doctor").out
    settings = (project / "autoctrl.toml").read_text()
    (project / "autoctrl.toml").write_text(settings.partition("[sources.odd]")[0])
    assert ask(project, "cycle").code == 0
    assert conditions(project) == []


def test_a_source_that_is_not_asked_any_more_has_no_condition(project: Path) -> None:
    """What was taken out of the settings cannot be repaired."""
    settings = project / "autoctrl.toml"
    whole = settings.read_text()
    append(settings, TABLE)
    assert ask(project, "cycle").code == 2
    assert len(conditions(project)) == 1
    settings.write_text(whole)
    ask(project, "cycle")
    assert conditions(project) == []


def test_an_executor_that_cannot_be_asked_is_named(project: Path) -> None:
    """Its jobs are left alone; once it answers again, the condition is over."""
    settings = project / "autoctrl.toml"
    whole = settings.read_text()
    append(settings, POOL.format(name="pool"))
    (project / "workflows/reco/job.py").write_text("import time\ntime.sleep(600)\n")
    assert ask(project, "runs", "add", "2", "--set", "kind=physics").code == 0
    assert ask(project, "cycle").code == 0
    settings.write_text(whole)
    said = ask(project, "cycle")
    assert "executor pool" in said.out
    (found,) = conditions(project)
    assert (found["kind"], found["about"]) == ("executor", "pool")
    settings.write_text(whole + POOL.format(name="pool"))
    ask(project, "cycle")
    assert conditions(project) == []
    assert ask(project, "fail", "2", "reco", "--reason", "enough").code == 0
    ask(project, "loop", "--until-idle")


def test_a_disk_that_is_short_is_named(project: Path) -> None:
    """By the cycle and by the doctor, with how much is left."""
    append(project / "autoctrl.toml", "\n[cycle]\nleast_free_mb = 1000000000\n")
    assert ask(project, "cycle").code == 0
    assert {one["about"] for one in conditions(project)} == {"state", "outputs"}
    doctor = ask(project, "doctor")
    assert (doctor.code, "MB left, less than 1000000000 MB" in doctor.out) == (2, True)
    assert ask(project, "cycle", AUTOCTRL_CYCLE_LEAST_FREE_MB="1").code == 0
    assert conditions(project) == []


def test_a_paused_workflow_is_seen_without_a_task_that_waits(project: Path) -> None:
    """Who paused it, why, and how it goes on."""
    assert ask(project, "pause", "reco", "--reason", "HV trip").code == 0
    status = ask(project, "status").out
    assert status.startswith("! pause reco, since ")
    assert ": HV trip" in status.splitlines()[0]
    assert "autoctrl resume reco" in status.splitlines()[1]
    assert ask(project, "resume", "reco").code == 0
    assert ask(project, "health").out == CLEAN


def test_the_doctor_does_not_pass_a_module_that_hangs(project: Path) -> None:
    """Nor do its words differ from those of a cycle."""
    append(project / "autoctrl.toml", "\n[cycle]\nmodule_limit_s = 1\n")
    append(project / "workflows/plots/handler.py", "import time\ntime.sleep(600)\n")
    doctor = ask(project, "doctor")
    assert (doctor.code, "gave no sign of life" in doctor.out) == (2, True)


def test_what_cannot_be_kept_does_not_cost_the_round(project: Path) -> None:
    """A module whose trouble is no text is named all the same, and the others do their work."""
    assert ask(project, "runs", "add", "2", "--set", "kind=physics").code == 0
    append(project / "workflows/plots/handler.py", "raise RuntimeError('a\\udcffb')\n")
    said = ask(project, "cycle")
    assert said.code == 2
    assert "reco: 1 born" in said.out
    (found,) = conditions(project)
    assert "a\\udcffb" in found["reason"]


def test_a_name_that_is_declared_twice_is_a_condition(project: Path) -> None:
    """Of the module that was left out."""
    (project / "workflows/second").mkdir()
    second = project / "workflows/second/handler.py"
    second.write_text((project / "workflows/reco/handler.py").read_text())
    assert ask(project, "cycle").code == 2
    (found,) = conditions(project)
    assert (found["about"], "already declared" in found["reason"]) == ("second", True)


THREE_HOURS = timedelta(hours=3)


def let_the_loop_be_dead(folder: Path) -> None:
    """Let the last cycle have been three hours ago."""
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        made = Heartbeat("prompt", datetime.now(UTC) - THREE_HOURS, "node7:4711:123:456")
        store.beat(made)


def read_store(folder: Path) -> tuple[list[Record], Heartbeat]:
    """Return all records of the project's store, and the heartbeat of its campaign."""
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        return list(store.records()), store.heartbeats()["prompt"]


def test_an_idle_cycle_is_remembered_once_a_minute(project: Path) -> None:
    """It writes no record, and a second one within the minute does not touch the file."""
    records, _ = read_store(project)
    let_the_loop_be_dead(project)
    assert ask(project, "cycle").code == 0
    after, heartbeat = read_store(project)
    assert after == records
    assert datetime.now(UTC) - heartbeat.time < THREE_HOURS
    content = (project / STATE).read_bytes()
    assert ask(project, "cycle").code == 0
    assert read_store(project) == (records, heartbeat)
    assert (project / STATE).read_bytes() == content


def test_a_cycle_that_could_not_work_is_one(project: Path) -> None:
    """What it could not do is named, and nobody says that there was none."""
    append(project / "workflows/reco/handler.py", "handler = BatchHandler(\n")
    let_the_loop_be_dead(project)
    assert {one["kind"] for one in conditions(project)} == {"cycles"}
    assert ask(project, "cycle").code == 2
    assert {one["kind"] for one in conditions(project)} == {"module"}


def test_a_dead_loop_and_a_quiet_night_look_different(project: Path) -> None:
    """On the command line, for machines and on the page: one idle cycle makes the difference."""
    let_the_loop_be_dead(project)
    health = ask(project, "health")
    assert health.code == 1
    assert "nobody has made a cycle; the last was made by process 4711 on node7" in health.out
    assert ask(project, "status").out.startswith("! cycles prompt, since ")
    assert ask(project, "health", AUTOCTRL_CYCLE_SILENT_AFTER_S="0").out == CLEAN
    browser = TestClient(create_app(open_project(project)), base_url="http://127.0.0.1")
    assert browser.get("/health").status_code == 200
    dead = browser.get("/health?max_age_s=7200")
    assert (dead.status_code, dead.json()["cycle_by"]) == (503, "process 4711 on node7")
    assert "last cycle 3 h ago by process 4711 on node7" in browser.get("/campaigns/prompt").text
    assert ask(project, "cycle").code == 0
    assert ask(project, "health").out == CLEAN
    assert browser.get("/health?max_age_s=7200").json()["status"] == "ok"
