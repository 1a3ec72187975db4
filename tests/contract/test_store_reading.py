"""What every store must find: open tasks, tasks by key, history, runs, marks and outputs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from autoctrl.model.output import FieldsRecord, LocationState, MarkRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.ports import Selection
from tests.contract.samples import NOW, finish, job, mark, output, run, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.ports import Store


class TestOpenTasks:
    """What is open is found with its jobs."""

    def test_statuses(self, store: Store) -> None:
        """New and processing tasks are open; done, failed and skipped ones are not."""
        new, failed, skipped, processing = task("1"), task("2"), task("3"), task("4")
        now_processing = processing.moved(TaskStatus.PROCESSING, NOW)
        failing = failed.moved(TaskStatus.PROCESSING, NOW)
        finish(store, task("5"))
        store.append([new, failed, failing, failing.moved(TaskStatus.FAILED, NOW)])
        store.append([skipped, skipped.moved(TaskStatus.SKIPPED, NOW), processing, now_processing])
        assert [found.task for found in store.open_tasks("prompt")] == [new, now_processing]

    def test_order(self, store: Store) -> None:
        """They are ordered by workflow and unit: runs by number, then groups by value."""
        units = ["fill:90", "10", "9", "fill:100", "2"]
        store.append([task(unit, workflow) for workflow in ("reco", "dq") for unit in units])
        expected = [
            (workflow, unit)
            for workflow in ("dq", "reco")
            for unit in ("2", "9", "10", "fill:90", "fill:100")
        ]
        assert [found.task.key[1:] for found in store.open_tasks("prompt")] == expected
        assert [found.task.key.unit for found in store.open_tasks("prompt", "dq")] == [
            unit for _, unit in expected[:5]
        ]

    def test_narrowing(self, store: Store) -> None:
        """Other campaigns and workflows are left out."""
        store.append([task(), task(workflow="dq"), task(campaign="again")])
        assert [found.task for found in store.open_tasks("again")] == [task(campaign="again")]
        assert [found.task for found in store.open_tasks("prompt", "dq")] == [task(workflow="dq")]
        assert store.open_tasks("prompt", "no") == store.open_tasks("no") == []

    def test_newest_job_of_each_index(self, store: Store) -> None:
        """Of each job the newest record is given, by index, the merge first."""
        processing = task().moved(TaskStatus.PROCESSING, NOW)
        parts = [job(processing, index) for index in (10, 2, -1)]
        moved = parts[1].moved(JobStatus.RUNNING, NOW, handle="h1")
        store.append([task(), processing, *parts, moved])
        assert store.open_tasks("prompt")[0].jobs == (parts[2], moved, parts[0])

    def test_jobs_of_the_present_version(self, store: Store) -> None:
        """After a reprocessing the jobs of earlier versions are history."""
        done = finish(store, task())
        again = done.moved(TaskStatus.NEW, NOW, version=2)
        old, new = job(done), job(again)
        store.append([old, again])
        assert store.open_tasks("prompt")[0].jobs == ()
        store.append([new])
        assert store.open_tasks("prompt")[0].jobs == (new,)

    def test_reopening(self, store: Store) -> None:
        """A task that is retried is open again."""
        done = finish(store, task())
        assert store.open_tasks("prompt") == []
        store.append([done.moved(TaskStatus.NEW, NOW, version=2)])
        assert len(store.open_tasks("prompt")) == 1


class TestTasks:
    """Tasks are found by key, whatever their status."""

    SELECTIONS: tuple[tuple[Selection, list[str]], ...] = (
        (Selection("prompt"), ["dq/1", "dq/2", "reco/1", "reco/2", "reco/10"]),
        (Selection("prompt", ("reco",)), ["reco/1", "reco/2", "reco/10"]),
        (Selection("prompt", ("dq", "no")), ["dq/1", "dq/2"]),
        (Selection("prompt", None, ("1", "10", "7")), ["dq/1", "reco/1", "reco/10"]),
        (Selection("prompt", ("reco",), ("1", "10")), ["reco/1", "reco/10"]),
        (Selection("prompt", None, None, (TaskStatus.DONE,)), ["reco/1"]),
        (Selection("prompt", None, None, (TaskStatus.SKIPPED,)), ["reco/2"]),
        (
            Selection("prompt", None, None, (TaskStatus.SKIPPED, TaskStatus.DONE)),
            ["reco/1", "reco/2"],
        ),
        (Selection("prompt", None, ("1", "2"), (TaskStatus.NEW,)), ["dq/1", "dq/2"]),
        (Selection("prompt", ("reco",), None, (TaskStatus.NEW,)), ["reco/10"]),
        (Selection("prompt", ()), []),
        (Selection("prompt", None, ()), []),
        (Selection("prompt", None, None, ()), []),
        (Selection("none"), []),
    )

    def test_selection(self, store: Store) -> None:
        """Every part of a selection narrows; the order is workflow, then unit."""
        finish(store, task("1"))
        store.append([task("10"), task("2"), task("2").moved(TaskStatus.SKIPPED, NOW)])
        store.append([task("2", "dq"), task("1", "dq"), task("3", campaign="again")])
        for selection, expected in self.SELECTIONS:
            found = [f"{task.key.workflow}/{task.key.unit}" for task in store.tasks(selection)]
            assert found == expected, selection
            assert sorted(store.each_task(selection)) == sorted(store.tasks(selection))

    def test_one_after_the_other(self, store: Store) -> None:
        """Who takes tasks one by one sees them as they were, and may write meanwhile."""
        store.append([task("1"), task("2")])
        found = store.each_task(Selection("prompt"))
        first = next(found)
        store.append([task("3"), task("2").moved(TaskStatus.SKIPPED, NOW)])
        assert {first.key.unit, *(one.key.unit for one in found)} == {"1", "2"}
        assert len([*store.each_task(Selection("prompt"))]) == 3

    def test_names_of_units(self, store: Store) -> None:
        """Every unit of a workflow is named once, whatever became of its task."""
        finish(store, task("1"))
        store.append([task("10"), task("fill:2"), task("2", "dq"), task("3", campaign="again")])
        assert sorted(store.units("prompt", "reco")) == ["1", "10", "fill:2"]
        assert store.units("prompt", "no") == []

    def test_many_keys(self, store: Store) -> None:
        """Tens of thousands of units may be asked for at once."""
        store.append([task(str(unit)) for unit in range(1, 50)])
        wanted = tuple(str(unit) for unit in range(40, 40_040))
        assert len(store.tasks(Selection("prompt", ("reco",), wanted))) == 10


class TestHistory:
    """All that was written of a task is kept."""

    def test_everything_in_order(self, store: Store) -> None:
        """Task, job, output and fields records come oldest first; at equal times the task's end
        comes last.
        """
        later = NOW + timedelta(seconds=1)
        processing = task().moved(TaskStatus.PROCESSING, NOW)
        intent = job(processing)._replace(time=processing.time)
        result = intent.moved(JobStatus.DONE, later)
        done = processing.moved(TaskStatus.DONE, later)
        published = output(done, time=later)
        fields = FieldsRecord(done.key, 1, {"clusters": 17.0}, later)
        store.append([task(), processing, intent])
        store.append([done, fields, published, result])
        assert store.history(done.key) == [
            task(),
            processing,
            intent,
            result,
            published,
            fields,
            done,
        ]

    def test_of_one_task_only(self, store: Store) -> None:
        """Records of other tasks are left out."""
        store.append([task(), task("4522"), job(task("4522")), output(task("4522"))])
        assert store.history(task().key) == [task()]
        assert store.history(task("1").key) == []


class TestRuns:
    """Runs are found by the position of what was written last."""

    def test_positions(self, store: Store) -> None:
        """A position names a moment: what was written later is found from there, and only that."""
        assert store.runs() == ([], 0)
        store.append([run(10), run(9)])
        found, position = store.runs()
        assert found == [run(9), run(10)]
        assert store.runs(position) == ([], position)
        store.append([run(8)])
        assert store.runs(position)[0] == [run(8)]
        assert store.run_numbers(position) == ([8], store.runs().position)
        assert sorted(store.run_numbers().numbers) == [8, 9, 10]

    def test_changed_run(self, store: Store) -> None:
        """A run that changes shows up again, once and with its newest record."""
        store.append([run(1), run(2)])
        _, position = store.runs()
        store.append([run(1, 2, fill=7), run(1, 3, fill=8)])
        found, after = store.runs(position)
        assert found == [run(1, 3, fill=8)]
        assert after > position
        assert {*store.run_numbers().numbers} == {1, 2}
        assert store.runs()[0] == [run(1, 3, fill=8), run(2)]

    def test_numbers(self, store: Store) -> None:
        """Asked for by number, the position still is the store's."""
        store.append([run(number) for number in (1, 2, 3)])
        found, position = store.runs(numbers=[3, 1, 99])
        assert found == [run(1), run(3)]
        assert position == store.runs()[1]
        assert store.runs(position, [1]) == ([], position)
        assert store.runs(numbers=()) == ([], position)


class TestMoments:
    """Within a moment a store may answer from what it has read at once."""

    def test_what_others_write_comes_later(self, store: Store, client: Callable[[], Store]) -> None:
        """What was there before is found, in a moment within a moment as well."""
        store.append([run(1), mark(), task()])
        with store.moment(), store.moment():
            assert store.runs().records == [run(1)]
            assert store.marks("workflow") == [mark()]
            assert [one.task for one in store.open_tasks("prompt", "reco")] == [task()]
        client().append([run(2), mark("dq")])
        assert store.runs().records == [run(1), run(2)]
        assert store.marks("workflow") == [mark("dq"), mark()]

    def test_what_one_writes_oneself_is_read(self, store: Store) -> None:
        """Who reads after having written reads what was written, in an inner moment too."""
        with store.moment():
            assert store.runs(numbers=()).position == 0
            with store.moment():
                store.append([run(1), mark()])
                assert store.runs().records == [run(1)]
                assert store.marks("workflow") == [mark()]
            position = store.runs(numbers=()).position
            assert position > 0
            assert store.runs(position).records == []
            store.append([mark(sequence=2)])
            assert store.marks("workflow") == [mark(sequence=2)]
            with store.moment():
                assert store.marks("workflow") == [mark(sequence=2)]


class TestMarks:
    """The newest mark of each name holds."""

    def test_newest(self, store: Store) -> None:
        """Marks are found by kind and campaign, each with its newest values."""
        store.append(
            [mark(cursor=1), mark(sequence=2, cursor=2), mark("dq"), mark(campaign="again")]
        )
        store.append([MarkRecord("pause", "prompt", "reco", {"is_paused": True}, NOW)])
        assert store.marks("workflow", "prompt") == [mark("dq"), mark(sequence=2, cursor=2)]
        assert store.marks("workflow") == [
            mark(campaign="again"),
            mark("dq"),
            mark(sequence=2, cursor=2),
        ]
        assert [found.values for found in store.marks("pause")] == [{"is_paused": True}]
        assert store.marks("none") == []
        assert [*store.each_mark("workflow", "prompt")] == store.marks("workflow", "prompt")
        assert [*store.each_mark("none", "prompt")] == []


class TestOutputs:
    """Of every copy of an output the newest record is found."""

    def test_newest_of_each_copy(self, store: Store) -> None:
        """A copy that was deleted is shown as such; the other copy stays."""
        done = finish(store, task())
        first, second = output(done), output(done, url="s3://b/a")
        gone = first._replace(state=LocationState.DELETED, time=NOW + timedelta(days=1))
        store.append([first, second])
        store.append([gone])
        assert store.find_outputs(Selection("prompt")) == [gone, second]

    def test_of_equal_time(self, store: Store) -> None:
        """Of two records of one copy and one time the later written holds; an older time never
        does.
        """
        done = finish(store, task())
        gone = output(done, state=LocationState.DELETED)
        store.append([output(done), gone])
        store.append([output(done, time=NOW - timedelta(seconds=1))])
        assert store.find_outputs(Selection("prompt")) == [gone]

    def test_selection_and_order(self, store: Store) -> None:
        """All versions are found, ordered by task and version, and narrowed like tasks."""
        tasks = [task("10"), task("9"), task("9", "dq"), task("9", campaign="again")]
        store.append([output(owner) for owner in tasks])
        store.append([output(tasks[1], version=2)])
        found = store.find_outputs(Selection("prompt"))
        assert [(one.task.workflow, one.task.unit, one.version) for one in found] == [
            ("dq", "9", 1),
            ("reco", "9", 1),
            ("reco", "9", 2),
            ("reco", "10", 1),
        ]
        assert store.find_outputs(Selection("prompt", ("dq",))) == found[:1]
        assert store.find_outputs(Selection("prompt", None, ("9",))) == found[:3]
        assert store.find_outputs(Selection("prompt", ("reco",), ("10",))) == found[3:]
