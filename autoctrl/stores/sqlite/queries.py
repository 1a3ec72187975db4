"""The SQL statements of ``queries.sql``, each with its name and description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_HEAD = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)", re.MULTILINE)


class Statement(NamedTuple):
    """One SQL statement.

    text         the statement
    description  what it is for, a sentence
    """

    text: str
    description: str


def parse_statements(source: str) -> dict[str, Statement]:
    """Return the statements by name.

    Each begins with ``-- name: NAME`` and comment lines that describe it, and goes on to the next.
    """
    heads = list(_HEAD.finditer(source))
    ends = [head.start() for head in heads[1:]] + [len(source)]
    return {
        head[1]: Statement(
            source[head.end() : end].strip().rstrip(";"),
            " ".join(line.removeprefix("-- ") for line in head[2].splitlines()),
        )
        for head, end in zip(heads, ends, strict=True)
    }


STATEMENTS = parse_statements(Path(__file__).with_name("queries.sql").read_text(encoding="utf-8"))
SQL = {name: statement.text for name, statement in STATEMENTS.items()}
