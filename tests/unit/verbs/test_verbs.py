"""The operator's verbs: what they do, what they refuse, what they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.model.campaign import Campaign
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef
from autoctrl.model.unit import TaskKey
from autoctrl.verbs import (
    reprocess,
    reprocess_stale,
    retry,
    skip,
)
from tests.unit.scene import ANNA, Scene, refusals

if TYPE_CHECKING:
    from pathlib import Path


NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus


@pytest.mark.parametrize("status", [FAILED, SKIPPED])
def test_retry_renews_the_budget_and_keeps_the_version(scene: Scene, status: TaskStatus) -> None:
    """A failed or skipped task is new again with the same version, one renewal more, by that person
    for that reason.
    """
    key = scene.task(1, status=status, log="/log")
    outcome = retry(scene.request("node was down"), "1", "reco")
    task = scene.newest(key)
    assert (task.status, task.version, task.renewals, task.log) == (NEW, 1, 1, "")
    assert (task.actor, task.reason, task.environment) == (ANNA, "node was down", "mirror")
    assert task.epoch == 1
    assert [(answer.before, answer.after) for answer in outcome.answers] == [(status, NEW)]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            NEW,
            (
                "run 1 / reco is new; retry takes tasks that are failed or skipped (use "
                "reprocess for a done one)."
            ),
        ),
        (
            PROCESSING,
            (
                "run 1 / reco is processing; it cannot become new: "
                "it is at work; fail ends it, or it ends by itself."
            ),
        ),
        (
            DONE,
            (
                "run 1 / reco is done; retry takes tasks that are failed or skipped (use "
                "reprocess for a done one)."
            ),
        ),
    ],
)
def test_retry_refuses_other_statuses(scene: Scene, status: TaskStatus, text: str) -> None:
    """Retry says of a task that is neither failed nor skipped why it leaves it alone."""
    key = scene.task(1, status=status)
    assert refusals(retry(scene.request(), "1", "reco")) == [text]
    assert scene.newest(key).status is status


def test_reprocess_raises_the_version_and_clears_what_made_the_last(scene: Scene) -> None:
    """A reprocessed task is new with version + 1; renewals, inputs, provenance, log and stopping
    start afresh.
    """
    key = scene.task(
        1,
        status=DONE,
        reads=[(TaskKey("prompt", "raw", "1"), 1)],
        renewals=2,
        provenance="d",
        log="/l",
    )
    outcome = reprocess(scene.request(), "1", "reco")
    task = scene.newest(key)
    assert (task.status, task.version, task.renewals) == (NEW, 2, 0)
    assert (task.inputs, task.provenance, task.log, task.stopping) == ((), "", "", False)
    assert outcome.answers[0].version == 2


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (NEW, "run 1 / reco is new; reprocess takes tasks that are done, failed or skipped."),
        (
            PROCESSING,
            (
                "run 1 / reco is processing; it cannot become new: "
                "it is at work; fail ends it, or it ends by itself."
            ),
        ),
    ],
)
def test_reprocess_refuses_open_tasks(scene: Scene, status: TaskStatus, text: str) -> None:
    """Reprocess leaves a task alone that is new or processing, and says so."""
    scene.task(1, status=status)
    assert refusals(reprocess(scene.request(), "1", "reco")) == [text]


def chain(scene: Scene) -> tuple[TaskKey, TaskKey, TaskKey]:
    """Put reco → friends → plots of run 1 into the store, all done, and a stranger."""
    for name in ("friends", "plots"):
        scene.workflow(name)
    reco = scene.task(1, "reco", DONE)
    friends = scene.task(1, "friends", DONE, reads=[(reco, 1)])
    plots = scene.task(1, "plots", DONE, reads=[(friends, 1), (reco, 1)])
    scene.task(2, "friends", DONE)
    return reco, friends, plots


def test_reprocess_downstream_takes_all_that_consumed_an_output(scene: Scene) -> None:
    """Downstream means every task that read an output, directly or through others, the upstream
    ones first.
    """
    keys = chain(scene)
    outcome = reprocess(scene.request(), "1", "reco", downstream=True)
    assert [(answer.workflow, answer.unit) for answer in outcome.done] == [
        ("reco", "1"),
        ("friends", "1"),
        ("plots", "1"),
    ]
    assert [scene.newest(key).version for key in keys] == [2, 2, 2]


def test_reprocess_downstream_leaves_new_and_skipped_tasks(scene: Scene) -> None:
    """A new task takes the new version anyway, a skipped one stays skipped, a processing one is
    refused.
    """
    reco, friends, plots = chain(scene)
    scene.move(friends, NEW, SKIPPED)
    scene.move(plots, NEW)
    busy = scene.task(3, "plots", PROCESSING, reads=[(reco, 1)])
    outcome = reprocess(scene.request(), "1", "reco", downstream=True)
    assert [answer.workflow for answer in outcome.done] == ["reco"]
    assert [answer.unit for answer in outcome.refused] == [busy.unit]
    assert scene.newest(friends).status is SKIPPED


def test_reprocess_downstream_of_nothing_does_nothing(scene: Scene) -> None:
    """If the task itself is refused, nothing downstream is touched."""
    reco, friends, _ = chain(scene)
    scene.move(reco, NEW)
    outcome = reprocess(scene.request(), "1", "reco", downstream=True)
    assert not outcome.done
    assert scene.newest(friends).version == 1


def test_reprocess_stale_takes_tasks_whose_input_has_a_newer_done_version(scene: Scene) -> None:
    """Stale is a done task that reads version 1 of something of which version 2 is done."""
    reco, friends, plots = chain(scene)
    assert not reprocess_stale(scene.request(), "friends").answers
    scene.move(reco, NEW, PROCESSING, version=2)
    assert not reprocess_stale(scene.request(), "friends").answers
    scene.move(reco, DONE)
    outcome = reprocess_stale(scene.request(), "friends")
    assert [(answer.unit, answer.version) for answer in outcome.done] == [("1", 2)]
    assert (scene.newest(friends).version, scene.newest(plots).version) == (2, 1)


def test_reprocess_stale_takes_tasks_that_read_a_file_that_changed(
    scene: Scene, tmp_path: Path
) -> None:
    """A file that was recorded with its checksum and is another one now makes its readers stale."""
    scene.task(
        1, status=DONE, inputs=(InputRef("constants", str(tmp_path / "gone"), 8, "sha256:00"),)
    )
    scene.task(2, status=DONE)
    assert [answer.unit for answer in reprocess_stale(scene.request(), "reco").done] == ["1"]


def test_reprocess_stale_can_be_narrowed_to_runs(scene: Scene) -> None:
    """With runs, only their stale tasks are taken."""
    reco, _, plots = chain(scene)
    scene.move(reco, NEW, PROCESSING, DONE, version=2)
    assert not reprocess_stale(scene.request(), "plots", "2").answers
    scene.task(3, "plots")
    assert len(reprocess_stale(scene.request(), "plots", "1-3").done) == 1
    assert scene.newest(plots).status is NEW


@pytest.fixture
def fills() -> Scene:
    made = Scene()
    made.runs(1, 2, fill=7)
    made.workflow("sum", group_by="fill")
    return made


def test_a_run_inside_a_group_means_the_groups_task(fills: Scene) -> None:
    """Two runs of one fill are one task; the fill can be named itself as well."""
    key = fills.task("fill:7", "sum", FAILED, members=(1, 2))
    assert [answer.unit for answer in retry(fills.request(), "1-2", "sum").done] == ["fill:7"]
    assert fills.newest(key).renewals == 1
    assert len(skip(fills.request(), "fill:7", "sum").done) == 1


def test_reprocess_takes_late_runs_into_a_group(fills: Scene) -> None:
    """A group's members are frozen anew: late runs come in, runs that left the group go out."""
    key = fills.task("fill:7", "sum", DONE, members=(1, 2))
    fills.runs(3, fill=7)
    fills.runs(1, fill=8)
    outcome = reprocess(fills.request(), "3", "sum")
    assert fills.newest(key).members == (2, 3)
    assert outcome.answers[0].runs == (2, 3)


def test_reprocess_takes_in_only_wanted_late_runs(fills: Scene) -> None:
    """Where the workflow wrote down which late runs it wants, others stay out; so do runs outside
    the campaign.
    """
    key = fills.task("fill:7", "sum", DONE, members=(1, 2))
    fills.runs(3, 4, fill=7)
    fills.workflow("sum", group_by="fill", late={"fill:7": [4]})
    reprocess(fills.request(), "fill:7", "sum")
    assert fills.newest(key).members == (1, 2, 4)
    fills.campaign(Campaign("some", None, ("sum",), runs="1-3"))
    fills.workflow("sum", "some", group_by="fill")
    other = fills.task("fill:7", "sum", DONE, members=(1, 2), campaign="some")
    reprocess(fills.request(campaign="some"), "1", "sum")
    assert fills.newest(other).members == (1, 2, 3)


def test_a_group_that_lost_all_its_runs_keeps_its_members(fills: Scene) -> None:
    """A group never becomes empty by reprocessing."""
    key = fills.task("fill:7", "sum", DONE, members=(1, 2))
    fills.runs(1, 2, fill=8)
    reprocess(fills.request(), "fill:7", "sum")
    assert fills.newest(key).members == (1, 2)


def test_a_run_without_the_grouping_attribute_has_no_task(fills: Scene) -> None:
    """The refusal names the attribute that the run lacks."""
    fills.runs(9)
    assert refusals(retry(fills.request(), "9", "sum")) == [
        "run 9 has no task in sum: the workflow groups by fill, which the run does not have yet."
    ]
