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
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from autoctrl.model.job import JobRecord
    from autoctrl.model.run import RunRecord
    from autoctrl.ports import Record, Store
    from tests.contract.stores import Subject

AnyRecord = Any  # a record of a kind that the parameter chooses, or something else
FRESH = count(1)


def for_all(records: SearchStrategy[Any], subject: Subject, check: Callable[[Any], None]) -> None:
    """Check records that Hypothesis makes, as many as the effort for this kind of store says.

    They share the same store, so each must be made one of its own.
    """
    wanted = settings(
        max_examples=subject.effort.examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    wanted(given(records)(check))()


class TestRoundTrips:
    """Every field of every record comes back as it was written."""

    def test_task(self, store: Store, subject: Subject) -> None:
        """A task record comes back with every field."""

        def comes_back(record: TaskRecord) -> None:
            record = record._replace(key=record.key._replace(campaign=f"c{next(FRESH)}"))
            campaign = record.key.campaign
            store.append([record])
            assert store.tasks(Selection(campaign)) == store.history(record.key) == [record]
            found = [one.task for one in store.open_tasks(campaign)]
            assert found == [record] * record.is_open

        for_all(TASKS, subject, comes_back)

    def test_job(self, store: Store, subject: Subject) -> None:
        """A job record comes back with every field."""

        def comes_back(record: JobRecord) -> None:
            key = record.key.task._replace(campaign=f"c{next(FRESH)}")
            record = record._replace(key=record.key._replace(task=key))
            parent = new_task(key, (1,), NOW, version=record.key.version)
            store.append([parent, record])
            assert store.open_tasks(key.campaign)[0].jobs == (record,)
            assert record in store.history(key)

        for_all(JOBS, subject, comes_back)

    def test_run(self, store: Store, subject: Subject) -> None:
        """A run record comes back with every attribute and its type."""

        def comes_back(record: RunRecord) -> None:
            record = record._replace(number=next(FRESH))
            store.append([record])
            (found,) = store.runs(numbers=[record.number]).records
            assert found == record
            types = {name: type(value) for name, value in record.attributes.items()}
            assert {name: type(value) for name, value in found.attributes.items()} == types

        for_all(RUNS, subject, comes_back)

    def test_output(self, store: Store, subject: Subject) -> None:
        """An output record comes back with every field."""

        def comes_back(record: OutputRecord) -> None:
            record = record._replace(task=record.task._replace(campaign=f"c{next(FRESH)}"))
            store.append([record])
            found = store.find_outputs(Selection(record.task.campaign))
            assert found == store.history(record.task) == [record]

        for_all(OUTPUTS, subject, comes_back)

    def test_fields(self, store: Store, subject: Subject) -> None:
        """Custom fields come back with their values."""

        def comes_back(record: FieldsRecord) -> None:
            record = record._replace(task=record.task._replace(campaign=f"c{next(FRESH)}"))
            store.append([record])
            assert store.history(record.task) == [record]

        for_all(FIELDS, subject, comes_back)

    def test_mark(self, store: Store, subject: Subject) -> None:
        """A mark comes back with its values."""

        def comes_back(record: MarkRecord) -> None:
            record = record._replace(kind=f"k{next(FRESH)}")
            store.append([record])
            assert store.marks(record.kind) == [record]

        for_all(MARKS, subject, comes_back)

    def test_values_do_not_change_with_the_callers(self, store: Store) -> None:
        """What is stored stays as it was when the caller's mapping changes afterwards."""
        values = {"cursor": 1}
        store.append([mark()._replace(values=values)])
        values["cursor"] = 2
        assert store.marks("workflow")[0].values == {"cursor": 1}

    @pytest.mark.parametrize("record", [mark(odd={1, 2}), run(1, odd=b"raw"), "not a record"])
    def test_what_no_store_keeps(self, store: Store, record: AnyRecord) -> None:
        """A value or an object that no store can keep is refused, and the batch with it."""
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
    def test_gap(self, store: Store, record: AnyRecord) -> None:
        """A batch whose sequences do not begin at one or have a gap is refused whole."""
        for sequences in ([2], [1, 1], [1, 3], [2, 1], [0], [1, 2, 2]):
            with pytest.raises(Conflict, match="cannot take record"):
                store.append([record._replace(sequence=sequence) for sequence in sequences])
        store.append([record])

    @pytest.mark.parametrize("record", BEGINNINGS)
    def test_conflict(self, store: Store, record: AnyRecord) -> None:
        """After two records only the third is taken."""
        store.append([record, record._replace(sequence=2)])
        for sequence in (1, 2, 4, 5):
            text = f"cannot take record {sequence}: it is now .*record 2, written by"
            with pytest.raises(Conflict, match=text):
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
        """A batch without records is accepted."""
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
