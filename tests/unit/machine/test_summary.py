"""Summaries of cycles as people and programs read them."""

from __future__ import annotations

from autoctrl.machine.situation import ActionKind
from autoctrl.machine.summary import PAST, Move, Summary, describe_summary, summary_values

FULL = Summary(
    "reco",
    after=("pedestal",),
    counts={"birth": 2, "start": 1, "fail": 1},
    moved=7,
    open=(3, 4),
    failed=("run 1 / reco: exit code 3",),
    moves=(Move("1", "fail", "exit code 3"),),
    problems=("executor local does not answer",),
)


def test_a_summary_is_one_line_and_one_for_each_failure_and_problem() -> None:
    """What was done, what is open, what failed, what could not be asked."""
    assert describe_summary(FULL).splitlines() == [
        "reco: 2 born, 1 started, 1 failed (3 new, 4 processing)",
        "  failed: run 1 / reco: exit code 3",
        "  problem: executor local does not answer",
    ]


def test_a_cycle_that_did_nothing_says_so() -> None:
    """Silence would look like a fault."""
    assert describe_summary(Summary("reco")) == "reco: nothing to do (0 new, 0 processing)"


def test_a_cycle_that_could_not_work_gives_its_error() -> None:
    """And nothing that would look like a result."""
    assert describe_summary(Summary("reco", error="the store is gone")) == "reco: the store is gone"


def test_every_kind_of_action_has_a_past() -> None:
    """No raw word of the program reaches people."""
    assert set(PAST) == {str(kind) for kind in ActionKind}


def test_json_has_the_schema_and_every_value() -> None:
    """A program reads the same facts under stable names."""
    assert summary_values(FULL) == {
        "workflow": "reco",
        "after": ["pedestal"],
        "actions": {"birth": 2, "start": 1, "fail": 1},
        "records": 7,
        "new": 3,
        "processing": 4,
        "failed": ["run 1 / reco: exit code 3"],
        "problems": ["executor local does not answer"],
        "error": "",
    }


def test_tasks_that_fail_alike_are_one_line() -> None:
    """With the first one's reason; whatever else it says is another line, and what did not fail is
    none.
    """
    moves = [Move(str(run), "fail", f"job 0.1 failed: no /data/{run}") for run in range(1, 301)]
    others = [Move("fill:7", "fail", "no disk"), Move("900", "finish", "no disk")]
    summary = Summary("reco", moves=(*moves, *others))
    assert describe_summary(summary).splitlines()[1:] == [
        "  failed: runs 1-300 / reco: job 0.1 failed: no /data/1",
        "  failed: fill 7 / reco: no disk",
    ]
