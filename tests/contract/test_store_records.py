"""Every record that a store ever took, for those who move a history elsewhere."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from autoctrl.errors import StoreError
from autoctrl.model.output import FieldsRecord, LocationState
from autoctrl.model.run import RunRecord
from autoctrl.model.status import JobStatus, TaskStatus
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from autoctrl.stores import open_store
from autoctrl.stores.sqlite.store import SqliteStore
from tests.contract.samples import NOW, finish, job, mark, output, run, task
from tests.contract.stores import MOVES, STORES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Record, Store

ORDER = ("RunRecord", "MarkRecord", "TaskRecord", "JobRecord", "OutputRecord", "FieldsRecord")
CAMPAIGNS = ("prompt", "again")
UNITS = ("9", "10", "fill:8222", "fill:Ω")


def work_on(first: TaskRecord) -> list[Record]:
    """Return what is written of one task that fails, is tried again and is done, with a merge and
    outputs.
    """
    processing = first.moved(TaskStatus.PROCESSING, NOW)
    failed = processing.moved(TaskStatus.FAILED, NOW, reason="no disk")
    again = failed.moved(TaskStatus.NEW, NOW)._replace(version=2)
    going = again.moved(TaskStatus.PROCESSING, NOW, epoch=7)
    done = going.moved(TaskStatus.DONE, NOW, epoch=7)
    parts = [job(owner, index) for owner in (processing, going) for index in (1, 0, -1)]
    ended = [part.moved(JobStatus.DONE, NOW, exit_code=0, fields={"hits": 2.5}) for part in parts]
    files = [
        output(done, name, url) for url in ("file:/b", "file:/a") for name in ("tracks", "plots")
    ]
    lost = [
        file._replace(state=LocationState.LOST) for file in files[:1]
    ]  # at the same time: the later one holds
    fields = [FieldsRecord(done.key, done.version, {"hits": hits}, NOW) for hits in (3.0, 1.0)]
    return [first, *parts, processing, *ended, failed, again, going, done, *files, *fields, *lost]


def history() -> list[Record]:
    """Return records of every kind in an order in which they may have been written."""
    records: list[Record] = [
        run(9, fill=8222),
        run(4521),
        run(10),
        run(9, 2, fill=8223, kind="physics"),
    ]
    records += [
        mark("reco", campaign, sequence, position=sequence)
        for campaign in CAMPAIGNS
        for sequence in (1, 2, 3)
    ]
    records += [mark("", "prompt", text="µ")]
    for campaign in CAMPAIGNS:
        for workflow in ("reco-2", "reco"):
            records += [task(unit, workflow, campaign) for unit in ("11", "4521")]
            for unit in UNITS:
                records += work_on(task()._replace(key=TaskKey(campaign, workflow, unit)))
    return [*records, run(4521, 2), run(8)]


@pytest.fixture
def filled(store: Store) -> Store:
    store.append(history()[:20])
    store.append(history()[20:])
    return store


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open an empty store of the kind that the test asks for."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    with closing(open_store(STORES[request.param].url(folder, request))) as opened:
        yield opened


def in_any_order(records: Sequence[Record]) -> list[str]:
    return sorted(map(repr, records))


def answers(store: Store) -> dict[str, object]:
    """Return what a store says to every question."""
    found: dict[str, object] = {
        "marks": store.marks("workflow"),
        "of one": store.marks("workflow", "again"),
    }
    # What a position is, each store decides.
    position = store.runs(numbers=()).position
    found |= {"runs": store.runs().records, "later runs": store.runs(position).records}
    found["some runs"] = store.runs(numbers=[9, 4521]).records
    for campaign in CAMPAIGNS:
        for selection in (
            Selection(campaign),
            Selection(campaign, workflows=("reco",)),
            Selection(campaign, units=("9", "fill:Ω")),
            Selection(campaign, statuses=(TaskStatus.DONE,)),
        ):
            found[f"tasks {selection}"] = store.tasks(selection)
            found[f"outputs {selection}"] = store.find_outputs(selection)
        found[f"open {campaign}"] = store.open_tasks(campaign)
        found |= {str(one.key): store.history(one.key) for one in store.tasks(Selection(campaign))}
    return found


def test_every_record_comes_back_once(filled: Store) -> None:
    """What was appended is what is yielded, whatever its kind, newest or not."""
    assert in_any_order(list(filled.records())) == in_any_order(history())


def test_an_empty_store_yields_nothing(store: Store) -> None:
    """A store without records yields none, leases or not."""
    store.lease("reco", "somebody", 60)
    assert list(store.records()) == []


def test_the_order_is_the_same_for_every_store(filled: Store) -> None:
    """Runs come as they were written; then kind by kind, by identity as text and number, by
    sequence.
    """
    with closing(open_store("memory:")) as model:
        model.append(history())
        assert list(filled.records()) == list(model.records())
    found = list(filled.records())
    kinds = [type(record).__name__ for record in found]
    assert list(dict.fromkeys(kinds)) == list(ORDER)
    assert kinds == sorted(kinds, key=ORDER.index)
    runs = [(run.number, run.sequence) for run in found if isinstance(run, RunRecord)]
    assert runs == [(9, 1), (4521, 1), (10, 1), (9, 2), (4521, 2), (8, 1)]


def test_two_calls_agree_about_what_both_saw(filled: Store) -> None:
    """Records that are appended between two calls take their places and leave the others in their
    order.
    """
    before = list(filled.records())
    assert list(filled.records()) == before
    later: list[Record] = [
        run(7),
        run(9, 3),
        mark("alpha"),
        mark("reco", sequence=4),
        task("9", "alpha"),
    ]
    later += [output(task("9", "reco"), "more")]
    filled.append(later)
    assert [record for record in filled.records() if record not in later] == before


@pytest.mark.parametrize(("subject", "fresh"), MOVES, indirect=True)
def test_an_empty_store_takes_them(filled: Store, fresh: Store) -> None:
    """Appended to a store of any kind, batch by batch, they give the same answers to all questions
    there.
    """
    records = list(filled.records())
    for start in range(0, len(records), 17):
        fresh.append(records[start : start + 17])
    assert list(fresh.records()) == records
    assert answers(fresh) == answers(filled)
    assert fresh.store_id != filled.store_id


@pytest.mark.parametrize(("subject", "fresh"), MOVES[: len(STORES)], indirect=True)
def test_a_moved_history_goes_on(filled: Store, fresh: Store) -> None:
    """What is written under the first lease of the new store is the newest, whatever epochs the
    history has seen.
    """
    fresh.append(list(filled.records()))
    lease = fresh.lease("prompt/reco", "somebody", 60)
    (newest,) = fresh.tasks(Selection("prompt", ("reco",), ("9",)))
    following = newest.moved(TaskStatus.NEW, NOW, epoch=lease.epoch)
    fresh.append([following], lease)
    assert fresh.tasks(Selection("prompt", ("reco",), ("9",))) == [following]
    assert fresh.history(following.key)[-1] == following
    assert following in [found.task for found in fresh.open_tasks("prompt", "reco")]


def test_reading_sees_one_moment(filled: Store) -> None:
    """While records are read the store can be asked and written, and nothing of that is yielded."""
    before = list(filled.records())
    reading = filled.records()
    found = [next(reading)]
    filled.append([run(7), mark("zeta"), task("12")])
    assert filled.marks("workflow")[-1].name == "zeta"
    assert [*found, *reading] == before
    assert len(list(filled.records())) == len(before) + 3


def test_sqlite_yields_row_by_row(tmp_path: Path) -> None:
    """Reading twenty times as many records takes no more memory."""

    def peak_of_reading() -> int:
        tracemalloc.start()
        for _ in store.records():
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    with closing(SqliteStore(tmp_path / "store.db")) as store:
        for number in range(1, 201):
            finish(store, task(str(number)))
        few = peak_of_reading()
        for start in range(201, 4001, 200):
            store.append(
                [task(str(number), reason="long " * 20) for number in range(start, start + 200)]
            )
        assert peak_of_reading() < 2 * few


def test_sqlite_lets_go_of_a_reading_that_is_not_finished(tmp_path: Path) -> None:
    """A reader that stops half way does not keep the file from being tidied up."""
    path = tmp_path / "store.db"
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path)) as shell:
        store.append([run(1), run(2)])
        reading = store.records()
        next(reading)
        store.append([run(3)])
        tidy = "PRAGMA wal_checkpoint(TRUNCATE)"
        assert shell.execute(tidy).fetchone()[0] == 1, "it is being read"
        del reading
        assert shell.execute(tidy).fetchone()[0] == 0


def test_sqlite_does_not_read_once_closed(tmp_path: Path) -> None:
    """A closed store says so instead of opening the file again."""
    store = SqliteStore(tmp_path / "store.db")
    store.close()
    with pytest.raises(StoreError, match="was closed"):
        list(store.records())
