"""A large store made quickly: whatever it knows of run 1 is written down for many others too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What differs from run to run, by table.
TABLES = {
    "run_records": {"position": "NULL", "number": "n"},
    "newest_runs": {"number": "n"},
    "task_records": {"unit": "CAST(n AS TEXT)", "members": "CAST(n AS TEXT)"},
    "newest_tasks": {"unit": "CAST(n AS TEXT)"},
    "output_records": {
        "arrival": "NULL",
        "unit": "CAST(n AS TEXT)",
        "members": "CAST(n AS TEXT)",
    },
    "fields_records": {"arrival": "NULL", "unit": "CAST(n AS TEXT)"},
}
NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"


def multiply(path: Path, runs: int) -> None:
    """Write the runs 2 to ``runs`` into the SQLite file of a store that has run 1 alone, with
    tasks, outputs and fields as it has them.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, changes in TABLES.items():
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(changes.get(name, f"t.{name}") for name in names)
            text = f"INSERT INTO {table} {NUMBERS} SELECT {values} FROM {table} AS t, numbers"  # noqa: S608 - names of ours
            connection.execute(text, (runs,))
