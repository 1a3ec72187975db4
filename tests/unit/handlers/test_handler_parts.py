"""Jobs in parts and how they are merged; functions as workflows; descriptions."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from autoctrl.handlers.handler import Handler
from autoctrl.handlers.inline import InlineHandler, inline
from autoctrl.handlers.inputs import Output
from autoctrl.locks import Wait
from autoctrl.model.job import MERGE_INDEX, FileInfo, JobSpec
from autoctrl.model.run import Where
from autoctrl.model.status import JobStatus
from autoctrl.model.task import InputRef
from tests.unit.given import file, job, task, view
from tests.unit.handlers.declared import RAW, RESOURCES, batch, raw, specs

SPLIT = {
    "split_events": 200,
    "inputs": {"raw": RAW, "pedestal": Output("pedestal")},
    "outputs": {"output": "reco{run}.root"},
}


@pytest.mark.parametrize(
    ("events", "is_closed", "ranges"),
    [
        (450, True, [(0, 200), (200, 400), (400, 450)]),
        (400, True, [(0, 200), (200, 400)]),
        (1, True, [(0, 1)]),
        (450, False, [(0, 200), (200, 400)]),
        (199, False, None),
        (0, True, None),
    ],
)
def test_events_are_split_into_ranges(
    events: int, *, is_closed: bool, ranges: list[tuple[int, int]] | None
) -> None:
    """Every event is in one range; while the run is open only whole ranges become jobs."""
    handler = batch("tool {first}:{last} {output}", **SPLIT)
    pedestal = InputRef("pedestal", "/p", 7, events=9)
    answer = specs(handler, raw(events), pedestal, is_closed=is_closed)
    if ranges is None:
        assert answer == Wait("input raw has no events yet")
    else:
        assert isinstance(answer, list)
        assert [spec.events for spec in answer] == ranges
        assert [spec.argv[1] for spec in answer] == [f"{first}:{last}" for first, last in ranges]


@pytest.mark.parametrize("refs", [[raw(None)], [], [raw(5), raw(5)]])
def test_a_split_waits_until_the_number_of_events_is_known(refs: list[InputRef]) -> None:
    """One file with a known number is needed."""
    answer = specs(batch("tool {first}", **SPLIT), *refs)
    assert answer == Wait("the number of events of input raw is not known yet")


def done(
    index: int, attempt: int, *files: FileInfo, events: tuple[int, int] | None = (0, 1)
) -> Any:
    spec = JobSpec(
        ("x",),
        {"output": "reco7.root", "plot": "p.png"},
        {"raw": ("/raw",)},
        {},
        900,
        60,
        1,
        "cern",
        events,
    )
    return job(JobStatus.DONE, index, attempt=attempt, files=files, spec=spec)


def test_a_single_root_file_is_merged_without_a_line() -> None:
    """The parts go in their order, whatever order they ended in, and the events wanted are all of
    theirs.
    """
    handler = batch("tool {first}", **SPLIT)
    parts = [
        done(1, 2, file(url="/o/1.2/reco7.root"), events=(200, 450)),
        done(0, 1, file(url="/o/0.1/reco7.root"), events=(0, 200)),
    ]
    spec = handler.merge(task(), parts)
    assert spec is not None
    urls = ("/o/0.1/reco7.root", "/o/1.2/reco7.root")
    assert spec.argv == (
        sys.executable,
        "-m",
        "autoctrl.science.rootio",
        "merge",
        "reco7.root",
        *urls,
    )
    assert (spec.inputs, spec.events, spec.memory_mb, spec.executor) == (
        {"parts": urls},
        (0, 450),
        900,
        "cern",
    )
    assert spec.outputs == {"output": "reco7.root", "plot": "p.png"}


def test_a_merge_is_set_up_as_its_parts_were_unless_it_is_ours() -> None:
    """A line of the author's needs the software of the parts; our own merge has its own Python."""
    first, second = done(0, 1, file()), done(1, 1, file(), events=(1, 2))
    parts = [
        each._replace(spec=each.spec._replace(setup=("/view.sh",))) for each in (first, second)
    ]
    lined = batch("tool {first}", merge_line="join {parts}", **SPLIT).merge(task(), parts)
    ours = batch("tool {first}", **SPLIT).merge(task(), parts)
    assert lined is not None
    assert ours is not None
    assert (lined.setup, ours.setup) == (("/view.sh",), ())


def test_a_merge_line_is_filled_with_the_parts() -> None:
    """``{parts}`` are those of the first output, ``{<output>_parts}`` of each; parts without ranges
    claim no events.
    """
    line = "m {output} {parts} {plot} {plot_parts} {run} {unit} {version}"
    handler = batch(None, jobs=lambda _: [], merge_line=line, outputs={"output": "o", "plot": "p"})
    parts = [done(n, 1, file(url=f"/{n}"), file("plot", f"/{n}.png"), events=None) for n in (0, 1)]
    spec = handler.merge(task(version=3), parts)
    assert spec is not None
    assert spec.argv == (
        "m",
        "reco7.root",
        "/0",
        "/1",
        "p.png",
        "/0.png",
        "/1.png",
        "4521",
        "4521",
        "3",
    )
    assert spec.events is None
    assert MERGE_INDEX == -1


def test_a_merge_without_ranges_must_keep_the_entries_of_its_parts() -> None:
    """Where every part's entries were counted the merged output must have their sum; else nothing
    is claimed.
    """
    handler = batch(None, jobs=lambda _: [], outputs={"output": "o.root"})
    counted = [done(n, 1, file(entries={"Events": 5 + n}), events=None) for n in (0, 1)]
    merged = handler.merge(task(), counted)
    assert merged is not None
    assert merged.events == (0, 11)
    unknown = handler.merge(task(), [counted[0], done(1, 1, file(), events=None)])
    assert unknown is not None
    assert unknown.events is None


def test_parts_without_a_way_to_merge_are_published_as_they_are() -> None:
    """Several outputs of listed jobs need no merge."""
    handler = batch(None, jobs=lambda _: [], outputs={"output": "o.txt"})
    assert handler.merge(task(), [done(0, 1), done(1, 1)]) is None


def test_an_inline_workflow_is_one_call() -> None:
    """Its deadline is its own, its executor the one for functions; equal specifications are one
    object.
    """
    handler = InlineHandler("dq", lambda _: None, deadline_s=5)
    (first,) = specs(handler)  # type: ignore[misc]
    assert first == JobSpec((), {}, {}, {}, 1500, 5, 2, "inline")
    assert specs(handler)[0] is first
    (other,) = handler.specs(view(7), RESOURCES._replace(cpus=1), (), is_closed=True)  # type: ignore[misc]
    assert other.cpus == 1
    filled = InlineHandler(
        "dq", lambda _: None, inputs={"raw": RAW}, outputs={"output": "dq{run}.json"}
    )
    (spec,) = specs(filled, raw(5))  # type: ignore[misc]
    assert (spec.inputs, spec.outputs) == ({"raw": ("/raw",)}, {"output": "dq7.json"})


@inline("plots", inputs={"reco": Output("reco")}, outputs={"plot": "plot{run}.png"}, deadline_s=5)
def draw(seen: Any) -> None:
    """Draw nothing."""


def test_a_function_is_declared_where_it_stands() -> None:
    """The decorated name is the handler, and knows its function."""
    assert (draw.workflow, draw.deadline_s, set(draw.after)) == ("plots", 5, {"reco"})
    assert draw.function.__name__ == "draw"
    (spec,) = specs(draw, InputRef("reco", "/reco7", 7))  # type: ignore[misc]
    assert (spec.inputs, spec.outputs) == ({"reco": ("/reco7",)}, {"plot": "plot7.png"})


def test_a_handler_says_who_does_its_work() -> None:
    """Functions are called by their own executor, commands run where the settings say."""
    assert (draw.executor_name, batch().executor_name) == ("inline", "")
    assert batch().function is None


def test_the_bare_contract_lists_nothing() -> None:
    """A handler that does not say what its jobs are is a mistake that shows at once, and it merges
    nothing.
    """
    handler = Handler("bare", resources={"cpus": 2}, retry_exit_codes=[75])
    with pytest.raises(NotImplementedError):
        specs(handler)
    assert handler.merge(task(), []) is None
    assert handler.retry_exit_codes == {75}


def count(task: Any) -> None:
    """Count nothing."""


def test_the_description_says_what_makes_the_versions() -> None:
    """What an author can change about the work is in it."""
    handler = batch(
        "tool {first}",
        **SPLIT,
        runs=Where(kind="physics"),
        environment={"A": "1"},
        merge_line="m {parts}",
    )
    assert handler.description == {
        "workflow": "reco",
        "kind": "BatchHandler",
        "runs": "Where(kind='physics')",
        "group_by": None,
        "outputs": {"output": "reco{run}.root"},
        "resources": {},
        "run_line": "tool {first}",
        "split_events": 200,
        "merge_line": "m {parts}",
        "environment": {"A": "1"},
    }
    call = InlineHandler("dq", count, deadline_s=5).description
    assert (call["function"], call["deadline_s"]) == ("count", 5)
