"""The SQL statements: each described, none of them walks through history."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from autoctrl.stores.sqlite.database import MIGRATIONS, migration
from autoctrl.stores.sqlite.queries import STATEMENTS, parse_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

# Small tables of one query's own making, and JSON arguments.
OWN = {"json_each", "named", "CONSTANT"}


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for name in MIGRATIONS:
            for statement in migration(name):
                connection.execute(statement)
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_scans_a_table(schema: sqlite3.Connection, name: str) -> None:
    """SQLite's plan for each statement searches tables by an index and never scans one."""
    text = STATEMENTS[name].text
    names = set(re.findall(r":(\w+)", text))
    numbered = max([text.count("?"), *map(int, re.findall(r"\?(\d+)", text))])
    values: dict[str, str] | list[str] = dict.fromkeys(names, "[]") if names else ["1"] * numbered
    plan = [row[3] for row in schema.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN")} - OWN
    if name == "identity":
        assert scanned == {"identities"}, "the newest of a handful of rows, read from the end"
    elif name.startswith("every_"):
        assert len(plan) == len(scanned) == 1, (
            "all of a table, along its key or an index, never sorted in between"
        )
    else:
        assert scanned == set()


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_is_described(name: str) -> None:
    """Each statement has a description of one or more sentences."""
    assert STATEMENTS[name].description.endswith(".")


def test_parsing() -> None:
    """A statement is what stands between its description and the next name."""
    found = parse_statements(
        "-- name: a\n-- One.\n-- Two.\nSELECT 1;\n\n-- name: b\n-- Three.\nSELECT 2;\n"
    )
    assert {name: tuple(statement) for name, statement in found.items()} == {
        "a": ("SELECT 1", "One. Two."),
        "b": ("SELECT 2", "Three."),
    }
