"""Skip, fail and complete, and what every verb has in common: leases, dry runs, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import LeaseHeld, UsageError
from autoctrl.model.campaign import Campaign
from autoctrl.model.job import FileInfo
from autoctrl.model.output import OutputRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord
from autoctrl.verbs import (
    complete,
    fail,
    pause,
    reprocess,
    reprocess_stale,
    retry,
    skip,
)
from tests.unit.scene import ANNA, Scene, refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.verbs import Request

NEW, PROCESSING, DONE, FAILED, SKIPPED = TaskStatus
FILE = FileInfo("output", "/data/reco.root", 10, "sha256:aa", {"Events": 5})


@pytest.mark.parametrize("status", [NEW, FAILED])
def test_skip_takes_new_and_failed_tasks(scene: Scene, status: TaskStatus) -> None:
    """A new or failed task is skipped with the person's reason."""
    key = scene.task(1, status=status)
    skip(scene.request("beam was off"), "1", "reco")
    assert (scene.newest(key).status, scene.newest(key).reason) == (SKIPPED, "beam was off")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            DONE,
            (
                "run 1 / reco is done; it cannot become skipped: "
                "it is over; reprocess begins its next version."
            ),
        ),
        (
            PROCESSING,
            (
                "run 1 / reco is processing; it cannot become skipped: "
                "it is at work; fail ends it, or it ends by itself."
            ),
        ),
        (SKIPPED, "run 1 / reco is skipped; skip takes tasks that are new or failed."),
    ],
)
def test_skip_refuses_other_statuses(scene: Scene, status: TaskStatus, text: str) -> None:
    """Skip says of any other task why it leaves it alone."""
    scene.task(1, status=status)
    assert refusals(skip(scene.request(), "1", "reco")) == [text]


def test_fail_asks_the_machine_to_remove_the_jobs(scene: Scene) -> None:
    """A processing task stays so, marked as stopping, until its jobs are gone."""
    key = scene.task(1, status=PROCESSING)
    fail(scene.request("rubbish"), "1", "reco")
    task = scene.newest(key)
    assert (task.status, task.stopping, task.reason, task.actor) == (
        PROCESSING,
        True,
        "rubbish",
        ANNA,
    )


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            NEW,
            (
                "run 1 / reco is new; it cannot become failed: "
                "it has not begun; a cycle begins it, skip takes it out."
            ),
        ),
        (FAILED, "run 1 / reco is failed; fail takes tasks that are processing."),
    ],
)
def test_fail_refuses_other_statuses(scene: Scene, status: TaskStatus, text: str) -> None:
    """Fail says of a task that is not processing why it leaves it alone."""
    scene.task(1, status=status)
    assert refusals(fail(scene.request(), "1", "reco")) == [text]


@pytest.mark.parametrize(
    ("status", "path"), [(NEW, [PROCESSING, DONE]), (FAILED, [NEW, PROCESSING, DONE])]
)
def test_complete_goes_through_processing_to_done(
    scene: Scene, status: TaskStatus, path: list[TaskStatus]
) -> None:
    """Completing by hand walks the permitted transitions in one write and publishes the files
    before done.
    """
    key = scene.task(1, status=status)
    before = len(scene.store.history(key))
    outcome = complete(scene.request(), "1", "reco", [FILE])
    written = scene.store.history(key)[before:]
    assert [record.status for record in written if isinstance(record, TaskRecord)] == path
    assert all(record.actor == ANNA for record in written if isinstance(record, TaskRecord))
    (output,) = (record for record in written if isinstance(record, OutputRecord))
    assert (output.url, output.checksums, output.entries, output.members) == (
        FILE.url,
        {"sha256": "aa"},
        {"Events": 5},
        (1,),
    )
    assert outcome.answers[0].after is DONE


@pytest.mark.parametrize("status", [PROCESSING, DONE, SKIPPED])
def test_complete_refuses_other_statuses(scene: Scene, status: TaskStatus) -> None:
    """Complete leaves a task alone that is neither new nor failed, and says so."""
    scene.task(1, status=status)
    text = f"run 1 / reco is {status}; complete takes tasks that are new or failed."
    assert refusals(complete(scene.request(), "1", "reco", [FILE])) == [text]


def test_complete_does_not_give_one_file_to_two_tasks(scene: Scene) -> None:
    """The same files cannot complete several tasks; without files they can."""
    scene.task(1)
    scene.task(2)
    with pytest.raises(UsageError, match="2 tasks cannot be completed with the same output files"):
        complete(scene.request(), "1-2", "reco", [FILE])
    assert len(complete(scene.request(), "1-2", "reco", []).done) == 2


def test_what_is_possible_is_done_and_the_rest_refused(scene: Scene) -> None:
    """Of many runs, each is answered for; the possible ones are moved in one write."""
    scene.task(1, status=FAILED)
    scene.task(2, status=DONE)
    outcome = retry(scene.request(), "1-4", "reco")
    assert [answer.unit for answer in outcome.done] == ["1"]
    assert [text.partition(";")[0].partition(":")[0] for text in refusals(outcome)] == [
        "run 2 / reco is done",
        "run 3 / reco has no task",
        "run 4 has no task in reco",
    ]
    assert "not registered" in refusals(outcome)[2]


def test_a_dry_run_writes_nothing_and_takes_no_lease(scene: Scene) -> None:
    """A dry run answers as the verb would, even while somebody else holds the lease."""
    key = scene.task(1, status=FAILED)
    scene.store.lease("prompt/reco", "cycle", 60)
    outcome = retry(scene.request(dry_run=True), "1", "reco")
    assert outcome.answers[0].after is NEW
    assert scene.newest(key).status is FAILED


def test_a_verb_waits_for_the_lease_and_then_says_who_holds_it(scene: Scene) -> None:
    """While a cycle holds the lease the verb waits its ten seconds, then names the holder; nothing
    is written.
    """
    key = scene.task(1, status=FAILED)
    scene.store.lease("prompt/reco", "the cycle", 60)
    with pytest.raises(LeaseHeld, match=r"Nothing was done: .*the cycle.* Waited 10 s") as caught:
        retry(scene.request(), "1", "reco")
    assert sum(scene.slept) == pytest.approx(10, abs=0.3)
    assert caught.value.hint
    assert scene.newest(key).status is FAILED


def test_a_verb_goes_on_when_the_lease_is_given_up(scene: Scene) -> None:
    """A lease that is given up while the verb waits is taken, and given up again at the end."""
    scene.task(1, status=FAILED)
    scene.store.lease("prompt/reco", "the cycle", 60)

    def give_up(seconds: float) -> None:
        scene.clock.advance(seconds)
        scene.store.lease("prompt/reco", "the cycle", 0)

    assert retry(scene.request(sleep=give_up), "1", "reco").done
    scene.store.lease("prompt/reco", "another", 60)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda request: retry(request, "1", "rco"),
            "Campaign prompt has no workflow 'rco'. Did you mean 'reco'?",
        ),
        (lambda request: pause(request, "rco"), "Did you mean 'reco'"),
        (lambda request: reprocess_stale(request, "rco"), "Did you mean 'reco'"),
        (lambda request: retry(request, "1-x", "reco"), "'1-x' is not a run selection"),
        (
            lambda request: retry(request._replace(campaign="promt"), "1", "reco"),
            "no campaign 'promt'. Did you mean 'prompt'",
        ),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(
    scene: Scene, call: Callable[[Request], object], text: str
) -> None:
    """An unknown workflow or campaign and a nonsense selection are refused before anything is
    done.
    """
    with pytest.raises(UsageError) as caught:
        call(scene.request())
    assert text in str(caught.value)


def test_a_workflow_of_the_parent_is_moved_in_the_parent_only(scene: Scene) -> None:
    """A campaign that looks a workflow up in its parent refuses to move it, and says where it can
    be moved.
    """
    scene.campaign(Campaign("again", "prompt", ("friends",), runs="1-2"))
    with pytest.raises(UsageError, match=r"looks it up in prompt. Use --campaign prompt"):
        retry(scene.request(campaign="again"), "1", "reco")


def test_a_workflow_that_made_no_cycle_yet_has_no_tasks(scene: Scene) -> None:
    """A workflow that the campaign lists is known before its first cycle; its tasks are not
    there.
    """
    scene.campaign(Campaign("again", "prompt", ("reco",), runs="1-2"))
    (text,) = refusals(skip(scene.request(campaign="again"), "1", "reco"))
    assert text.startswith("run 1 / reco has no task: the workflow has not looked at it yet")


def test_nothing_starts_in_a_closed_campaign(scene: Scene) -> None:
    """Retry, reprocess and complete are refused in a closed campaign; skipping is not."""
    scene.campaign(Campaign("old", None, ("reco",), runs="1-2", closed=True))
    scene.workflow("reco", "old")
    scene.task(1, status=FAILED, campaign="old")
    request = scene.request(campaign="old")
    for call in (
        retry,
        reprocess,
        lambda asked, runs, workflow: complete(asked, runs, workflow, []),
    ):
        with pytest.raises(UsageError, match="Campaign old is closed"):
            call(request, "1", "reco")
    with pytest.raises(UsageError, match="Campaign old is closed"):
        reprocess_stale(request, "reco")
    assert skip(request, "1", "reco").done
