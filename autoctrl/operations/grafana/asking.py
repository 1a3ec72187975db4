"""Putting every query of the dashboards to the store, as Grafana will."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import StoreError
from autoctrl.operations.grafana.questions import ALL, VARIABLES, fill_in, question
from autoctrl.operations.grafana.wanted import FLUX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from autoctrl.ports import Tables


class Answered(NamedTuple):
    """What one query gave.

    question  its name
    rows      number of rows
    columns   names of the columns
    ms        how long it took, milliseconds
    problem   why there is no answer, empty if there is one
    """

    question: str
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
        return [], Answered(name, 0, (), _since(began), error.message)
    columns = tuple(dict.fromkeys(chain.from_iterable(rows)))
    return rows, Answered(name, len(rows), columns, _since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _choose(name: str, rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the value that a later query gets from the first row of this one."""
    if name not in CHOICES or not rows:
        return {}
    variable, columns = CHOICES[name]
    return {variable: next(str(rows[0][column]) for column in columns if column in rows[0])}


# What variable a question fills, and the column that holds it: in Flux, in InfluxQL.
CHOICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "workflows": ("workflow", ("_value", "value")),
    "quantities": ("quantities", ("_value", "name")),
    "fields": ("field", ("_value", "fieldKey")),
    "runs": ("unit", ("run",)),
}
