"""What people read of one task's past, of outputs and of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from autoctrl.campaigns import find_campaign
from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord, LocationState
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Hint
from autoctrl.views import (
    existing_task,
    find_task,
    list_attempts,
    list_facts,
    list_outputs,
    list_runs,
    list_steps,
    list_versions,
    spell_command,
    spell_hint,
    spell_time,
    to_plain,
)
from autoctrl.views.choice import Allowed
from autoctrl.views.versions import excuse_missing
from tests.unit.scene import Scene, scene_of_a_chain

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


@pytest.fixture
def scene() -> Scene:
    return scene_of_a_chain()


def test_the_history_keeps_every_record(scene: Scene) -> None:
    """Steps are the task's, its jobs', outputs' and fields' records in the order of writing."""
    key = scene.task(1, "reco", PROCESSING)
    scene.clock.advance(1)
    scene.job(key, JobStatus.RUNNING, JobStatus.DONE)
    scene.clock.advance(1)
    scene.move(key, DONE)
    scene.output(key)
    scene.store.append([FieldsRecord(key, 1, {"clusters": 3.0}, scene.clock.now())])
    assert existing_task(find_task(scene.store, "prompt", "1", "reco")).key == key
    seen = list_steps(scene.store.history(key))
    assert [(step.kind, step.job, step.status) for step in seen] == [
        ("task", "", "new"),
        ("task", "", "processing"),
        ("job", "0.1", "submitting"),
        ("job", "0.1", "running"),
        ("job", "0.1", "done"),
        ("output", "", "present"),
        ("fields", "", ""),
        ("task", "", "done"),
    ]
    assert seen[-2].text == "clusters = 3.0"
    assert seen[-3].text.startswith("output: /data/reco")


@pytest.mark.parametrize(
    ("status", "values", "line"),
    [
        ("reading", {"events": 120, "rate": 1234.5678}, "reading, events 120, rate 1234.57"),
        ("", {"file": "run1.mid"}, "file run1.mid"),
        ("fitting", {}, "fitting"),
    ],
)
def test_a_hint_is_one_line(status: str, values: dict[str, float | str], line: str) -> None:
    """The status comes first, then each value after its name, rounded for people."""
    assert spell_hint(Hint(1, "0", 1, datetime.now(UTC), status, values)) == line


def test_attempts_show_the_newest_record_of_each(scene: Scene) -> None:
    """Every attempt of every job appears once, merges last, with begin, end and failure."""
    key = scene.task(1, "reco", PROCESSING)
    first = scene.job(key, JobStatus.FAILED, failure=Failure.MEMORY, exit_code=1)
    scene.job(key, index=-1)
    scene.store.append([first.again(scene.clock.now(), first.spec, used=2)])
    seen = list_attempts(scene.store.history(key))
    assert [(job.job, job.attempt, job.status, job.failure) for job in seen] == [
        ("0", 1, "failed", "memory"),
        ("0", 2, "submitting", None),
        ("merge", 1, "submitting", None),
    ]
    assert seen[0].ended is not None
    assert seen[1].ended is None
    assert (seen[0].exit_code, seen[0].executor, seen[0].argv) == (1, "local", ("reco", "--fast"))


def test_an_attempt_began_when_its_node_says_so(scene: Scene) -> None:
    """Until then, and where none says it, when it was written down as to be submitted."""
    asked = scene.clock.now()
    key = scene.task(1, "reco", PROCESSING)
    scene.job(key)
    (waiting,) = list_attempts(scene.store.history(key))
    assert waiting.began == asked
    scene.clock.advance(60)
    other = scene.task(2, "reco", PROCESSING)
    began = scene.clock.now() - timedelta(seconds=20)
    scene.job(other, JobStatus.DONE, began=began, wall_s=20.0)
    (done,) = list_attempts(scene.store.history(other))
    assert done.began == began


def test_provenance_lists_versions_that_started(scene: Scene) -> None:
    """Each version that started shows inputs, command lines, outputs and the described body; a new
    one is left out.
    """
    raw = TaskKey("prompt", "raw", "1")
    key = scene.task(1, "reco", DONE, reads=[(raw, 3)], provenance="abc")
    scene.job(key, JobStatus.DONE)
    scene.output(key)
    scene.store.append([FieldsRecord(key, 1, {"x": 1.0}, scene.clock.now())])
    scene.move(key, NEW, version=2, inputs=(), provenance="")
    (version,) = list_versions(scene.store.history(key), lambda digest: {"code": digest})
    assert (version.version, version.status, version.digest, version.description) == (
        1,
        DONE,
        "abc",
        {"code": "abc"},
    )
    assert [ref.version for ref in version.inputs] == [3]
    assert version.jobs == {"0.1": ("reco", "--fast")}
    assert ([output.name for output in version.outputs], version.fields) == (["output"], {"x": 1.0})
    by_hand = scene.task(2, "reco", DONE)
    scene.output(by_hand)
    assert [
        one.description for one in list_versions(scene.store.history(by_hand), lambda _: {})
    ] == [{}]


def test_outputs_have_the_documented_keys(scene: Scene) -> None:
    """One row per output with its copies; the JSON has exactly the documented keys."""
    key = scene.task(1, "reco", DONE)
    scene.output(key)
    scene.output(key, url="/copy/output.root")
    (row,) = to_plain(list_outputs(scene.store, "prompt"))
    places = [("/copy/output.root", "present"), ("/data/reco/1/v1/output.root", "present")]
    assert sorted((copy["url"], copy["state"]) for copy in row.pop("locations")) == places
    assert row == {
        "campaign": "prompt",
        "workflow": "reco",
        "unit": "1",
        "runs": [1],
        "version": 1,
        "name": "output",
        "bytes": 10,
        "checksums": ["sha256:aa"],
        "entries": {"Events": 5},
        "friend_of": "",
        "state": "current",
        "inherited_from": None,
    }


def test_parts_of_one_name_are_no_copies(scene: Scene) -> None:
    """Two files of one name and different content are two outputs."""
    key = scene.task(1, "reco", DONE)
    scene.output(key, url="/part0", content="aa")
    scene.output(key, url="/part1", content="bb")
    assert [len(row.locations) for row in list_outputs(scene.store, "prompt")] == [1, 1]


def test_an_older_version_is_superseded(scene: Scene) -> None:
    """Only the newest published version is listed unless the superseded ones are asked for."""
    key = scene.task(1, "reco", DONE)
    scene.output(key)
    scene.move(key, NEW, version=2)
    assert [(row.version, row.state) for row in list_outputs(scene.store, "prompt")] == [
        (1, "current")
    ]
    scene.move(key, PROCESSING, DONE)
    scene.output(key, version=2)
    assert [row.version for row in list_outputs(scene.store, "prompt")] == [2]
    every = list_outputs(scene.store, "prompt", superseded=True)
    assert [(row.version, row.state) for row in every] == [(1, "superseded"), (2, "current")]
    assert every[0].locations[0].state is LocationState.PRESENT


def test_outputs_can_be_narrowed_and_inherited(scene: Scene) -> None:
    """Outputs are chosen by workflow and runs; a campaign's list holds its parent's outputs of its
    own runs.
    """
    for number in (1, 2):
        scene.output(scene.task(number, "reco", DONE))
    scene.output(scene.task(1, "friends", DONE))
    one, two = Allowed(frozenset({1})), Allowed(frozenset({2}))
    found = list_outputs(scene.store, "prompt", allowed=one)
    assert [row.workflow for row in found] == ["reco", "friends"]
    found = list_outputs(scene.store, "prompt", "reco", allowed=two)
    assert [row.unit for row in found] == ["2"]
    scene.campaign(Campaign("again", "prompt", ("friends",), runs="2"))
    (row,) = list_outputs(scene.store, "again")
    assert (row.campaign, row.unit, row.inherited_from) == ("again", "2", "prompt")
    with pytest.raises(UsageError, match="Did you mean 'reco'"):
        list_outputs(scene.store, "prompt", "rco")


def test_runs_are_listed_with_who_said_so(scene: Scene) -> None:
    """A line per run with attributes, whether it is closed, and how often something new was
    learned.
    """
    scene.runs(2, is_closed=False, kind="pedestal")
    campaign = find_campaign(scene.store, "prompt")
    lines = list_runs(scene.store, campaign, None, None)
    assert [(line.run, line.is_closed, line.revision, line.actor.name) for line in lines] == [
        (1, True, 1, "table"),
        (2, False, 2, "table"),
    ]


def test_values_become_plain() -> None:
    """Times are UTC with microseconds and Z, enums are their words, records are objects, sets are
    ordered.
    """
    moment = datetime(2026, 11, 20, 19, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    assert spell_time(moment) == "2026-11-20T18:04:05.000000Z"
    values = to_plain(
        {
            "when": moment,
            "who": TaskKey("a", "b", "c"),
            "is": DONE,
            "set": {2, 1},
            3: (None, 1.5, True),
        }
    )
    assert values["is"] == "done"
    assert type(values["is"]) is str
    assert values == {
        "when": "2026-11-20T18:04:05.000000Z",
        "who": {"campaign": "a", "workflow": "b", "unit": "c"},
        "is": "done",
        "set": [1, 2],
        "3": [None, 1.5, True],
    }


def test_a_description_is_read_line_by_line() -> None:
    """Names are joined by dots, lists are written out, nothing is empty."""
    description = {"code": {"commit": None, "files": ["a", "b"]}, "schema": 1}
    assert list_facts(description) == [
        ("code.commit", ""),
        ("code.files", "a b"),
        ("schema", "1"),
    ]


def test_a_description_that_is_gone_is_said(scene: Scene) -> None:
    """The other versions can be read all the same."""

    def refuse(digest: str) -> dict[str, object]:
        message = f"{digest} is gone."
        raise UsageError(message)

    key = scene.task(1, "reco", DONE)
    scene.move(key, DONE, provenance="abc")
    (version,) = list_versions(scene.store.history(key), excuse_missing(refuse))
    assert version.description == {"gone": "abc is gone."}
    assert excuse_missing(lambda _: {"schema": 1})("abc") == {"schema": 1}


def test_a_job_is_a_command_or_a_call() -> None:
    """A command is written as a shell takes it."""
    assert spell_command(("echo", "a b")) == "echo 'a b'"
    assert spell_command(()) == "a call of the function"
