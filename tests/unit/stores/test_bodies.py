"""Values as JSON text and records as rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from autoctrl.errors import StoreError
from autoctrl.stores import rows
from autoctrl.stores.json_values import Encoder, decode_list, decode_mapping, encode
from autoctrl.stores.sqlite.database import MIGRATIONS, migration
from tests.contract.records import JOBS, TASKS, VALUES

if TYPE_CHECKING:
    from autoctrl.model.job import JobRecord
    from autoctrl.model.task import TaskRecord

NOW = datetime(2026, 11, 20, 18, 4, 5, 123456, tzinfo=UTC)


@given(VALUES)
def test_values_come_back(values: dict[str, Any]) -> None:
    """What was encoded is decoded to the same."""
    assert decode_mapping(encode(values)) == values


def test_times_and_mappings() -> None:
    """Times come back as times, at any depth; a read-only mapping as a mapping; tuples as lists."""
    values = MappingProxyType({"at": NOW, "in": ({"at": NOW}, MappingProxyType({"a": 1}))})
    assert decode_mapping(encode(values)) == {"at": NOW, "in": [{"at": NOW}, {"a": 1}]}


@pytest.mark.parametrize("empty", [{}, (), [], ""])
def test_empty_values_cost_nothing(empty: object) -> None:
    """An empty value is stored without a text, and comes back empty."""
    assert encode(empty) is None
    assert decode_mapping(None) == {}
    assert decode_list(None) == []


@pytest.mark.parametrize("odd", [{"a": {1}}, {"a": b"b"}, {"a": object()}, {(1, 2): 3}])
def test_what_is_no_value(odd: object) -> None:
    """What has no JSON is refused in our words."""
    with pytest.raises(StoreError, match="cannot be stored"):
        encode(odd)


def test_a_value_within_itself() -> None:
    """A value that contains itself is refused."""
    values: dict[str, object] = {}
    values["again"] = values
    with pytest.raises(StoreError, match="cannot be stored"):
        encode(values)


def test_encoder_goes_by_the_object() -> None:
    """Within a batch one object is encoded once, equal objects separately."""
    calls: list[object] = []

    def noted(value: object) -> object:
        calls.append(value)
        return value

    encoder, value = Encoder(), {"a": 1}
    assert [encoder(value, noted), encoder(value, noted), encoder({"a": 1}, noted)] == [
        '{"a":1}'
    ] * 3
    assert len(calls) == 2


@pytest.mark.parametrize(
    "time",
    [NOW, datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
)
def test_times_are_exact(time: datetime) -> None:
    """A time becomes a whole number of µs and back without loss."""
    assert rows.moment(rows.micros(time)) == time
    assert rows.micros(time.astimezone(timezone(timedelta(hours=9)))) == rows.micros(time)


@given(TASKS)
def test_task_rows(record: TaskRecord) -> None:
    """A task record becomes a row of plain values and back."""
    row = rows.task_row(record, Encoder())
    assert {type(value) for value in row} <= {str, int, type(None)}
    assert rows.task_record(row) == record


@given(JOBS)
def test_job_rows(record: JobRecord) -> None:
    """A job record becomes a row of plain values and back."""
    row = rows.job_row(record, Encoder())
    assert {type(value) for value in row} <= {str, int, float, type(None)}
    assert rows.job_record(row) == record


def test_one_column_each() -> None:
    """Tables have a column for each value of a row, so a new field of a record needs a
    migration.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        for name in MIGRATIONS:
            for statement in migration(name):
                connection.execute(statement)
        for table, count in {"task_records": 22, "job_records": 36}.items():
            assert len(connection.execute(f"PRAGMA table_info({table})").fetchall()) == count
