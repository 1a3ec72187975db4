"""What a workflow writes down about itself, as its mark."""

from __future__ import annotations

from autoctrl.model.workflow import UNSEEN, Cursor, WorkflowState, read_workflow

STATE = WorkflowState(
    Cursor(7, "abc", {"3": (1, 2)}, 4, "4"),
    group_by="fill",
    after=("calib", "reco"),
    late={"fill:2": (9,)},
    kept=frozenset({5, 3}),
    where={"kind": "'physics'"},
)
STORED = {
    "position": 7,
    "digest": "abc",
    "pending": {"3": [1, 2]},
    "newest": 4,
    "ended": "4",
    "group_by": "fill",
    "after": ["calib", "reco"],
    "late": {"fill:2": [9]},
    "kept": [3, 5],
    "where": {"kind": "'physics'"},
}


def test_what_was_written_is_read_again() -> None:
    """A mark's values hold the whole state, in the spelling that stores already have."""
    values = STATE.values()
    assert {**values, "pending": {"3": list(values["pending"]["3"])}} == STORED
    assert read_workflow(STORED) == read_workflow(values) == STATE


def test_what_a_mark_lacks_is_as_before_the_first_cycle() -> None:
    """Marks of early versions hold less, and a workflow that was only named holds nothing."""
    assert read_workflow({}) == UNSEEN
    assert not UNSEEN.has_looked
    assert read_workflow({"position": 0}).has_looked
    assert UNSEEN.values()["late"] == {}


def test_runs_are_found_where_they_wait_or_came_too_late() -> None:
    """A run is pending in its group until that closes; one that came later is late."""
    assert STATE.is_pending("3", 1)
    assert not STATE.is_pending("4", 1)
    assert (STATE.late_runs("fill:2"), STATE.late_runs("fill:3")) == ((9,), ())
    assert UNSEEN.late_runs("fill:2") == ()
