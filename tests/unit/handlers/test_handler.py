"""What authors may declare, and what becomes of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from autoctrl.errors import WorkflowError
from autoctrl.handlers.handler import Handler
from autoctrl.handlers.inline import InlineHandler
from autoctrl.handlers.inputs import Friend, Latest, Output
from autoctrl.locks import After, Has, Lookup, Wait
from autoctrl.model.job import JobSpec
from autoctrl.model.status import JobStatus, TaskStatus
from tests.unit.given import NOW, job, run, task, view
from tests.unit.handlers.declared import RAW, batch, raw, specs
from tests.unit.locks.looking import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Selection, Store

BAD: list[tuple[Callable[[], Handler], str]] = [
    (lambda: Handler("Reco"), "'Reco' is not a name for a workflow"),
    (lambda: Handler("r" * 201), "has 201 letters"),
    (lambda: Handler("re co"), "is not a name for a workflow"),
    (lambda: Handler("reco\n"), "is not a name for a workflow"),
    (lambda: batch(inputs={"RAW": RAW}), "'RAW' is not a name for an input"),
    (lambda: batch(outputs={"out-put": "x"}), "'out-put' is not a name for an output"),
    (lambda: batch(inputs={"raw": 5}), "input 'raw' is 5, which finds no files"),
    (
        lambda: batch(inputs={"raw": RAW}, outputs={"raw": "x"}),
        "'raw' names both an input and an output",
    ),
    (
        lambda: batch(inputs={"run": RAW}),
        "'run' cannot name an input or output; it already stands for something else",
    ),
    (lambda: batch(outputs={"cpus": "x"}), "'cpus' cannot name an input or output"),
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
    assert counting.asked == ["cal", "dq"]  # nothing passed cal, so nothing was asked of reco


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
