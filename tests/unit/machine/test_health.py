"""Numbers about the cycles that people follow over time."""

from __future__ import annotations

from autoctrl.machine.health import measure_health
from autoctrl.machine.summary import Summary


def test_a_round_is_the_sum_of_its_workflows() -> None:
    """Open tasks and jobs add up, and a host counts once whatever runs there."""
    reco = Summary("reco", open=(3, 2), jobs={"running": 2, "idle": 1}, hosts=("n1", "n2"))
    plots = Summary("plots", open=(1, 1), jobs={"running": 1, "done": 4}, hosts=("n2",))
    assert measure_health([reco, plots], 1.5, 12.0, 8) == {
        "slots": 8.0,
        "tasks_new": 4.0,
        "tasks_processing": 3.0,
        "jobs_idle": 1.0,
        "jobs_running": 3.0,
        "jobs_held": 0.0,
        "nodes": 2.0,
        "round_s": 1.5,
        "free_mb": 12.0,
    }


def test_what_nobody_knows_is_left_out() -> None:
    """A disk that does not answer is not an empty one."""
    assert {"free_mb", "slots"}.isdisjoint(measure_health([], 0.1, None))
