"""What follows from the inputs that versions recorded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.model.staleness import by_workflow, consumers, is_stale, upstream_versions
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import InputRef, TaskRecord
from autoctrl.model.unit import TaskKey
from tests.unit.given import task


def key(workflow: str) -> TaskKey:
    return TaskKey("prompt", workflow, "4521")


def reads(workflow: str, version: int = 1) -> InputRef:
    return InputRef(
        "in", "/f", 1, workflow=workflow, unit="4521", version=version, campaign="prompt"
    )


def made(
    workflow: str, *inputs: InputRef, status: TaskStatus = TaskStatus.DONE, version: int = 1
) -> TaskRecord:
    return task(status, key=key(workflow), inputs=inputs, version=version)


def test_raw_files_have_no_upstream_version() -> None:
    """Only inputs that a workflow made count."""
    assert upstream_versions(made("reco", InputRef("raw", "/raw", 1), reads("pedestal", 2))) == {
        key("pedestal"): 2
    }


def test_a_done_task_is_stale_once_its_input_has_a_newer_version_that_is_done() -> None:
    """A newer version that is still on its way, the same version, an unknown task and an open
    reader are not stale.
    """
    reader = made("reco", reads("pedestal", 1))
    assert is_stale(reader, {key("pedestal"): made("pedestal", version=2)})
    assert not is_stale(reader, {key("pedestal"): made("pedestal", version=1)})
    assert not is_stale(
        reader, {key("pedestal"): made("pedestal", version=2, status=TaskStatus.PROCESSING)}
    )
    assert not is_stale(reader, {})
    opened = made("reco", reads("pedestal", 1), status=TaskStatus.PROCESSING)
    assert not is_stale(opened, {key("pedestal"): made("pedestal", version=2)})


def test_a_done_task_is_stale_once_a_file_that_it_read_has_changed() -> None:
    """A file that changed makes those stale that read it, as it was, and are done."""
    constants = InputRef("constants", "/c.toml", 10, "sha256:00")
    reader = made("friends", reads("reco", 1), constants)
    assert is_stale(reader, {}, frozenset({constants}))
    assert not is_stale(reader, {}, frozenset({constants._replace(checksum="sha256:11")}))
    assert not is_stale(
        made("friends", constants, status=TaskStatus.PROCESSING), {}, frozenset({constants})
    )
    assert not is_stale(made("reco", reads("pedestal", 1)), {}, frozenset({constants}))


def test_consumers_are_found_through_others_nearest_first() -> None:
    """A chain and a diamond give each consumer once, none of the roots, and nobody who reads
    something else.
    """
    tasks = [
        made("friends", reads("reco")),
        made("reco", reads("pedestal")),
        made("dq", reads("reco"), reads("friends")),
        made("other", reads("elsewhere")),
    ]
    assert [found.key.workflow for found in consumers([key("pedestal")], tasks)] == [
        "reco",
        "friends",
        "dq",
    ]
    assert [found.key.workflow for found in consumers([key("pedestal"), key("reco")], tasks)] == [
        "friends",
        "dq",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda edge: edge[0] < edge[1]))
)
def test_consumers_are_all_that_can_be_reached(edges: set[tuple[int, int]]) -> None:
    """Against the transitive closure by repetition: the same tasks, each once."""
    tasks = [made(str(n), *(reads(str(a)) for a, b in sorted(edges) if b == n)) for n in range(6)]
    reached = {0}
    for _ in range(6):
        reached |= {b for a, b in edges if a in reached}
    found = [record.key.workflow for record in consumers([key("0")], tasks)]
    assert sorted(found) == sorted(str(n) for n in reached - {0})


def test_tasks_are_asked_for_workflow_by_workflow() -> None:
    """Each campaign and workflow is one question with all its units, in order."""
    keys = [
        TaskKey("prompt", "reco", "2"),
        TaskKey("again", "reco", "1"),
        TaskKey("prompt", "reco", "1"),
    ]
    assert by_workflow(keys) == {("again", "reco"): ("1",), ("prompt", "reco"): ("1", "2")}
