"""What people read: the overview, why, the trail of one task, the list of outputs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from autoctrl.errors import UsageError
from autoctrl.files import digest_of
from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef
from autoctrl.model.workflow import UNSEEN
from autoctrl.views import existing_task, explain, find_task, read_overview
from autoctrl.views.columns import Column, in_chain_order
from autoctrl.views.overview import Cell, combine, spell_cell
from tests.unit.scene import Scene, scene_of_a_chain

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Selection, Store

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


@pytest.fixture
def scene() -> Scene:
    return scene_of_a_chain()


def cell(status: TaskStatus) -> Cell:
    """Return a cell of this status."""
    return Cell(status, "", None, None, "1", 1, stale=False, log="")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([DONE, FAILED, PROCESSING], FAILED),
        ([DONE, PROCESSING], PROCESSING),
        ([DONE, NEW], PROCESSING),
        ([NEW, SKIPPED], NEW),
        ([NEW, NEW], NEW),
        ([DONE, SKIPPED], DONE),
        ([SKIPPED], DONE),
    ],
)
def test_a_runs_status_combines_its_tasks(statuses: list[TaskStatus], expected: TaskStatus) -> None:
    """Failed wins, then processing or a mix of done and new, then new, else done; missing tasks do
    not count.
    """
    assert combine([None, *map(cell, statuses)], has_looked=True) is expected


def test_a_run_without_tasks_is_new_until_every_workflow_has_looked() -> None:
    """A run that no workflow wants is done once all have looked at it."""
    assert combine([None], has_looked=False) is NEW
    assert combine([None], has_looked=True) is DONE


class Listening:
    """A store that keeps what it was asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[Selection] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        self.asked.append(selection)
        return self.store.tasks(selection)


def test_an_overview_of_chosen_runs_asks_for_their_tasks_only(scene: Scene) -> None:
    """Whoever names runs pays for them, not for the whole campaign."""
    listening = Listening(scene.store)
    read_overview(cast("Store", listening), "prompt", [1])
    assert [selection.units for selection in listening.asked] == [("1",)]


def test_the_overview_has_the_documented_keys(scene: Scene) -> None:
    """The JSON of the overview has exactly the documented shape; times end in Z, absent tasks are
    null.
    """
    until = datetime(2026, 11, 20, 18, 4, 5, 123456, tzinfo=UTC)
    scene.task(1, "reco", reason="wait for it", until=until, log="/log")
    values = read_overview(scene.store, "prompt").values()
    since = "2026-01-01T00:00:00.000000Z"
    assert values == {
        "schema": 1,
        "campaign": "prompt",
        "workflows": ["reco", "friends"],
        "conditions": [],
        "runs": [
            {
                "run": 1,
                "attributes": {"kind": "physics"},
                "status": "new",
                "tasks": {
                    "reco": {
                        "status": "new",
                        "reason": "wait for it",
                        "until": "2026-11-20T18:04:05.123456Z",
                        "since": since,
                        "unit": "1",
                        "version": 1,
                        "stale": False,
                        "log": "/log",
                        "quality": "",
                    },
                    "friends": None,
                },
            },
            {
                "run": 2,
                "attributes": {"kind": "physics"},
                "status": "done",
                "tasks": {"reco": None, "friends": None},
            },
        ],
    }


def test_a_run_that_nobody_looked_at_is_new(scene: Scene) -> None:
    """Runs registered after a workflow's last look are not yet done."""
    scene.runs(3)
    assert [row.status for row in read_overview(scene.store, "prompt").runs] == [NEW, NEW, NEW]


def test_the_overview_of_an_empty_project_is_empty() -> None:
    """Without runs and workflows there are no rows and no columns."""
    seen = read_overview(Scene().store, "prompt")
    assert (seen.workflows, seen.runs, seen.total) == ((), (), 0)


def test_columns_follow_the_chain() -> None:
    """Each workflow stands behind those that it waits for, whatever its name."""
    columns = [
        Column(name, "prompt", UNSEEN._replace(after=after))
        for name, after in {"a": ("z",), "b": (), "z": ()}.items()
    ]
    assert [column.workflow for column in in_chain_order(columns)] == ["b", "z", "a"]


def test_a_page_shows_the_newest_runs(scene: Scene) -> None:
    """With a limit the newest runs are shown, and how many there are; tasks of others are not
    fetched.
    """
    scene.runs(*range(3, 13))
    scene.task(12, "reco", DONE)
    scene.task(1, "reco", DONE)
    seen = read_overview(scene.store, "prompt", limit=3)
    assert ([row.run for row in seen.runs], seen.total) == ([10, 11, 12], 12)
    assert seen.runs[-1].tasks["reco"] is not None
    assert not read_overview(scene.store, "prompt", limit=0).runs


def test_the_overview_can_be_narrowed_to_runs(scene: Scene) -> None:
    """Only registered runs of the selection appear; a selection of more than a page's worth is no
    problem.
    """
    assert [row.run for row in read_overview(scene.store, "prompt", [2, 99]).runs] == [2]
    assert [row.run for row in read_overview(scene.store, "prompt", range(2, 5000)).runs] == [2]
    assert not read_overview(scene.store, "prompt", []).runs


@pytest.fixture
def fills() -> Scene:
    made_scene = Scene()
    made_scene.runs(1, 2, 3, fill=7)
    made_scene.runs(4)
    made_scene.workflow("sum", group_by="fill")
    return made_scene


def test_a_group_is_shown_in_each_members_row(fills: Scene) -> None:
    """Members share the group's cell; a run without the attribute has none."""
    fills.task("fill:7", "sum", DONE, members=(1, 2, 3))
    cells = [row.tasks["sum"] for row in read_overview(fills.store, "prompt").runs]
    assert [seen and (seen.unit, seen.status, seen.reason) for seen in cells] == [
        ("fill:7", DONE, "")
    ] * 3 + [None]


def test_a_late_run_says_that_its_group_was_processed_without_it(fills: Scene) -> None:
    """A run of the fill that is no member shows the sentence that says what takes it in."""
    fills.task("fill:7", "sum", DONE, members=(1, 2))
    reasons = {
        row.run: seen.reason
        for row in read_overview(fills.store, "prompt").runs
        if (seen := row.tasks["sum"])
    }
    assert reasons == {1: "", 2: "", 3: "fill 7 was processed without it; reprocess takes it in"}
    assert explain(fills.store, "prompt", "3", "sum").notes == (
        "fill 7 was processed without run 3; reprocess takes it in",
    )


def test_a_run_that_the_group_does_not_want_is_not_late(fills: Scene) -> None:
    """Where the workflow wrote down its late runs, others of the same fill have no cell."""
    fills.task("fill:7", "sum", DONE, members=(1,))
    fills.workflow("sum", group_by="fill", late={"fill:7": [3]})
    assert [row.run for row in read_overview(fills.store, "prompt").runs if row.tasks["sum"]] == [
        1,
        3,
    ]


def stale_pair(scene: Scene) -> tuple[TaskKey, TaskKey]:
    """Let friends of run 1 read reco of run 9, which is not on the page, and reprocess that."""
    reco = scene.task(9, "reco", DONE)
    friends = scene.task(1, "friends", DONE, reads=[(reco, 1)])
    scene.move(reco, NEW, PROCESSING, version=2)
    return reco, friends


def test_a_done_task_is_stale_once_a_newer_input_is_done(scene: Scene) -> None:
    """Stale is derived, also from tasks that are not on the page; what is not done yet is only
    noted.
    """
    reco, _ = stale_pair(scene)
    assert not explain(scene.store, "prompt", "1", "friends").stale
    scene.move(reco, DONE)
    (row,) = read_overview(scene.store, "prompt", [1]).runs
    seen = row.tasks["friends"]
    assert seen is not None
    assert seen.stale
    answer = explain(scene.store, "prompt", "1", "friends")
    assert answer.stale
    assert answer.notes == ("it reads version 1 of run 9 / reco, of which version 2 is done",)


def test_a_file_that_has_changed_is_noted(scene: Scene, tmp_path: Path) -> None:
    """A done task that read a file is stale once that file is another, and says so."""
    limits = tmp_path / "limits.toml"
    limits.write_text("rms = 10")
    read = InputRef("limits", str(limits), 8, digest_of(limits).checksum)
    scene.task(1, "reco", DONE, inputs=(read,))
    assert explain(scene.store, "prompt", "1", "reco").notes == ()
    limits.write_text("rms = 12")
    answer = explain(scene.store, "prompt", "1", "reco")
    assert answer.stale
    assert answer.notes == (f"it read {limits}, which has changed since",)


def test_workflows_of_the_parent_are_shown_from_there(scene: Scene) -> None:
    """A campaign shows its own tasks where it has the workflow and the parent's elsewhere, for its
    own runs only.
    """
    scene.campaign(Campaign("again", "prompt", ("friends", "extra"), runs="1"))
    scene.task(1, "reco", DONE)
    scene.task(1, "friends", FAILED)
    scene.workflow("friends", "again", after=["reco"])
    scene.task(1, "friends", PROCESSING, campaign="again")
    seen = read_overview(scene.store, "again")
    assert seen.workflows == ("extra", "reco", "friends")
    (row,) = seen.runs
    reco, friends = row.tasks["reco"], row.tasks["friends"]
    assert reco is not None
    assert friends is not None
    assert (reco.status, reco.inherited_from, friends.status, friends.inherited_from) == (
        DONE,
        "prompt",
        PROCESSING,
        "",
    )
    assert "inherited_from" not in seen.values()["runs"][0]["tasks"]["reco"]
    assert explain(scene.store, "again", "1", "reco").inherited_from == "prompt"


@pytest.mark.parametrize(
    ("unit", "workflow", "text"),
    [
        ("9", "reco", "the run is not registered (autoctrl runs add 9)"),
        ("1", "reco", "the workflow's filter does not take the run"),
        ("fill:3", "sum", "the group is not closed yet"),
        ("1", "sum", "the workflow groups by fill, which the run does not have yet"),
        ("3", "sum", "fill 5 is not closed yet"),
    ],
)
def test_why_says_why_there_is_no_task(scene: Scene, unit: str, workflow: str, text: str) -> None:
    """A task that does not exist has a reason too."""
    scene.runs(3, fill=5)
    scene.workflow("reco")
    scene.workflow("sum", group_by="fill", pending={"5": [3]})
    answer = explain(scene.store, "prompt", unit, workflow)
    assert answer.status is None
    assert text in answer.reason
    with pytest.raises(UsageError, match="has no task in"):
        existing_task(find_task(scene.store, "prompt", unit, workflow))


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (
            {"kind": "'cosmics'"},
            "the workflow's filter, Where(kind='cosmics'), does not take the run: kind is physics",
        ),
        ({"hv": "a function"}, "the workflow's filter needs hv, which is not known yet"),
        ({"hv": "4", "b": "5"}, "the workflow's filter needs hv and b, which are not known yet"),
    ],
)
def test_why_says_what_the_filter_wants(scene: Scene, where: dict[str, str], text: str) -> None:
    """And what the run has, or lacks."""
    scene.workflow("reco", where=where)
    assert explain(scene.store, "prompt", "2", "reco").reason == text


def test_why_knows_runs_that_nobody_looked_at_or_that_are_not_in_the_campaign(scene: Scene) -> None:
    """The cursor and the campaign's list of runs are reasons as well; so is a group that does not
    want the run.
    """
    scene.runs(3, fill=5)
    assert (
        "has not looked at the newest runs yet"
        in explain(scene.store, "prompt", "3", "reco").reason
    )
    scene.campaign(Campaign("again", "prompt", ("reco",), runs="1"))
    assert "not in campaign again (runs 1)" in explain(scene.store, "again", "2", "reco").reason
    scene.workflow("sum", group_by="fill")
    assert "filter does not take" in explain(scene.store, "prompt", "3", "sum").reason


def test_why_shows_reason_actor_and_pause(scene: Scene) -> None:
    """The stored reason is shown with who wrote it, and what else holds the task."""
    key = scene.task(1, "reco", reason="waits for beam")
    scene.mark("pause", "prompt", "reco", {"paused": True}, reason="disk full")
    scene.mark("pause", "prompt", "friends", {"paused": True})
    answer = explain(scene.store, "prompt", "1", "reco")
    assert (answer.status, answer.reason, answer.version, answer.runs) == (
        NEW,
        "waits for beam",
        1,
        (1,),
    )
    assert answer.notes == ("reco is paused by anna: disk full",)
    scene.mark("pause", "prompt", "reco", {"paused": False})
    scene.move(key, PROCESSING, stopping=True)
    assert explain(scene.store, "prompt", "1", "reco").notes == (
        "a person asked to fail it; its jobs are being removed",
    )


@pytest.mark.parametrize(
    ("campaign", "unit", "workflow", "text"),
    [
        ("promt", "1", "reco", "There is no campaign 'promt'. Did you mean 'prompt'?"),
        ("prompt", "1", "rco", "Campaign prompt has no workflow 'rco'. Did you mean 'reco'?"),
        ("prompt", "one", "reco", "'one' is neither a run number nor a group of runs."),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(
    scene: Scene, campaign: str, unit: str, workflow: str, text: str
) -> None:
    """A misspelt campaign or workflow names the nearest; a unit that is none says how to write
    one.
    """
    with pytest.raises(UsageError) as caught:
        explain(scene.store, campaign, unit, workflow)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (None, ""),
        (cell(NEW), "new"),
        (cell(DONE)._replace(unit="fill:7", version=2, stale=True), "done (fill 7) v2 stale"),
        (cell(DONE)._replace(quality="alarm"), "done alarm"),
    ],
)
def test_a_cell_is_a_few_words(seen: Cell | None, text: str) -> None:
    """The status, and what is worth a word beside it."""
    assert spell_cell(seen) == text
