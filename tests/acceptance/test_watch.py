"""People are told although nobody makes cycles: what `autoctrl watch` finds, tells and ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.stores import open_store
from tests.acceptance.project import LIMIT_S, Said, ask, environment, make_project
from tests.fakes.jenkins import Jenkins

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.ports import Record

STATE = ".autoctrl/state.sqlite"
STAND_IN = ".autoctrl/watch.sqlite"
NOTIFIER = """
[notifiers.shift]
type = "command"
argv = "{python} tell.py"
"""
TELL = """
import json, sys
said = json.load(sys.stdin)
with open("told.txt", "a") as file:
    print(said["do"], said["severity"], said["is_over"], said["title"], file=file)
"""
JENKINS = """
[jenkins]
url = "{url}"
user = "robot"
token_file = "token"
"""
SILENT = {"AUTOCTRL_CYCLE_SILENT_AFTER_S": "0.001"}
FULL = {"AUTOCTRL_CYCLE_LEAST_FREE_MB": "1000000000"}
CLEAN = (0, "Nothing is known to be wrong.\n", "")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose run is done, and which tells a program."""
    folder = make_project(tmp_path)
    settings = folder / "autoctrl.toml"
    settings.write_text(settings.read_text() + NOTIFIER.format(python=sys.executable))
    (folder / "tell.py").write_text(TELL)
    assert ask(folder, "runs", "add", "1", "--set", "kind=physics").code == 0
    assert ask(folder, "loop", "--until-idle").code == 0
    assert ask(folder, "watch") == CLEAN
    return folder


def told(folder: Path) -> list[str]:
    """Return what people were told: what was done, how severe, whether it is over, and the title
    up to its first colon.
    """
    path = folder / "told.txt"
    return [line.partition(":")[0] for line in path.read_text().splitlines()]


def records_of(folder: Path) -> list[Record]:
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        return list(store.records())


def conditions(said: Said) -> list[str]:
    found: dict[str, Any] = json.loads(said.out)
    return [f"{one['kind']} {one['about']}" for one in found["conditions"]]


def let_an_hour_pass(folder: Path, state: str = STATE) -> None:
    """Let what was told be old, for whoever tells next."""
    with closing(open_store(f"sqlite:{folder / state}")) as store:
        for mark in store.marks("outbox"):
            about = {
                name: {**one, "at": one["at"].replace(year=2020)}
                for name, one in mark.values["told"].items()
            }
            values = {**mark.values, "told": about}
            store.append([mark._replace(values=values, sequence=mark.sequence + 1)])


def test_a_dead_loop_is_told_once(project: Path) -> None:
    """Killed at any moment; a second watch is silent and writes nothing, and the next cycle ends it
    and says so.
    """
    command = [sys.executable, "-m", "autoctrl.cli", "loop", "--every", "0.05s"]
    with subprocess.Popen(command, cwd=project, env=environment(project)) as loop:
        deadline = time.monotonic() + LIMIT_S
        while not is_looping(project, loop.pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        loop.send_signal(signal.SIGKILL)
    said = ask(project, "watch", "--format", "json", **SILENT)
    assert (said.code, conditions(said)) == (1, ["cycles prompt"])
    assert told(project) == ["tell alarm False cycles prompt"]
    before = records_of(project)
    again = ask(project, "watch", **SILENT)
    assert (again.code, "nobody has made a cycle" in again.out) == (1, True)
    assert (told(project), records_of(project)) == (["tell alarm False cycles prompt"], before)
    let_an_hour_pass(project)
    assert ask(project, "cycle").code == 0
    assert told(project)[1:] == ["change alarm True cycles prompt is over"]
    assert ask(project, "watch") == CLEAN


def is_looping(folder: Path, pid: int) -> bool:
    with closing(open_store(f"sqlite:{folder / STATE}")) as store:
        return store.leases()["loop/prompt"].owner.split(":")[1] == str(pid)


def test_a_watch_that_finds_nothing_writes_nothing(project: Path) -> None:
    """Not a byte, however often it looks."""
    content = (project / STATE).read_bytes()
    for _ in range(2):
        assert ask(project, "watch") == CLEAN
    assert (project / STATE).read_bytes() == content
    assert not (project / "told.txt").exists()


def test_what_a_watch_finds_rounds_do_not_end(project: Path) -> None:
    """Nor does it end what they have found: each for itself, and people are told once."""
    said = ask(project, "watch", "--format", "json", **FULL)
    assert (said.code, conditions(said)) == (1, ["disk outputs", "disk state"])
    assert len(told(project)) == 2
    assert ask(project, "cycle").code == 0
    assert conditions(ask(project, "health", "--format", "json")) == conditions(said)
    assert ask(project, "cycle", **FULL).code == 0
    assert ask(project, "watch").code == 1, "the cycle had no room"
    assert conditions(ask(project, "health", "--format", "json")) == conditions(said)
    assert ask(project, "cycle").code == 0
    assert ask(project, "watch") == CLEAN
    assert len(told(project)) == 2


def test_a_task_in_trouble_is_no_peace(project: Path) -> None:
    """It is listed, and the code is 1 until it is well; one that nothing else has told is told."""
    assert ask(project, "runs", "add", "3", "--set", "kind=physics").code == 0
    assert ask(project, "loop", "--until-idle").code == 1
    said = ask(project, "watch")
    assert (said.code, "[reco]: run 3 permanently marked as failed" in said.out) == (1, True)
    found = json.loads(ask(project, "watch", "--format", "json").out)
    assert [one["workflow"] for one in found["incidents"]] == ["reco"]
    assert told(project) == ["tell alarm False [reco]"]
    for workflow in ("reco", "plots"):
        assert ask(project, "skip", "3", workflow, "--reason", "off").code == 0
    assert ask(project, "watch") == CLEAN


def test_a_store_that_does_not_answer_is_told_once(project: Path) -> None:
    """By a watch, which cannot keep it there: that it is back is told, too."""
    store, kept = project / STATE, project / "kept"
    store.rename(kept)
    store.write_text("this is no database, " * 100)
    for _ in range(2):
        said = ask(project, "watch")
        assert (said.code, "is not an SQLite database" in said.err) == (2, True)
    (line,) = told(project)
    assert line == "tell alarm False store sqlite"
    kept.rename(store)
    let_an_hour_pass(project, STAND_IN)
    assert ask(project, "watch") == CLEAN
    assert told(project)[1:] == ["change alarm True store sqlite"]
    let_a_day_pass(project, STAND_IN)
    assert ask(project, "watch") == CLEAN
    assert len(told(project)) == 2
    assert not (project / STAND_IN).exists(), "nobody needs it any more"


def let_a_day_pass(folder: Path, state: str) -> None:
    """Let what is over have been over for long."""
    with closing(open_store(f"sqlite:{folder / state}")) as store:
        (mark,) = store.marks("incidents")
        (incident,) = mark.values["incidents"]
        old = {**incident, "closed": incident["closed"].replace(year=2020)}
        values = {"incidents": [old]}
        store.append([mark._replace(values=values, sequence=mark.sequence + 1)])


def test_a_node_of_jenkins_that_is_offline_is_told(project: Path) -> None:
    """With the reason that Jenkins gives, once, until it is back; that Jenkins cannot be asked ends
    nothing.
    """
    with Jenkins() as server:
        (project / "token").write_text(server.add_user("robot").token)
        settings = project / "autoctrl.toml"
        settings.write_text(settings.read_text() + JENKINS.format(url=server.url))
        for name, label in (("pit7", "autoctrl"), ("pit8", "autoctrl"), ("office", "windows")):
            server.add_node(name, [label])
            server.take_offline(name, f"{name} is lost")
        away = ["node pit7", "node pit8"]
        for _ in range(2):
            said = ask(project, "watch", "--format", "json")
            assert (said.code, conditions(said)) == (1, away)
        assert told(project) == [f"tell alarm False {one}" for one in away]
        assert "pit7 is lost" in ask(project, "health").out
        server.stop()
        assert conditions(ask(project, "watch", "--format", "json")) == [*away, "node Jenkins"]
        server.start()
        for name in ("pit7", "pit8"):
            server.bring_online(name)
        let_an_hour_pass(project)
        assert ask(project, "watch") == CLEAN
    over = {f"change alarm True {one} is over" for one in ("node Jenkins", *away)}
    assert set(told(project)[3:]) == over
