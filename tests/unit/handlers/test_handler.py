"""What authors may declare, and what becomes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from autoctrl.errors import WorkflowError
from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.handler import Handler, Resources
from autoctrl.handlers.inline import InlineHandler, inline
from autoctrl.handlers.inputs import Files, Friend, Latest, Output
from autoctrl.locks import After, Has, Lookup, Wait
from autoctrl.model.job import MERGE_INDEX, FileInfo, JobSpec
from autoctrl.model.run import Where
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import InputRef
from tests.unit.given import NOW, file, job, run, task, view
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Selection, Store

RESOURCES = Resources("cern", 1500, 600, 2)
RAW = Files("run{run:05d}.gz")


def batch(line: str | None = "tool", **declaration: Any) -> BatchHandler:
    return BatchHandler("reco", line, **declaration)


def specs(
    handler: Handler, *refs: InputRef, is_closed: bool = True, unit: Any = None, **facts: Any
) -> list[JobSpec] | Wait:
    """Return what the handler lists for run 7, or for the task given."""
    seen = unit or view(7, runs={7: run(7, **facts)})
    inputs = {ref.name: (ref.url,) for ref in refs}
    return handler.specs(seen._replace(inputs=inputs), RESOURCES, refs, is_closed=is_closed)


def raw(events: int | None) -> InputRef:
    return InputRef("raw", "/raw", 7, events=events)


BAD: list[tuple[Callable[[], Handler], str]] = [
    (lambda: Handler("Reco"), "'Reco' is not a name for a workflow"),
    (lambda: Handler("re co"), "is not a name for a workflow"),
    (lambda: Handler("reco\n"), "is not a name for a workflow"),
    (lambda: batch(inputs={"RAW": RAW}), "'RAW' is not a name for an input"),
    (lambda: batch(outputs={"out-put": "x"}), "'out-put' is not a name for an output"),
    (lambda: batch(inputs={"raw": 5}), "input 'raw' is 5, which finds no files"),
    (
        lambda: batch(inputs={"raw": RAW}, outputs={"raw": "x"}),
        "'raw' names an input and an output",
    ),
    (
        lambda: batch(inputs={"run": RAW}),
        "the name 'run' of an input or output stands for something else already",
    ),
    (lambda: batch(outputs={"cpus": "x"}), "the name 'cpus' of an input or output"),
    (
        lambda: batch(outputs={"output": "/abs"}),
        "output 'output' is '/abs', which lies outside the job's folder",
    ),
    (lambda: batch(outputs={"output": "../x"}), "lies outside"),
    (lambda: batch(outputs={"output": ""}), "lies outside"),
    (lambda: batch(outputs={"output": "x{fil}"}), r"unknown placeholder \{fil\}"),
    (lambda: batch(outputs={"output": "x{first}"}), r"unknown placeholder \{first\}"),
    (
        lambda: batch(outputs={"o": Friend("f.root", of="rec")}, inputs={"reco": RAW}),
        r"friend of 'rec'.*'reco'\?",
    ),
    (lambda: batch(resources={"memory": 5}), r"no resource 'memory'. Did you mean 'memory_mb'\?"),
    (lambda: batch(locks="reco"), "locks='reco' is not a lock"),
    (lambda: batch(None), "one of run_line, argv and jobs; 0 are given"),
    (lambda: batch("x", argv=["x"]), "2 are given"),
    (lambda: batch("tool {rw}", inputs={"raw": RAW}), r"unknown placeholder \{rw\}.*'raw'\?"),
    (lambda: batch("tool {first}"), r"unknown placeholder \{first\}"),
    (lambda: batch("tool {run}", group_by="fill"), r"unknown placeholder \{run\}"),
    (lambda: batch("tool {group}"), r"unknown placeholder \{group\}"),
    (lambda: batch(split_events=0, inputs={"raw": RAW}), "split_events=0 makes no parts"),
    (lambda: batch(split_events=5), "needs an input whose events are counted"),
    (
        lambda: batch(split_events=5, inputs={"raw": RAW}, outputs={"a": "a.txt"}),
        "cannot be merged without a merge_line",
    ),
    (
        lambda: batch(merge_line="m {part}", outputs={"a": "a.txt"}),
        r"merge_line: unknown placeholder \{part\}.*'parts'\?",
    ),
    (lambda: batch(merge_line="m {run.fill}"), r"merge_line cannot use \{run\.fill\}"),
    (
        lambda: batch(merge_line="m {first}", split_events=5, inputs={"raw": RAW}),
        r"unknown placeholder \{first\}",
    ),
    (lambda: InlineHandler("reco", 5), "function=5 cannot be called"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("declare", "text"), BAD)
def test_nonsense_is_refused_when_the_module_loads(
    declare: Callable[[], Handler], text: str
) -> None:
    """Each mistake is named with the workflow, and nothing is left for the first run to find
    out.
    """
    with pytest.raises(WorkflowError, match=text):
        declare()


def reason(handler: Handler, world: World, number: int = 7) -> str:
    """Return why the task of this run must wait, empty if nothing holds it."""
    waits = handler.lock.check([view(number)], world.look())
    return waits[str(number)].reason if waits else ""


def test_an_input_is_a_reason_to_wait_and_an_order() -> None:
    """What is read from another workflow need not be said a second time as a lock."""
    inputs = {"raw": RAW, "reco": Output("reco"), "pedestal": Latest("pedestal")}
    handler = batch(inputs=inputs)
    assert handler.after == {"reco", "pedestal"}
    world = World().declares("reco").declares("pedestal")
    world.has("reco", "7", TaskStatus.PROCESSING)
    assert reason(handler, world) == "waits for reco of run 7 (processing)"
    world.has("reco", "8")
    assert reason(handler, world, 8) == "waits for pedestal: there is none at or before run 8"
    assert batch(inputs={"raw": RAW}).after == frozenset()


def test_locks_and_inputs_hold_together() -> None:
    """A lock joins what the inputs wait for; the same workflow is not named twice."""
    given = After("reco") & Has("fill")
    handler = batch(locks=given, inputs={"reco": Output("reco"), "dq": Output("dq")})
    assert handler.after == {"reco", "dq"}
    text = "of which no cycle is known yet"
    told = f"waits for reco, {text}; run 7 has no fill yet; waits for dq, {text}"
    assert reason(handler, World()) == told
    assert batch(locks=given, inputs={"reco": Output("reco")}).lock is given


def test_skipped_members_hold_a_task_only_where_they_are_read() -> None:
    """``Output(…, skipped=True)`` waits as ``After(…, skipped=True)`` does."""
    world = World().declares("reco")
    world.has("reco", "7", TaskStatus.SKIPPED)
    assert reason(batch(inputs={"reco": Output("reco", skipped=True)}), world) == ""
    assert "(skipped)" in reason(batch(inputs={"reco": Output("reco")}), world)


class CountingStore:
    """A store that notes of which workflow tasks were asked."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []

    def tasks(self, chosen: Selection) -> list[TaskRecord]:
        self.asked += chosen.workflows or ()
        return self.store.tasks(chosen)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def test_all_questions_about_many_tasks_are_one_per_workflow() -> None:
    """However many tasks wait, a cycle does not ask the store about each."""
    world = World().declares("reco").declares("dq")
    handler = batch(inputs={"reco": Output("reco"), "dq": Output("dq")}, locks=After("cal", "reco"))
    for number in range(100):
        world.has("reco", str(number))
    world.declares("cal")
    counting = CountingStore(world.store)
    look = Lookup(cast("Store", counting), "prompt", NOW, folder=Path("/project"))
    waits = handler.lock.check([view(number) for number in range(100)], look)
    assert len(waits) == 100
    assert sorted(counting.asked) == ["cal", "dq", "reco"]


def test_a_plain_workflow_takes_every_run_and_is_one_job() -> None:
    """Without a word more, one command per run is all there is."""
    handler = batch(
        "tool {run:05d} {unit} {campaign} {workflow} {version} {cpus} {memory_mb} {python}"
    )
    (spec,) = specs(handler)  # type: ignore[misc]
    words = ("tool", "00007", "7", "prompt", "reco", "1", "2", "1500", sys.executable)
    assert spec == JobSpec(words, {}, {}, {}, 1500, 600, 2, "cern")
    assert handler.where.admits({}) is True
    assert handler.merge(task(), [job(JobStatus.DONE), job(JobStatus.DONE, 1)]) is None


def test_inputs_outputs_settings_and_attributes_fill_the_line() -> None:
    """Files by name, ``{campaign.<setting>}`` and ``{run.<attribute>}``, and the environment go
    into the intent.
    """
    line = "tool {raw} {output} {campaign.tag} {run.kind} {run.stable} {run.hv:.1f} {folder}"
    handler = batch(
        line, inputs={"raw": RAW}, outputs={"output": "r{run:03d}.root"}, environment={"A": "1"}
    )
    unit = view(7, runs={7: run(7, kind="physics", stable=True, hv=1.0)})._replace(
        settings={"tag": 5}
    )
    (spec,) = specs(handler, raw(None), unit=unit)  # type: ignore[misc]
    assert spec.argv == (
        "tool",
        "/raw",
        "r007.root",
        "5",
        "physics",
        "true",
        "1.0",
        str(handler.folder),
    )
    assert (spec.outputs, spec.inputs, spec.environment) == (
        {"output": "r007.root"},
        {"raw": ("/raw",)},
        {"A": "1"},
    )


def test_an_attribute_that_is_not_known_yet_is_a_reason_to_wait() -> None:
    """In a line as in an output's name."""
    assert specs(batch("tool {run.fill}")) == Wait("{run.fill} has no value yet")
    assert specs(batch(outputs={"output": "{run.fill}.txt"})) == Wait("{run.fill} has no value yet")
    call = InlineHandler("dq", lambda _: None, outputs={"output": "{run.fill}.txt"})
    assert specs(call) == Wait("{run.fill} has no value yet")


def test_a_time_as_attribute_is_written_as_text() -> None:
    """What is neither text nor number is shown as Python shows it."""
    (spec,) = specs(batch("tool {run.start}"), start=task().time)  # type: ignore[misc]
    assert spec.argv == ("tool", "2026-03-01 11:59:00+00:00")


def test_a_group_is_named_by_its_value() -> None:
    """``{group}`` is the fill, ``{unit}`` the unit."""
    handler = batch("tool {group} {unit}", group_by="fill", outputs={"output": "fill{group}.txt"})
    (spec,) = specs(handler, unit=view(1, 2, unit="fill:5"))  # type: ignore[misc]
    assert (spec.argv, spec.outputs) == (("tool", "5", "fill:5"), {"output": "fill5.txt"})


def test_argv_and_jobs_are_other_ways_to_say_it() -> None:
    """Words as a list are filled; a function's words are taken as they are, one job per list."""
    (spec,) = specs(batch(None, argv=["tool", "run {run}"]))  # type: ignore[misc]
    assert spec.argv == ("tool", "run 7")
    listed = specs(batch(None, jobs=lambda task: [["a", task.run], ["b", "{run}"]]))
    assert [one.argv for one in listed] == [("a", "7"), ("b", "{run}")]  # type: ignore[union-attr]


def test_a_function_that_raises_makes_its_task_wait() -> None:
    """One task's trouble is its reason to wait, and stops no other."""
    handler = batch(None, jobs=lambda task: [[task.attributes["fill"]]])
    assert specs(handler) == Wait("jobs raised KeyError: 'fill'")


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
