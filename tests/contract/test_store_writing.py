"""What every store must do with a batch: take it whole as it is, or refuse it whole."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from autoctrl.errors import Conflict, StoreError
from autoctrl.model.output import FieldsRecord, MarkRecord, OutputRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.ports import Selection
from tests.contract.records import FIELDS, JOBS, MARKS, OUTPUTS, RUNS, TASKS
from tests.contract.samples import ALICE, NOW, SPEC, finish, job, mark, output, run, task

if TYPE_CHECKING:
    from autoctrl.model.job import JobRecord
    from autoctrl.model.run import RunRecord
    from autoctrl.ports import Record, Store

AnyRecord = Any  # a record of a kind that the parameter chooses, or something that is none
# One store for all examples of a test: each example writes records of its own.
EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FRESH = count(1)


class TestRoundTrips:
    """Every field of every record comes back as it was written."""

    @EXAMPLES
    @given(record=TASKS)
    def test_task(self, store: Store, record: TaskRecord) -> None:
        """A task record comes back with every field."""
        record = record._replace(key=record.key._replace(campaign=f"c{next(FRESH)}"))
        store.append([record])
        assert store.tasks(Selection(record.key.campaign)) == store.history(record.key) == [record]
        assert [found.task for found in store.open_tasks(record.key.campaign)] == [
            record
        ] * record.is_open

    @EXAMPLES
    @given(record=JOBS)
    def test_job(self, store: Store, record: JobRecord) -> None:
        """A job record comes back with every field."""
        key = record.key.task._replace(campaign=f"c{next(FRESH)}")
        record = record._replace(key=record.key._replace(task=key))
        parent = new_task(key, (1,), NOW, version=record.key.version)
        store.append([parent, record])
        assert store.open_tasks(key.campaign)[0].jobs == (record,)
        assert record in store.history(key)

    @EXAMPLES
    @given(record=RUNS)
    def test_run(self, store: Store, record: RunRecord) -> None:
        """A run record comes back with every attribute and its type."""
        record = record._replace(number=next(FRESH))
        store.append([record])
        found, _ = store.runs(numbers=[record.number])
        assert found == [record]
        assert {name: type(value) for name, value in found[0].attributes.items()} == {
            name: type(value) for name, value in record.attributes.items()
        }

    @EXAMPLES
    @given(record=OUTPUTS)
    def test_output(self, store: Store, record: OutputRecord) -> None:
        """An output record comes back with every field."""
        record = record._replace(task=record.task._replace(campaign=f"c{next(FRESH)}"))
        store.append([record])
        assert (
            store.find_outputs(Selection(record.task.campaign))
            == store.history(record.task)
            == [record]
        )

    @EXAMPLES
    @given(record=FIELDS)
    def test_fields(self, store: Store, record: FieldsRecord) -> None:
        """Custom fields come back with their values."""
        record = record._replace(task=record.task._replace(campaign=f"c{next(FRESH)}"))
        store.append([record])
        assert store.history(record.task) == [record]

    @EXAMPLES
    @given(record=MARKS)
    def test_mark(self, store: Store, record: MarkRecord) -> None:
        """A mark comes back with its values."""
        record = record._replace(kind=f"k{next(FRESH)}")
        store.append([record])
        assert store.marks(record.kind) == [record]

    def test_values_do_not_change_with_the_callers(self, store: Store) -> None:
        """What is stored stays as it was when the caller's mapping changes afterwards."""
        values = {"cursor": 1}
        store.append([mark()._replace(values=values)])
        values["cursor"] = 2
        assert store.marks("workflow")[0].values == {"cursor": 1}

    @pytest.mark.parametrize("record", [mark(odd={1, 2}), run(1, odd=b"raw"), "no record"])
    def test_what_no_store_keeps(self, store: Store, record: AnyRecord) -> None:
        """A value or a thing that no store keeps is refused, and the batch with it."""
        with pytest.raises(StoreError, match=r"set|bytes|does not keep values of type str"):
            store.append([task(), record])
        assert store.tasks(Selection("prompt")) == []


class TestSequences:
    """A record is written only if it follows the newest one of its identity."""

    BEGINNINGS = (task(), job(task()), run(4521), mark())

    @pytest.mark.parametrize("record", BEGINNINGS)
    def test_chain(self, store: Store, record: AnyRecord) -> None:
        """Records that follow each other are written, in one batch or in several."""
        store.append([record, record._replace(sequence=2)])
        store.append([record._replace(sequence=3)])
        with pytest.raises(Conflict):
            store.append([record._replace(sequence=3)])

    @pytest.mark.parametrize("record", BEGINNINGS)
    @pytest.mark.parametrize("sequences", [[2], [1, 1], [1, 3], [2, 1], [0], [1, 2, 2]])
    def test_gap(self, store: Store, record: AnyRecord, sequences: list[int]) -> None:
        """A batch whose sequences do not begin at one or have a gap is refused whole."""
        with pytest.raises(Conflict, match="cannot take record"):
            store.append([record._replace(sequence=sequence) for sequence in sequences])
        store.append([record])

    @pytest.mark.parametrize("record", BEGINNINGS)
    @pytest.mark.parametrize("sequence", [1, 2, 4, 5])
    def test_conflict(self, store: Store, record: AnyRecord, sequence: int) -> None:
        """After two records only the third is taken."""
        store.append([record, record._replace(sequence=2)])
        with pytest.raises(
            Conflict, match=f"cannot take record {sequence}: it is now .*record 2, written by"
        ):
            store.append([record._replace(sequence=sequence)])
        store.append([record._replace(sequence=3)])

    def test_text(self, store: Store) -> None:
        """The error names the task, what is there now, who wrote it and when, and what to do."""
        store.append([task(), task().moved(TaskStatus.PROCESSING, NOW, actor=ALICE)])
        with pytest.raises(Conflict) as caught:
            store.append([task().moved(TaskStatus.SKIPPED, NOW)])
        assert str(caught.value) == (
            "run 4521 / reco cannot take record 2: it is now processing, record 2, written "
            "by alice (cli) "
            "at 2026-11-20T18:04:05Z. Nothing was written. Read it again and decide anew."
        )

    def test_all_or_nothing(self, store: Store) -> None:
        """When one record of a batch is refused, nothing of any kind is written."""
        done = finish(store, task("1"))
        bad = task("1")._replace(sequence=7)
        batch: list[Record] = [
            task("2"),
            job(task("2")),
            run(5),
            mark(),
            output(done),
            FieldsRecord(done.key, 1, {"a": 1.0}, NOW),
        ]
        for position in range(len(batch) + 1):
            with pytest.raises(Conflict, match="run 1 / reco"):
                store.append([*batch[:position], bad, *batch[position:]])
        assert store.tasks(Selection("prompt")) == [done]
        assert store.runs() == ([], 0)
        assert store.marks("workflow") == []
        assert store.find_outputs(Selection("prompt")) == []
        assert len(store.history(done.key)) == 3
        assert store.history(task("2").key) == []

    def test_empty_batch(self, store: Store) -> None:
        """Nothing to write is no error."""
        store.append([])
        assert store.tasks(Selection("prompt")) == []

    def test_attempts_share_a_sequence(self, store: Store) -> None:
        """The sequence of a job goes on through its attempts."""
        first = job(task())
        lost = first.moved(JobStatus.LOST, NOW)
        store.append([task(), first, lost, lost.again(NOW, SPEC, 2)])
        assert [
            (found.attempt, found.sequence) for found in store.open_tasks("prompt")[0].jobs
        ] == [(2, 3)]
