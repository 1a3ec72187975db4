"""Which data an analyst wants, and the tables that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from autoctrl.errors import UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.output import FieldsRecord, LocationState
from autoctrl.model.status import TaskStatus
from autoctrl.views import choice as choosing
from autoctrl.views.choice import Allowed, Choice, find_allowed
from autoctrl.views.fields import list_fields, tabulate_fields
from autoctrl.views.outputs import list_outputs, tabulate_outputs
from tests.unit.scene import Scene

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
TYPES = {"kind": "str", "fill": "int"}


@pytest.fixture
def scene() -> Scene:
    """Return physics runs 1 to 4 and a cosmic run 5: 2 with an alarm, 3 with a warning, 4 stale."""
    made = Scene()
    made.runs(1, 2, 3, 4, kind="physics", fill=7)
    made.runs(5, kind="cosmic")
    for name in ("raw", "reco", "dq"):
        made.workflow(name, after=[] if name == "raw" else ["raw"])
    reasons = {2: "alarm: light is low", 3: "warning: light is strange"}
    for run in range(1, 6):
        raw = made.task(run, "raw", DONE, version=2 if run == 4 else 1)
        key = made.task(run, "reco", DONE, reads=[(raw, 1)])
        made.output(key)
        made.task(run, "dq", DONE, reason=reasons.get(run, ""))
    return made


def units(scene: Scene, **choice: Any) -> list[str]:
    """Return the units of the outputs of reco that a choice means."""
    allowed = find_allowed(scene.store, "prompt", Choice(**choice), TYPES)
    return [line.unit for line in list_outputs(scene.store, "prompt", "reco", allowed=allowed)]


def test_outputs_are_chosen_by_runs_attributes_and_quality(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usable data have no alarm and are not stale, good ones no warning either; of one attribute
    any value that is named may hold.
    """
    monkeypatch.setattr(choosing, "RUNS_AT_ONCE", 2)
    assert units(scene) == ["1", "2", "3", "4", "5"]
    assert units(scene, runs="2-3,9") == ["2", "3"]
    assert units(scene, runs="fill:7, 5") == ["1", "2", "3", "4", "5"]
    assert units(scene, runs="fill:8,kind:cosmic") == ["5"]
    assert units(scene, where=("kind=physics",)) == ["1", "2", "3", "4"]
    assert units(scene, where=("kind=physics", "kind=cosmic")) == ["1", "2", "3", "4", "5"]
    assert units(scene, where=("fill=7", "kind=cosmic")) == []
    assert units(scene, where=("fill=7",), runs="4-5") == ["4"]
    assert units(scene, quality="usable") == ["1", "3", "5"]
    assert units(scene, quality="good") == ["1", "5"]
    assert units(scene, quality="good", where=("kind=physics",)) == ["1"]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(quality="god"), "Did you mean 'good'"),
        (Choice(where=("kind",)), "Write it as name=value"),
        (Choice(where=("kid=x",)), "Did you mean 'kind'"),
        (Choice(where=("fill=x",)), "is declared as int"),
        (Choice(runs="x"), "x"),
    ],
)
def test_what_means_nothing_is_refused(scene: Scene, choice: Choice, words: str) -> None:
    """A choice that cannot be understood names what is wrong, and what is right."""
    with pytest.raises(UsageError, match=words):
        find_allowed(scene.store, "prompt", choice, TYPES)


def test_a_group_with_one_bad_run_is_bad() -> None:
    """Data about several runs are wanted if one is asked for, and none is bad."""
    allowed = Allowed(frozenset({1, 2}), bad=frozenset({3}))
    assert allowed.takes("sums", "fill:7", (2, 4))
    assert not allowed.takes("sums", "fill:8", (2, 3))
    assert not allowed.takes("sums", "fill:9", (5,))


def test_outputs_and_fields_are_tables(scene: Scene) -> None:
    """A table has a row for each output, or the newest fields of each task, whole numbers plainly
    written; a skipped task has none.
    """
    key = scene.task(6, "dq", DONE)
    scene.runs(6)
    now = scene.clock.now()
    scene.store.append([FieldsRecord(key, 1, {"light": 5.0, "note": "x"}, now)])
    scene.store.append([FieldsRecord(key, 2, {"light": 0.125}, now)])
    other = scene.task(7, "dq", SKIPPED)
    scene.store.append([FieldsRecord(other, 1, {"light": 5.0}, now)])
    ten = scene.task(10, "dq", DONE)
    scene.store.append([FieldsRecord(ten, 1, {"light": 5.0, "note": "x"}, now)])
    found = list_fields(scene.store, "prompt", "dq", Allowed())
    assert tabulate_fields(found) == (
        ("unit", "version", "light", "note"),
        [("6", "2", "0.125", ""), ("10", "1", "5", "x")],
    )
    table = tabulate_outputs(list_outputs(scene.store, "prompt", "reco")[:1])
    assert dict(zip(table.headings, table.rows[0], strict=True)) == {
        "workflow": "reco",
        "unit": "1",
        "runs": "1",
        "version": "1",
        "name": "output",
        "state": "current",
        "bytes": "10",
        "entries": "Events:5",
        "checksums": "sha256:aa",
        "path": "/data/reco/1/v1/output.root",
    }


def test_a_campaign_has_fields_of_its_parent(scene: Scene) -> None:
    """What a campaign does not process itself it has from its parent, for its own runs."""
    for run in (1, 2):
        key = scene.task(run, "sums", DONE)
        scene.store.append([FieldsRecord(key, 1, {"x": 1.0}, scene.clock.now())])
    scene.workflow("sums")
    scene.campaign(Campaign("tight", parent="prompt", workflows=("reco",), runs="2-4"))
    (line,) = list_fields(scene.store, "tight", "sums", Allowed())
    assert (line.unit, line.campaign, line.inherited_from) == ("2", "tight", "prompt")


def test_a_copy_that_is_gone_is_no_path(scene: Scene) -> None:
    """An output is read where a copy of it is present."""
    (line,) = list_outputs(scene.store, "prompt", "reco")[:1]
    gone = line.locations[0]._replace(state=LocationState.LOST)
    assert line.path == "/data/reco/1/v1/output.root"
    assert line._replace(locations=(gone,)).path == ""
