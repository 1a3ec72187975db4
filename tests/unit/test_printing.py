"""What the command line prints of texts and numbers that came from outside."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from autoctrl.cli import output
from autoctrl.model.table import Table

EVIL = "\x1b]0;pwned\x07 \x9b31m"
SPELT = r"\x1b]0;pwned\x07 \x9b31m"


@pytest.mark.parametrize(
    ("show", "value"),
    [
        (output.say, EVIL),
        (output.say_now, EVIL),
        (output.warn, EVIL),
        (output.show_whole, EVIL),
        (output.show_list, [EVIL]),
        (output.show_table, Table(("A",), [(EVIL,)])),
    ],
)
def test_a_text_gives_no_orders_to_a_terminal(
    show: Any, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever way it goes, it is spelt."""
    show(value)
    shown = capsys.readouterr()
    assert SPELT in shown.out + shown.err


def test_json_is_json_and_gives_no_orders(capsys: pytest.CaptureFixture[str]) -> None:
    """A number that is not finite is null, as strict readers want it; control characters come back
    as they were.
    """
    output.show_json(evil=EVIL, odd=[float("nan"), -float("inf"), 1.5])
    text = capsys.readouterr().out
    assert text.replace("\n", "").isprintable()

    def refuse(name: str) -> None:
        raise ValueError(name)

    said = json.loads(text, parse_constant=refuse)
    assert said == {"schema": 1, "evil": EVIL, "odd": [None, None, 1.5]}


def test_a_spreadsheet_computes_nothing_that_came_from_outside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Formulas begin with an apostrophe; numbers, also those written as texts, and a lone sign
    stay what they are.
    """
    kept = ["-1.5", "+2e3", "-", "a=b", "plain, quoted", -3, 2.5]
    evil = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\tx"]
    output.show_csv(["=heading", "b"], [[value, "x"] for value in [*kept, *evil]])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["'=heading", "b"]
    assert [row[0] for row in rows[1:]] == [*map(str, kept), *(f"'{text}" for text in evil)]
