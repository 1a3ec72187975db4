"""What deliveries may say, and what is refused with a sentence."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import UsageError
from autoctrl.ports import Seen
from autoctrl.sources.hook.delivery import read_delivery

if TYPE_CHECKING:
    from autoctrl.model.run import Value

TYPES = {"kind": "str", "events": "int", "current": "float", "end": "time", "good": "bool"}


def read(content: object) -> list[Seen]:
    return read_delivery(json.dumps(content).encode(), TYPES)


def test_a_run_is_told_with_its_attributes() -> None:
    """Values have the declared types, a time may be seconds since 1970; what is not declared, or
    null, is left out; the run is closed unless it says otherwise.
    """
    attributes: dict[str, object] = {
        "kind": "physics",
        "events": "25",
        "current": 3,
        "end": 1_800_000_000,
        "good": True,
        "shifter": "Ada",
    }
    end = datetime.fromtimestamp(1_800_000_000, UTC)
    expected: dict[str, Value] = {
        "kind": "physics",
        "events": 25,
        "current": 3.0,
        "end": end,
        "good": True,
    }
    assert read({"run": 7, "attributes": attributes}) == [Seen(7, expected, is_closed=True)]
    open_run = {"run": 7, "attributes": {"kind": None}, "is_closed": False}
    assert read(open_run) == [Seen(7, {}, is_closed=False)]


def test_several_runs_are_told_in_their_order() -> None:
    """A list tells of several runs."""
    assert [run.number for run in read([{"run": 9}, {"run": 7}])] == [9, 7]


@pytest.mark.parametrize("content", [{}, []])
def test_a_delivery_may_tell_of_none(content: object) -> None:
    """It wakes, no more."""
    assert read(content) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (7, "neither an object nor a list"),
        ([[]], "neither an object nor a list"),
        ({"attributes": {}}, "a run without its number"),
        ({"run": "7"}, "a run without its number"),
        ({"run": True}, "a run without its number"),
        ({"run": -1}, "a run without its number"),
        ({"run": 10**15}, "a run without its number"),
        ({"run": 7, "is_close": True}, "'is_close' is not known. Did you mean 'is_closed'"),
        ({"run": 7, "is_closed": 1}, "Run 7: is_closed must be true or false"),
        ({"run": 7, "attributes": []}, "attributes an object"),
        ({"run": 7, "attributes": {"events": "many"}}, "'events' is declared as int"),
        ({"run": 7, "attributes": {"kind": {}}}, "'kind' is declared as str"),
        ({"run": 7, "attributes": {"end": 1e30}}, "the value of 'end'"),
        ({"run": 7, "attributes": {"events": 2**63}}, "the value of 'events'"),
        ({"run": 7, "attributes": {"current": "inf"}}, "'current' is declared as float"),
        ({"run": 7, "attributes": {"kind": "\ud800"}}, "the value of 'kind'"),
        ({"run": 7, "attributes": {"kind": "x" * 5000}}, "the value of 'kind'"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(content: object, message: str) -> None:
    """It says which run and what about it."""
    with pytest.raises(UsageError, match=message):
        read(content)


@pytest.mark.parametrize("body", [b"", b"run=7", b"\xff", b"[" * 60_000, b"9" * 5000])
def test_what_is_no_json_is_a_sentence(body: bytes) -> None:
    """The sentence shows what would be."""
    with pytest.raises(UsageError, match=re.escape('Send {"run": 4521')):
        read_delivery(body, TYPES)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
near_misses = st.fixed_dictionaries(
    {"run": st.integers(0, 9) | json_values},
    optional={
        "attributes": st.dictionaries(st.sampled_from([*TYPES, "other"]), json_values),
        "is_closed": st.booleans() | json_values,
    },
)


@given(json_values | near_misses | st.lists(near_misses, max_size=2))
def test_any_json_is_read_or_refused(content: object) -> None:
    """Whatever JSON comes, it is runs that a store can keep, or a sentence."""
    try:
        runs = read(content)
    except UsageError:
        return
    for run in runs:
        json.dumps([run.number, *(str(value) for value in run.attributes.values())]).encode()
        assert run.attributes.keys() <= TYPES.keys()
