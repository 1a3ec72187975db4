"""The SQLite store and its file: what it refuses, what it survives, what it costs."""

from __future__ import annotations

import re
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from autoctrl.errors import LeaseHeld, LeaseLost, StoreError
from autoctrl.ports import Heartbeat, Selection
from autoctrl.stores.leases import Ticks
from autoctrl.stores.sqlite.database import MIGRATIONS
from autoctrl.stores.sqlite.store import SqliteStore
from tests.contract.samples import NOW, finish, finished, job, run, task
from tests.contract.stores import append_in_a_fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.ports import Record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, busy_s=0.05)) as opened:
        yield opened


def make(path: Path, *statements: str) -> bytes:
    """Make a database by hand; return the file's bytes."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path.read_bytes()


class TestMigration:
    """A store of an older version is brought up to date when it is opened."""

    def test_a_store_of_version_1(self, path: Path) -> None:
        """It keeps its records and its id, and gets a place for heartbeats."""
        with closing(SqliteStore(path)) as old:
            old.append([task()])
        tables = ("task_records", "job_records", "run_records", "mark_records")
        without = [f"ALTER TABLE {table} DROP COLUMN subject" for table in tables]
        without.append("ALTER TABLE job_records DROP COLUMN began")
        make(path, "DROP TABLE heartbeats", *without, "PRAGMA user_version = 1")
        beat = Heartbeat("prompt", NOW, "node7:1:2:3")
        with closing(SqliteStore(path)) as store:
            assert store.store_id == old.store_id
            assert store.heartbeats() == {}
            store.beat(beat)
        with closing(SqliteStore(path)) as again:
            assert (list(again.records()), again.heartbeats()) == ([task()], {"prompt": beat})
        with closing(sqlite3.connect(path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        assert version == len(MIGRATIONS)


class TestRefusals:
    """What cannot be used is refused in a sentence and left as it was."""

    def test_newer_schema(self, path: Path) -> None:
        """A store of a newer version is refused, with the advice to upgrade."""
        SqliteStore(path).close()
        newer = len(MIGRATIONS) + 1
        before = make(path, f"PRAGMA user_version = {newer}")
        with pytest.raises(
            StoreError,
            match=rf"written by a newer autoctrl: its schema is version {newer}.*Upgrade autoctrl",
        ):
            SqliteStore(path)
        assert path.read_bytes() == before

    def test_another_programs_database(self, path: Path) -> None:
        """A database of another program is refused."""
        before = make(path, "CREATE TABLE photos (id INTEGER)")
        with pytest.raises(StoreError, match="database of another program"):
            SqliteStore(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        "content", [b"run,fill\n4521,8222\n" * 100, b"SQLite format 3\0" + b"\1" * 4096]
    )
    def test_no_database(self, path: Path, content: bytes) -> None:
        """A file that is not a database, or only begins like one, is refused."""
        path.write_bytes(content)
        with pytest.raises(StoreError, match=re.escape(str(path))):
            SqliteStore(path)
        assert path.read_bytes() == content

    def test_damaged_database(self, path: Path) -> None:
        """Damage inside the file is told when it is met, with the way to rescue what is left."""
        with closing(SqliteStore(path)) as whole:
            whole.append([task(str(number)) for number in range(1, 2000)])
        content = path.read_bytes()
        path.write_bytes(content[:16384] + b"\xff" * (len(content) - 16384))
        with (
            pytest.raises(StoreError, match=r"is damaged.*\.recover"),
            closing(SqliteStore(path)) as damaged,
        ):
            damaged.tasks(Selection("prompt"))

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist is named, not made."""
        with pytest.raises(StoreError, match="there is no folder"):
            SqliteStore(tmp_path / "no" / "store.db")
        assert not (tmp_path / "no").exists()

    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder cannot be a store."""
        with pytest.raises(StoreError, match="cannot be opened or created"):
            SqliteStore(tmp_path)

    def test_locked(self, path: Path, store: SqliteStore) -> None:
        """When another process does not stop writing, that is said after the time to wait."""
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="is locked by another process"):
                store.append([task()])
            assert store.tasks(Selection("prompt")) == []
            other.execute("ROLLBACK")
        store.append([task()])

    def test_full(self, store: SqliteStore) -> None:
        """When the file cannot grow, that is said, nothing of the batch is written, and later it
        goes on.
        """
        batch = [task(str(number)) for number in range(1, 2000)]
        with store.connection.using() as connection:
            connection.execute("PRAGMA max_page_count = 40")
        with pytest.raises(StoreError, match="disk or the quota is full"):
            store.append(batch)
        assert store.tasks(Selection("prompt")) == []
        with store.connection.using() as connection:
            connection.execute("PRAGMA max_page_count = 100000")
        store.append(batch)
        assert len(store.tasks(Selection("prompt"))) == len(batch)

    def test_read_only(self, store: SqliteStore) -> None:
        """A store that may not be written can be read, and says so when asked to write."""
        store.append([task()])
        with store.connection.using() as connection:
            connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="read-only"):
            store.append([task("2")])
        assert store.tasks(Selection("prompt")) == [task()]

    @pytest.mark.parametrize("odd", [{"reason": "\ud800"}, {"version": 2**63}])
    def test_what_sqlite_cannot_hold(self, store: SqliteStore, odd: dict[str, Any]) -> None:
        """Half a character or a number beyond 64 bits is refused, and the batch with it."""
        with pytest.raises(StoreError, match="cannot hold a value"):
            store.append([task("2"), task(**odd)])
        assert store.tasks(Selection("prompt")) == []

    def test_closed(self, store: SqliteStore) -> None:
        """A closed store says that it is closed; it may be closed twice."""
        store.close()
        store.close()
        with pytest.raises(StoreError, match="was closed"):
            store.open_tasks("prompt")


class TestIdentity:
    """A store keeps its id; a copy gets one of its own."""

    def test_reopened(self, path: Path) -> None:
        """Opened again or renamed, it is the same store."""
        with closing(SqliteStore(path)) as first:
            known = first.store_id
        moved = path.rename(path.with_name("renamed.db"))
        with closing(SqliteStore(moved)) as second:
            assert second.store_id == known

    def test_copied(self, path: Path, tmp_path: Path) -> None:
        """A copy has the records but another id, which it keeps; the original keeps its own."""
        with closing(SqliteStore(path)) as first:
            first.append([task()])
            known = first.store_id
        copy = tmp_path / "copy.db"
        shutil.copy2(path, copy)
        with closing(SqliteStore(copy)) as second:
            new = second.store_id
            assert second.tasks(Selection("prompt")) == [task()]
        with closing(SqliteStore(copy)) as again, closing(SqliteStore(path)) as original:
            assert new != known
            assert again.store_id == new
            assert original.store_id == known

    def test_restored_in_place(self, path: Path, tmp_path: Path) -> None:
        """A backup that is written into the same file is the same store."""
        with closing(SqliteStore(path)) as first:
            known = first.store_id
        backup = tmp_path / "backup.db"
        shutil.copy(path, backup)
        with path.open("r+b") as file:
            file.write(backup.read_bytes())
        with closing(SqliteStore(path)) as second:
            assert second.store_id == known

    def test_opened_at_once(self, path: Path) -> None:
        """Clients that make a store at the same moment agree about its id."""
        with ThreadPoolExecutor(8) as pool:
            stores = list(pool.map(lambda _: SqliteStore(path), range(8)))
        assert len({store.store_id for store in stores}) == 1
        for store in stores:
            store.close()


class TestSharing:
    """One open store serves threads, and children after a fork."""

    def test_threads(self, store: SqliteStore) -> None:
        """Threads that use one store take turns."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: store.append([task(str(number))]), range(1, 101)))
        assert len(store.open_tasks("prompt")) == 100

    def test_fork(self, store: SqliteStore) -> None:
        """A forked child opens the file anew; both go on writing."""
        append_in_a_fork(store)


class TestLeasesOfOtherBoots:
    """Leases are judged by the time since boot."""

    def test_earlier_boot(self, path: Path) -> None:
        """A lease of an earlier boot has ended, even if it would have lasted longer."""
        with closing(SqliteStore(path, ticks=lambda: Ticks("before", 10**9))) as first:
            lease = first.lease("n", "a", 3600)
        with closing(SqliteStore(path, ticks=lambda: Ticks("after", 10))) as second:
            with pytest.raises(LeaseLost, match="has ended"):
                second.append([task()], lease)
            assert second.lease("n", "b", 3600).epoch == 2
            with pytest.raises(LeaseHeld):
                second.lease("n", "a", 3600)


class TestCost:
    """What is done costs nothing."""

    def test_steps(self, store: SqliteStore) -> None:
        """Looking for open tasks, changed runs and marks takes as many steps with 3000 done tasks
        as with 30.
        """

        def steps_of_idling() -> int:
            before = store.connection.steps
            store.open_tasks("prompt")
            store.open_tasks("prompt", "reco")
            store.runs(store.runs(numbers=[])[1])
            store.marks("workflow")
            return store.connection.steps - before

        finish_many(store, range(1, 31))
        store.connection.count_steps()
        few = steps_of_idling()
        finish_many(store, range(31, 3001))
        assert steps_of_idling() == few > 0

    def test_for_people(self, path: Path, store: SqliteStore) -> None:
        """At the sqlite3 prompt the views show times as text."""
        done = finish(store, task())
        store.append([job(done), run(4521)])
        with closing(sqlite3.connect(path)) as shell:
            rows = shell.execute("SELECT at, status FROM transitions ORDER BY sequence").fetchall()
            assert rows[0] == ("2026-11-20T18:04:05.123456Z", "new")
            assert shell.execute("SELECT status FROM tasks").fetchall() == [("done",)]
            for view in ("jobs", "runs"):
                assert shell.execute(f"SELECT at FROM {view}").fetchone() == (  # noqa: S608
                    "2026-11-20T18:04:05.123456Z",
                )
            assert shell.execute("SELECT count(*) FROM outputs").fetchone() == (0,)


def finish_many(store: SqliteStore, numbers: range) -> None:
    """Write tasks through to done, with a run and a job each, in one batch."""
    records: list[Record] = []
    for number in numbers:
        done = finished(task(str(number)))
        records += [*done, job(done[-1]), run(number)]
    store.append(records)
