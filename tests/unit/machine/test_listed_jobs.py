"""What a function that lists jobs is told about its task."""

from __future__ import annotations

from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.handler import Resources
from autoctrl.locks import Wait
from tests.unit.given import run, view

RESOURCES = Resources("local", 1500, 600, 2)


def test_a_function_that_lists_jobs_knows_the_names_of_the_outputs() -> None:
    """``task.outputs`` holds the file names that the jobs are expected to write."""
    handler = BatchHandler(
        "reco",
        jobs=lambda task: [["tool", task.outputs["output"]]],
        outputs={"output": "reco{run:05d}.root"},
    )
    (spec,) = handler.specs(view(7, runs={7: run(7)}), RESOURCES, (), is_closed=True)  # type: ignore[misc]
    assert spec.argv == ("tool", "reco00007.root")


def test_a_function_that_lists_jobs_waits_until_the_outputs_have_names() -> None:
    """An attribute that an output's name needs and that is not known yet is the reason to wait."""
    handler = BatchHandler(
        "reco", jobs=lambda _: [["tool"]], outputs={"output": "reco{run.fill}.root"}
    )
    answer = handler.specs(view(7, runs={7: run(7)}), RESOURCES, (), is_closed=True)
    assert answer == Wait("{run.fill} has no value yet")


def test_an_empty_list_of_jobs_is_a_reason_to_wait() -> None:
    """A task is never done because nobody did anything for it."""
    handler = BatchHandler("reco", jobs=lambda _: [], outputs={"output": "reco.root"})
    answer = handler.specs(view(7, runs={7: run(7)}), RESOURCES, (), is_closed=True)
    assert answer == Wait("jobs lists nothing to do yet")
