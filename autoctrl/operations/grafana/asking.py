"""Putting every query of the dashboards to the store, as Grafana will."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.operations.grafana.questions import (
    ALL,
    OURS,
    SHOWN_BY,
    VARIABLES,
    fill_in,
    question,
)
from autoctrl.operations.grafana.wanted import FLUX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autoctrl.ports import Tables


class Answered(NamedTuple):
    """What one query gave.

    question  its name
    shown_by  the dashboard and the panel that ask it
    rows      number of rows
    columns   names of the columns
    ms        how long it took, milliseconds
    problem   why there is no answer, empty if there is one
    """

    question: str
    shown_by: str
    rows: int
    columns: tuple[str, ...]
    ms: int
    problem: str = ""


def ask_all(tables: Tables, campaign: str, language: str) -> Iterator[Answered]:
    """Put every query to the store, first those that fill variables; yield what each gave."""
    values = {**VARIABLES, "campaign": campaign}
    for name in ALL:
        found, answered = _ask(tables, name, values, language)
        yield answered
        values |= _choose(name, found)


def _ask(
    tables: Tables, name: str, values: Mapping[str, str], language: str
) -> tuple[list[dict[str, str]], Answered]:
    is_flux = language == FLUX
    texts = question(name).texts(is_flux=is_flux)
    began = time.monotonic()
    try:
        filled = (fill_in(text, values, bucket=tables.bucket) for text in texts)
        rows = [row for text in filled for row in tables.ask(text, is_flux=is_flux)]
    except StoreError as error:
        return [], Answered(name, SHOWN_BY[name], 0, (), _since(began), str(error))
    columns = tuple(dict.fromkeys(chain.from_iterable(rows)))
    return rows, Answered(name, SHOWN_BY[name], len(rows), columns, _since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _choose(name: str, rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the value that a later query gets: the first of this one that is not ours."""
    if name not in CHOICES:
        return {}
    variable, columns = CHOICES[name]
    found = (str(row[column]) for row in rows for column in columns if column in row)
    chosen = next((value for value in found if value not in OURS), None)
    return {} if chosen is None else {variable: chosen}


# What variable a question fills, and the column that holds it: in Flux, in InfluxQL.
CHOICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "workflows": ("workflow", ("_value", "value")),
    "quantities": ("quantities", ("_value", "name")),
    "fields": ("field", ("_value", "fieldKey")),
    "runs": ("unit", ("run",)),
}
