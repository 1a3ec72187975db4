"""Putting the dashboards' queries to a store: what each is asked with, and what is said of it."""

from __future__ import annotations

import pytest

from autoctrl.errors import StoreError
from autoctrl.operations.grafana.asking import ask_all
from autoctrl.operations.grafana.panels import StoreQuery
from autoctrl.operations.grafana.questions import ALL, fill_in, names_in, question

REFUSED = "disks_now"


class FakeTables:
    """A bucket that answers by what a query asks for, and remembers the queries."""

    server, org, bucket = "http://influx:8086", "experiment", "camera"

    def __init__(self, answers: dict[str, list[dict[str, str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, text: str, *, is_flux: bool) -> list[dict[str, str]]:
        self.asked.append(text)
        if '"free_mb"' in text:
            message = "no such thing"
            raise StoreError(message, hint="look")
        found = (rows for word, rows in self.answers.items() if word in text)
        return next(found, [{"n": "1"}] if is_flux else [])


def test_a_variable_gets_the_first_value_that_there_is() -> None:
    """So each query is one that a dashboard would ask, in the campaign that is meant."""
    tables = FakeTables(
        {
            'distinct(column: "workflow")': [{"_value": 're"co'}, {"_value": "plots"}],
            'distinct(column: "_measurement")': [{"_value": "taken_reco"}],
            'distinct(column: "_field")': [{"_value": "version"}, {"_value": "gain"}],
            "tableFind": [{"run": "7", "status": "done"}],
        }
    )
    answers = {one.question: one for one in ask_all(tables, "again", "flux")}
    assert list(answers) == [*ALL]
    assert (answers["runs"].rows, answers["runs"].columns) == (1, ("run", "status"))
    assert answers[REFUSED].problem == "no such thing look"
    assert answers[REFUSED].shown_by == "System: Free on the disk of outputs"
    assert all(
        one.ms >= 0 and (one.problem == "") == (name != REFUSED) for name, one in answers.items()
    )
    (timeline,) = [
        text for text in tables.asked if '"status")' not in text and 'r.unit == "7"' in text
    ][:1]
    assert 'r.workflow == "re\\"co"' in timeline
    assert 'r.campaign == "again"' in timeline
    assert any('r["gain"]' in text and '"taken_reco"' in text for text in tables.asked)


def test_an_empty_store_is_asked_all_the_same() -> None:
    """What nothing fills keeps a value that finds nothing."""
    answers = [*ask_all(FakeTables({}), "prompt", "influxql")]
    assert [one.question for one in answers] == [*ALL]
    assert not any(one.rows for one in answers)


@pytest.mark.parametrize("name", ALL)
def test_a_filled_query_has_no_variable_left(name: str) -> None:
    """Nothing that only Grafana understands goes to the server."""
    from autoctrl.operations.grafana.questions import VARIABLES

    for is_flux in (True, False):
        for text in question(name).texts(is_flux=is_flux):
            filled = fill_in(text, VARIABLES, bucket='a"b')
            assert names_in(filled) == set()
            assert not any(word in filled for word in ("v.", "$timeFilter", "$__"))


def test_a_query_says_of_what_kind_its_source_is() -> None:
    """Grafana's builders ask it of each query."""
    query = StoreQuery("SELECT 1", "B", "table")
    assert query.dataquery_type() == query.to_json()["datasource"]["type"] == "influxdb"
