"""The stamp of a lease."""

from __future__ import annotations

from autoctrl.model.stamp import stamp
from tests.contract.samples import job, mark, output, run, task


def test_tasks_and_jobs_carry_it_and_nothing_else_does() -> None:
    """Runs, marks and outputs belong to no lease and stay what they are."""
    others = [run(1), mark(), output(task())]
    first, second = stamp([task()], 7, "mirror")[0], stamp([job(task())], 7, "mirror")[0]
    assert (first.epoch, first.environment) == (second.epoch, second.environment) == (7, "mirror")
    assert all(one is other for one, other in zip(stamp(others, 7, ""), others, strict=True))
