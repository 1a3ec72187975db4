"""The board: a point for each campaign and run, on both servers, whoever writes and is killed."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.errors import StoreError
from autoctrl.model.output import FieldsRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.stores.influx import flux
from autoctrl.stores.influx.address import parse_address
from autoctrl.stores.influx.board import run_at
from autoctrl.stores.influx.store import InfluxStore
from tests.contract.samples import NOW, job, run, task
from tests.contract.stores import bucket_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from autoctrl.model.run import RunRecord
    from tests.services import Influx

NEW, PROCESSING, DONE = TaskStatus.NEW, TaskStatus.PROCESSING, TaskStatus.DONE
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
END = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Bucket(NamedTuple):
    """A store, and another client of it."""

    url: str
    store: InfluxStore

    def board(self, measurement: str = "board") -> dict[tuple[str, int], dict[str, str]]:
        """Return the fields of each row as the server has them."""
        bucket = self.store.server.address.bucket
        asked = flux.between(
            bucket, "all", [flux.measurement(measurement)], (0, 2**62), columns=["campaign"]
        )
        found: dict[tuple[str, int], dict[str, str]] = {}
        for row in self.store.server.query(asked):
            where = row.extra["campaign"], run_at(row.time)
            found.setdefault(where, {})[row.field] = row.value
        return found

    def row(self, number: int, campaign: str = "prompt") -> dict[str, str]:
        return self.board()[campaign, number]


@pytest.fixture(params=["influxdb1", "influxdb2"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    server: Influx = request.getfixturevalue(request.param)
    url = bucket_url(server, server.fresh_bucket(), tmp_path)
    with closing(InfluxStore(parse_address(url))) as store:
        yield Bucket(url, store)


def group(members: tuple[int, ...], fill: int = 8222) -> TaskRecord:
    return new_task(TaskKey("prompt", "fit", f"fill:{fill}"), members, NOW)


def physics(number: int, sequence: int = 1, **attributes: Any) -> RunRecord:
    return run(number, sequence, **{"fill": 8222, "start": START, "end": END, **attributes})


def test_a_row_says_what_a_table_of_runs_needs(bucket: Bucket) -> None:
    """Number, status of all, attributes by type, times as text and seconds, a field for each
    workflow, and a group's status in the row of each member.
    """
    store = bucket.store
    store.append([physics(7, lumi=1.5, is_good=True, tag="GT 1"), physics(9), run(8, fill=1)])
    first = task("7")
    store.append([first, task("7", "plots"), task("9"), group((7, 9)), task("8", campaign="again")])
    store.append([first.moved(PROCESSING, NOW)])
    row = bucket.row(7)
    assert row["run"] == "7"
    assert (row["status"], row["reco"], row["plots"], row["fit"]) == (
        "processing",
        "processing",
        "new",
        "new",
    )
    assert (row["attr_fill"], row["attr_lumi"], row["attr_is_good"]) == ("8222", "1.5", "true")
    assert (row["attr_tag"], row["open"]) == ("GT 1", "true")
    assert row["start"] == row["attr_start"] == START.isoformat()
    assert float(row["end_s"]) == float(row["attr_end_s"]) == END.timestamp()
    assert {where: fields["status"] for where, fields in bucket.board().items()} == {
        ("prompt", 7): "processing",
        ("prompt", 9): "new",
        ("again", 8): "new",
    }
    assert "fit" not in bucket.row(8, "again")


def test_what_is_learned_of_a_run_is_put_into_its_rows(bucket: Bucket) -> None:
    """In every campaign; the cell of a group that it has left is emptied."""
    store = bucket.store
    store.append([physics(7), physics(9)])
    store.append([task("7"), task("7", campaign="again"), group((7, 9))])
    closed = physics(7, 2, fill=8223)._replace(is_closed=True)
    store.append([closed])
    for campaign in ("prompt", "again"):
        row = bucket.row(7, campaign)
        assert (row["open"], row["attr_fill"]) == ("false", "8223")
    assert bucket.row(7)["fit"] == ""
    assert bucket.row(9)["fit"] == "new"
    with closing(InfluxStore(parse_address(bucket.url))) as other:
        other.append([physics(9, 2, lumi=3.5)])
    store.append([task("9")])
    assert bucket.row(9)["attr_lumi"] == "3.5"


def test_who_writes_next_puts_right_what_was_left_out(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that is killed after its records are in has left the row as it was; the next write
    of the run has all of it, as has a rebuilding.
    """
    store = bucket.store
    store.append([physics(7), task("7"), task("7", "plots"), task("8")])
    with monkeypatch.context() as patched:
        patched.setattr(type(store._board), "follow", lambda *_: iter(()))
        done = task("7").moved(PROCESSING, NOW)
        store.append([done, done.moved(DONE, NOW), task("8").moved(PROCESSING, NOW)])
    assert bucket.row(7)["reco"] == "new"
    store.append([task("7", "plots").moved(PROCESSING, NOW)])
    assert (bucket.row(7)["reco"], bucket.row(7)["plots"]) == ("done", "processing")
    assert bucket.row(8)["status"] == "new"
    store.rebuild("prompt")
    assert bucket.row(8)["status"] == bucket.row(8)["reco"] == "processing"


def test_two_who_write_one_row_leave_what_both_have_said(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was stopped between reading and writing looks again, and writes what holds now."""
    store = bucket.store
    store.append([physics(7), task("7"), task("7", "plots"), group((7,))])
    write = type(store.server).write
    others: list[str] = []

    def write_late(lines: list[str], **options: Any) -> None:
        if not others and any(line.startswith("board,") for line in lines):
            others.append("wrote first")
            with closing(InfluxStore(parse_address(bucket.url))) as other:
                other.append([task("7", "plots").moved(PROCESSING, NOW)])
                other.append([group((7,)).moved(PROCESSING, NOW)])
        write(store.server, lines, **options)

    monkeypatch.setattr(store.server, "write", write_late)
    store.append([task("7").moved(PROCESSING, NOW)])
    assert others
    row = bucket.row(7)
    assert {row["reco"], row["plots"], row["fit"]} == {"processing"}


def test_what_does_not_count_is_not_on_the_board(bucket: Bucket) -> None:
    """A point that an interrupted writer has left is passed over."""
    store = bucket.store
    store.append([physics(7), task("7")])
    now = store.view.look().state.now
    # The server then refuses a part of the batch by itself, and keeps the rest.
    store.server.write([f"job,campaign=prompt,workflow=reco,unit=7 status=1 {now}"])
    going = task("7").moved(PROCESSING, NOW)
    with pytest.raises(StoreError, match="conflict"):
        store.append([going, job(going)])
    store.append([task("7", "plots")])
    assert "processing" in {row["status"] for row in bucket.board("task").values()}
    assert bucket.row(7)["reco"] == "new"


def test_a_changed_type_costs_the_attribute_and_nothing_else(bucket: Bucket) -> None:
    """The server refuses a number where text was: that is said, and the statuses are right."""
    store = bucket.store
    store.append([physics(7, tag="seven"), task("7")])
    store.append([physics(7, 2, tag=7)])
    assert any("board" in remark for remark in store.remarks)
    store.append([task("7").moved(PROCESSING, NOW)])
    assert bucket.row(7)["reco"] == "processing"
    assert bucket.row(7)["attr_tag"] == "seven"


def test_a_board_that_cannot_be_written_is_a_remark(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are in, and the overview as well."""
    store = bucket.store

    def refuse(*_: object) -> None:
        message = "no space"
        raise StoreError(message, hint="make room")

    monkeypatch.setattr(type(store._board), "_read", refuse)
    store.append([task("7")])
    assert [remark for remark in store.remarks if "board" in remark] == [
        "The board for Grafana is out of date: no space make room"
    ]
    assert len(store.history(task("7").key)) == 1
    assert bucket.board() == {}
    assert bucket.board("overview")


def test_custom_fields_say_when_the_data_were_taken(bucket: Bucket) -> None:
    """A run's own times, and of a group the first start and the last end."""
    store = bucket.store
    later = END.replace(hour=12)
    store.append([physics(7), physics(9, end=later)])
    both = group((7, 9))
    store.append([task("7"), both])
    values = {"gain": 2.5, "run_number": 4}
    store.append(
        [
            FieldsRecord(task("7").key, 1, values, NOW),
            both.moved(PROCESSING, NOW),
            FieldsRecord(both.key, 1, {"gain": 3}, NOW),
        ]
    )
    of_run = bucket.board("fields_reco").popitem()[1]
    assert (of_run["run_number"], of_run["run_number_"]) == ("7", "4")
    assert float(of_run["run_start_s"]) == START.timestamp()
    of_group = bucket.board("fields_fit").popitem()[1]
    assert "run_number" not in of_group
    assert float(of_group["run_end_s"]) == later.timestamp()
