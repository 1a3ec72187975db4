"""Moving a history with the real command: what arrives, what a kill leaves, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.model.campaign import PROMPT
from autoctrl.model.output import MarkRecord
from autoctrl.model.status import TaskStatus
from autoctrl.stores.sqlite.store import SqliteStore
from tests.acceptance.project import ask, make_project
from tests.acceptance.terminal import in_terminal
from tests.contract.samples import NOW, finish, job, output, run, task
from tests.contract.stores import bucket_url, wait_until
from tests.proxy import Fault, Kind, Proxy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proxy import Request
    from tests.services import Influx

OLD = ".autoctrl/state.sqlite"
FROM = f"sqlite:{OLD}"
SERVERS = ("influxdb1", "influxdb2")
# Ways that a history may go: the stores that it passes, of each kind. A further kind joins by one
# line.
WAYS = {
    "sqlite": ("sqlite",),
    **{name: (name,) for name in SERVERS},
    " to ".join(SERVERS): SERVERS,
}
QUESTIONS = (
    "status --format json",
    "runs list --format json",
    "history 1 reco --format json",
    "history 3 reco --format json",
    "jobs 3 reco --format json",
    "provenance 2 plots --format json",
    "outputs --superseded --format json",
    "campaign list --format json",
    "plan --format json",
)
PATIENCE_S = 250
MANY = 20_000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project that has done something: done, failed and reprocessed tasks, groups, a second
    campaign.
    """
    folder = make_project(tmp_path_factory.mktemp("copy") / "project")
    for words in (
        "runs add 1-3 --set fill=7 --set kind=physics",
        "runs add 4 --set fill=8 --set kind=physics",
        "loop --until-idle",
        "reprocess 1 reco --downstream --reason better",
        "loop --until-idle",
        "campaign create again --workflows reco --runs 1-2",
        "pause reco --reason full",
    ):
        assert ask(folder, *words.split()).code < 2, words
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """Return that project, in a place of its own; as a copy it has a store of its own, which takes
    over the outputs.
    """
    folder: Path = shutil.copytree(finished, tmp_path / "project")
    with closing(SqliteStore(folder / OLD)) as store:
        (folder / "outputs/.store").write_text(store.store_id)
    return folder


def copy(folder: Path, source: str, target: str, *words: str) -> dict[str, Any]:
    """Copy a store and return the JSON that tells of it."""
    answer = ask(folder, "store", "copy", source, target, *words, "--format", "json")
    assert answer.code == 0, answer.err
    said: dict[str, Any] = json.loads(answer.out)
    return said


def refusal(folder: Path, source: str, target: str, *words: str) -> str:
    """Return why a copy was refused."""
    answer = ask(folder, "store", "copy", source, target, *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.count("\n") == 1, "one paragraph"
    return answer.err


def new_address(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of a new store of this kind."""
    if kind == "sqlite":
        return "sqlite:between/there.sqlite"
    (folder / kind).mkdir()
    server: Influx = request.getfixturevalue(kind)
    return bucket_url(server, server.fresh_bucket(), folder / kind)


def records(path: Path) -> list[Any]:
    with closing(SqliteStore(path)) as store:
        return list(store.records())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", WAYS)
def test_a_history_goes_there_and_back(
    project: Path, way: str, request: pytest.FixtureRequest
) -> None:
    """Through stores of any kind and back, it is the same record by record, and every verb gives
    the same answers.
    """
    before = records(project / OLD)
    stops = [
        FROM,
        *(new_address(kind, project, request) for kind in WAYS[way]),
        "sqlite:back.sqlite",
    ]
    said = [copy(project, source, target) for source, target in pairwise(stops)]
    assert records(project / "back.sqlite") == before == records(project / OLD)
    assert {one["digest"] for one in said} == {said[0]["digest"]}
    assert all(one["counts"] == said[0]["counts"] for one in said)
    assert all(sum(one["counts"].values()) == one["written"] == len(before) for one in said)
    assert len({said[0]["from"]["store_id"], *(one["to"]["store_id"] for one in said)}) == len(
        stops
    )
    for words in QUESTIONS:
        answers = {
            ask(project, *words.split(), AUTOCTRL_STORE_URL=url).out for url in (FROM, stops[-2])
        }
        assert len(answers) == 1, words
        assert json.loads(answers.pop()), words


def test_the_work_goes_on_in_the_new_store(project: Path) -> None:
    """Once the outputs are said to be the new store's, what is asked for is done there, and only
    that.
    """
    old = (project / "outputs/.store").read_text()
    said = ask(project, "store", "copy", FROM, "sqlite:new.sqlite").out.splitlines()
    assert said[-1].startswith(
        f"The outputs still belong to {old}: once that store is no longer used, write "
    )
    (project / "outputs/.store").write_text(said[-1].rpartition(", write ")[2].partition(" ")[0])
    variables = {"AUTOCTRL_STORE_URL": "sqlite:new.sqlite"}
    assert ask(project, "resume", "reco", "--reason", "moved", **variables).code == 0
    assert ask(project, "reprocess", "2", "reco", "--reason", "moved", **variables).code == 0
    ask(project, "loop", "--until-idle", "--workflow", "reco", **variables)
    runs = json.loads(ask(project, "status", "--format", "json", **variables).out)["runs"]
    stand = {
        row["run"]: (row["tasks"]["reco"]["status"], row["tasks"]["reco"]["version"])
        for row in runs
    }
    assert stand == {1: ("done", 2), 2: ("done", 2), 3: ("failed", 1), 4: ("done", 1)}


def test_saying_it_twice_changes_nothing(project: Path) -> None:
    """A copy that is there is compared again, and no record is written."""
    first, second = (copy(project, FROM, "sqlite:new.sqlite") for _ in range(2))
    assert (second["written"], second["present"]) == (0, first["written"])
    assert (second["digest"], second["to"]) == (first["digest"], first["to"])


def test_a_store_that_somebody_has_looked_at_is_still_empty(project: Path) -> None:
    """The campaign prompt, which every verb makes in the store that it opens, does not hinder."""
    assert ask(project, "doctor", AUTOCTRL_STORE_URL="sqlite:new.sqlite").code == 0
    assert len(records(project / "new.sqlite")) == 1
    assert copy(project, FROM, "sqlite:new.sqlite")["present"] == 1


@pytest.mark.parametrize("there", ["nothing", "an empty file", "a folder"])
def test_a_source_that_is_missing_is_not_made(project: Path, there: str) -> None:
    """Nothing comes to be at either address."""
    if there == "an empty file":
        (project / "old.sqlite").touch()
    elif there == "a folder":
        (project / "old.sqlite").mkdir()
    before = sorted(path.name for path in project.iterdir())
    assert refusal(project, "sqlite:old.sqlite", "sqlite:new.sqlite").startswith(
        "There is no store "
    )
    assert sorted(path.name for path in project.iterdir()) == before
    assert there != "an empty file" or (project / "old.sqlite").stat().st_size == 0


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        (FROM, FROM, "are the same store"),
        (FROM, "sqlite:link.sqlite", "are the same store"),
        (FROM, f"sqlite:workflows/../{OLD}", "are the same store"),
        (FROM, "memory:", "'memory:' ends with this command"),
        (FROM, "sqlit:new.sqlite", "Did you mean 'sqlite'?"),
        (FROM, "sqlite:", "names no file"),
        ("sqlite:", "sqlite:new.sqlite", "names no file"),
        ("sqlite:autoctrl.toml", "sqlite:new.sqlite", "is not an SQLite database"),
        (FROM, "sqlite:autoctrl.toml", "is not an SQLite database"),
    ],
)
def test_addresses_that_make_no_sense_are_refused(
    project: Path, source: str, target: str, text: str
) -> None:
    """One store under two names, stores that end with the command, files that are none: a sentence,
    and no new file.
    """
    (project / "link.sqlite").symlink_to(project / OLD)
    assert text in refusal(project, source, target)
    assert not (project / "new.sqlite").exists()
    assert (project / "autoctrl.toml").read_text().startswith("[runs.attributes]")


def test_a_store_with_a_history_of_its_own_is_left_alone(project: Path) -> None:
    """The record that does not belong is named, and nothing is written."""
    variables = {"AUTOCTRL_STORE_URL": "sqlite:other.sqlite"}
    assert ask(project, "runs", "add", "1", "--set", "fill=9", **variables).code == 0
    before = records(project / "other.sqlite")
    said = refusal(project, FROM, "sqlite:other.sqlite")
    assert (
        "sqlite:other.sqlite holds record 1 of run 1, which sqlite:.autoctrl/state.sqlite holds too"
    ) in said
    assert "differ in attributes, time" in said
    assert records(project / "other.sqlite") == before


@pytest.fixture
def busy(project: Path) -> Path:
    """Return the project with a job under way, as far as its store knows."""
    with closing(SqliteStore(project / OLD)) as store:
        first = task("99", "reco")
        going = first.moved(TaskStatus.PROCESSING, NOW)
        store.append([run(99), first, going, job(going, asked=NOW, handle="somewhere/else")])
    return project


def test_jobs_under_way_are_a_reason_to_wait(busy: Path) -> None:
    """Their names are said, and what becomes of them; the new store is not even made."""
    said = refusal(busy, FROM, "sqlite:new.sqlite")
    assert "has jobs under way: run 99 / reco v1 job 0.1. They carry its id" in said
    assert "--even-if-open" in said
    assert not (busy / "new.sqlite").exists()


def test_jobs_under_way_can_be_given_up(busy: Path) -> None:
    """With --even-if-open the copy is made, and the warning is printed beside it."""
    answer = ask(busy, "store", "copy", FROM, "sqlite:new.sqlite", "--even-if-open")
    assert answer.code == 0
    assert "both stores hold the same now" in answer.out
    assert "has jobs under way" in answer.err
    assert records(busy / "new.sqlite") == records(busy / OLD)
    assert "under way" in copy(busy, FROM, "sqlite:new.sqlite", "--even-if-open")["warnings"][0]


def test_a_terminal_shows_how_far_it_is(project: Path) -> None:
    """On a terminal the number of records is shown as it grows."""
    with closing(SqliteStore(project / "many.sqlite")) as store:
        store.append([run(number) for number in range(1, MANY)])
    assert "records" in in_terminal(
        project, "store", "copy", "sqlite:many.sqlite", "sqlite:new.sqlite"
    )
    assert records(project / "new.sqlite") == records(project / "many.sqlite")


def fill(path: Path, many: int = MANY) -> None:
    """Make a history of every kind that takes many batches."""
    with closing(SqliteStore(path)) as store:
        store.append([MarkRecord("campaign", PROMPT, PROMPT, {}, NOW)])
        store.append([run(number) for number in range(1, many // 4)])
        for number in range(3):
            done = finish(store, task(str(number + 1)))
            store.append([job(done, index) for index in range(many // 12)])
            store.append([output(done, f"part{index}") for index in range(many // 12)])


def written(shell: sqlite3.Connection) -> int:
    """Return how many records are in a store, 0 while it has no tables yet."""
    try:
        tables = ("run_records", "mark_records", "task_records", "job_records", "output_records")
        return sum(shell.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # noqa: S608
    except sqlite3.OperationalError:
        return 0


def cut(folder: Path, at_least: int) -> int:
    """Start a copy and kill it while it waits to write, once so many records are there; return how
    many there are.
    """
    command = [
        sys.executable,
        "-m",
        "autoctrl.cli",
        "store",
        "copy",
        "sqlite:many.sqlite",
        "sqlite:new.sqlite",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        with closing(
            sqlite3.connect(folder / "new.sqlite", timeout=PATIENCE_S, isolation_level=None)
        ) as shell:
            while written(shell) < at_least:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.002)
            shell.execute(
                "BEGIN IMMEDIATE"
            )  # it cannot go on, so it is killed where the test wants it
            count = written(shell)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(PATIENCE_S)
            shell.execute("ROLLBACK")
        assert process.returncode == -signal.SIGKILL
    return count


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6])
def test_a_copy_that_was_killed_is_gone_on_with(project: Path, part: float) -> None:
    """After kill -9 in the midst of it the same call adds what is missing, and all is the same in
    the end.
    """
    fill(project / "many.sqlite")
    whole = len(records(project / "many.sqlite"))
    first = cut(project, max(1, int(part * whole)))
    second = cut(project, first + 1)
    assert 0 < first < second < whole
    said = copy(project, "sqlite:many.sqlite", "sqlite:new.sqlite")
    assert (said["present"], said["written"]) == (second, whole - second)
    assert records(project / "new.sqlite") == records(project / "many.sqlite")


def cut_on_its_way(folder: Path, server: Influx, target: str, part: bytes, nth: int) -> Proxy:
    """Start a copy and kill it while its nth such request is on its way; it arrives when the proxy
    is released.
    """
    seen: list[bytes] = []

    def plan(request: Request) -> Fault | None:
        seen.extend([part] if request.is_write and part in request.body else [])
        return Fault(Kind.STALL) if len(seen) >= nth else None

    proxy = Proxy(server.url)
    proxy.plan = plan
    proxy.__enter__()
    slow = target.replace(server.url.partition("//")[2], f"127.0.0.1:{proxy.port}")
    command = [sys.executable, "-m", "autoctrl.cli", "store", "copy", "sqlite:many.sqlite", slow]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        wait_until(
            lambda: len(seen) >= nth or process.poll() is not None, "it is on its way", PATIENCE_S
        )
        assert process.poll() is None, process.communicate()
        process.kill()
    return proxy


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize(("part", "nth"), [(b"journal,", 2), (b'\\"word\\": \\"end\\"', 5)])
def test_a_copy_to_a_server_that_was_killed_is_gone_on_with(
    project: Path, name: str, part: bytes, nth: int, request: pytest.FixtureRequest
) -> None:
    """After kill -9 the same call adds what is missing; what arrives from the dead afterwards
    changes nothing.
    """
    fill(project / "many.sqlite", MANY // 5)
    target = new_address(name, project, request)
    proxy = cut_on_its_way(project, request.getfixturevalue(name), target, part, nth)
    said = copy(project, "sqlite:many.sqlite", target)
    assert said["present"] > 0
    assert said["written"] > 0
    proxy.released.set()
    proxy.__exit__(None, None, None)
    again = copy(project, "sqlite:many.sqlite", target)
    assert (again["written"], again["digest"]) == (0, said["digest"])
    copy(project, target, "sqlite:back.sqlite")
    assert records(project / "back.sqlite") == records(project / "many.sqlite")
