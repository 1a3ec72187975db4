"""Cycles of tasks with several jobs: they grow with their run, are merged, and are retried part by
part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl import verbs
from autoctrl.handlers.batch import BatchHandler
from autoctrl.handlers.inputs import Files
from autoctrl.model.status import Failure, JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey
from tests.unit.given import file

if TYPE_CHECKING:
    from autoctrl.ports import Record
    from tests.unit.machine.room import Room


NEW, PROCESSING, DONE, FAILED = (
    TaskStatus.NEW,
    TaskStatus.PROCESSING,
    TaskStatus.DONE,
    TaskStatus.FAILED,
)


GROWING = {"split_events": 200, "inputs": {"raw": Files("run{run}.gz")}, "while_open": True}


def test_a_growing_task_takes_new_ranges_and_ends_with_its_run(room: Room) -> None:
    """A job per whole range while the run is open; the rest, and done, come with its end."""
    handler = BatchHandler("reco", "tool {first}:{last}", **GROWING)  # type: ignore[arg-type]
    (room.settings.folder / "run7.gz").touch()
    room.has_run(7, is_closed=False, events=250)
    room.cycle(handler)
    room.has_run(7, is_closed=False, events=450)
    room.cycle(handler)
    assert [order.spec.argv[1] for order in room.jobs.orders] == ["0:200", "200:400"]
    for index in (0, 1):
        room.jobs.finish(f"7/v1/{index}.1")
    room.cycle(handler)
    assert room.task("reco", "7").status is PROCESSING
    room.has_run(7, events=450)
    room.cycle(handler)
    assert room.jobs.orders[-1].spec.argv[1] == "400:450"
    room.jobs.finish("7/v1/2.1")
    room.cycle(handler)
    assert room.task("reco", "7").status is DONE


def test_the_history_of_a_task_is_read_once_however_many_parts_were_lost(room: Room) -> None:
    """Looking for late results costs one question for each task and cycle, not one for each job."""
    handler = BatchHandler("reco", jobs=lambda _: [["tool", str(part)] for part in range(20)])
    room.cycle(handler)
    for part in range(20):
        room.jobs.report(f"1/v1/{part}.1", JobStatus.LOST, "the node died", Failure.NODE)
    room.cycle(handler)
    room.cycle(handler, pass_s=3600)
    assert len(room.jobs.orders) == 40
    ask, asked = room.store.history, list[TaskKey]()

    def count(task: TaskKey) -> list[Record]:
        asked.append(task)
        return ask(task)

    room.store.history = count  # type: ignore[method-assign]
    room.cycle(handler)
    assert len(asked) == 1


def test_a_retried_growing_task_loses_no_events(room: Room) -> None:
    """Parts that are done stay, and the ranges that came meanwhile follow them."""
    handler = BatchHandler("reco", "tool {first}:{last}", **GROWING)  # type: ignore[arg-type]
    (room.settings.folder / "run7.gz").touch()
    room.has_run(7, is_closed=False, events=400)
    room.cycle(handler)
    room.jobs.finish("7/v1/0.1")
    room.jobs.finish("7/v1/1.1", exit_code=1)
    room.cycle(handler)
    assert room.task("reco", "7").status is FAILED
    room.has_run(7, events=650)
    verbs.retry(room.request(), "7", "reco")
    room.cycle(handler)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1", "1.1", "1.2", "2.1", "3.1"]
    assert [order.spec.argv[1] for order in room.jobs.orders[2:]] == [
        "200:400",
        "400:600",
        "600:650",
    ]


def test_parts_are_merged_published_and_deleted(room: Room) -> None:
    """The merge reads the parts; only its output is published, and the parts' files go after that
    record.
    """
    handler = BatchHandler(
        "reco", None, jobs=lambda _: [["a"], ["b"]], merge_line="m {parts}", outputs={"output": "o"}
    )
    room.cycle(handler)
    parts = [room.settings.folder / f"part{n}" for n in (0, 1)]
    for index, part in enumerate(parts):
        part.touch()
        room.jobs.finish(f"1/v1/{index}.1", files=[file(url=str(part))])
    room.cycle(handler)
    assert room.jobs.orders[-1].spec.argv == ("m", *map(str, parts))
    assert all(part.exists() for part in parts)
    room.jobs.finish("1/v1/merge.1", files=[file(url="/out/all")])
    parts[0].unlink()
    room.cycle(handler)
    assert [output.url for output in room.outputs("reco")] == ["/out/all"]
    assert not any(part.exists() for part in parts), "one that is gone already is no error"


def test_a_retry_keeps_done_parts_with_their_inputs(room: Room) -> None:
    """What the version read is not looked up again; only the failed part runs once more."""
    raw = room.settings.folder / "run1.gz"
    raw.touch()
    handler = BatchHandler(
        "reco", None, jobs=lambda _: [["a"], ["b"]], inputs={"raw": Files("run{run}.gz")}
    )
    room.cycle(handler)
    room.jobs.finish("1/v1/0.1")
    room.jobs.finish("1/v1/1.1", exit_code=1)
    room.cycle(handler)
    raw.unlink()
    verbs.retry(room.request(), "1", "reco")
    room.cycle(handler)
    assert [order.tag[-3:] for order in room.jobs.orders] == ["0.1", "1.1", "1.2"]
    assert [ref.url for ref in room.task("reco").inputs] == [str(raw)]
