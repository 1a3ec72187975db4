"""The JSON of a record: its schema, and the record read back."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.errors import DataError
from autoctrl.views import to_plain
from autoctrl.views.shape import NAMES, read_plain, read_record, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMES = st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as hypothesis has it
VALUES = st.integers() | st.booleans() | TIMES
MOMENT = datetime(2026, 11, 20, 18, 4, 5, 123456, tzinfo=UTC)


class Colour(StrEnum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Leaf(NamedTuple):
    """One leaf.

    colour  its colour
    """

    colour: Colour
    size: float = 1.0


class Tree(NamedTuple):
    """A tree
    of leaves.
    """

    name: str
    grown: datetime
    leaves: tuple[Leaf, ...]
    best: Leaf | None
    counts: Mapping[str, int]
    tags: Mapping[str, str | int | bool | datetime]
    notes: Sequence[str]
    other: Optional[bool] = None  # noqa: UP045 - as older records may write it
    free: Any = None
    trees: tuple[Tree, ...] = ()


NAMES.setdefault("Tree", Tree)
TREE = Tree("oak", MOMENT, (Leaf(Colour.RED),), None, {"a": 1}, {"t": MOMENT, "s": "x"}, ("n",))


def test_a_record_is_read_back() -> None:
    """What ``to_plain`` makes of a record is read as the same record."""
    for tree in (
        TREE,
        TREE._replace(best=Leaf(Colour.BLUE, 2.5), other=True, free=[1], trees=(TREE,)),
    ):
        assert read_record(Tree, to_plain(tree)) == tree


@given(st.dictionaries(st.text(), VALUES))
def test_attributes_of_any_type_are_read_back(tags: dict[str, Any]) -> None:
    """Times, numbers and truth stay what they are."""
    read = read_record(Tree, to_plain(TREE._replace(tags=tags)))
    assert {name: (type(value), value) for name, value in read.tags.items()} == {
        name: (type(value), value) for name, value in tags.items()
    }


def test_what_is_not_known_is_left_out() -> None:
    """A newer server may say more, an older one less of what has a default."""
    assert read_record(Leaf, {"colour": "red", "shape": "round"}) == Leaf(Colour.RED)


@pytest.mark.parametrize("plain", [None, {}, {"colour": "green"}, [], "x", {"colour": 1}])
def test_other_json_is_no_record(plain: Any) -> None:
    """What is not a record's JSON is refused."""
    with pytest.raises(DataError, match="not the JSON of Leaf"):
        read_record(Leaf, plain)


def test_a_schema_describes_a_record() -> None:
    """Fields have their types, records and enumerations are described once; what has no default
    for readers is required all the same, as it is always written.
    """
    parts: dict[str, Any] = {}
    assert schema_of(Tree, parts) == {"$ref": "#/components/schemas/Tree"}
    assert parts["Leaf"] == {
        "type": "object",
        "description": "One leaf.",
        "properties": {
            "colour": {"$ref": "#/components/schemas/Colour"},
            "size": {"type": "number"},
        },
        "required": ["colour", "size"],
    }
    assert parts["Colour"] == {
        "type": "string",
        "enum": ["red", "blue"],
        "description": "A colour.",
    }
    fields = parts["Tree"]["properties"]
    assert parts["Tree"]["description"] == "A tree of leaves."
    time = {"type": "string", "format": "date-time"}
    assert fields["grown"] == time
    assert fields["leaves"] == {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}}
    assert fields["best"] == {"anyOf": [{"$ref": "#/components/schemas/Leaf"}, {"type": "null"}]}
    assert fields["counts"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert fields["tags"]["additionalProperties"]["anyOf"][3] == time
    assert fields["notes"] == {"type": "array", "items": {"type": "string"}}
    assert fields["other"] == {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
    assert fields["free"] == {}


def test_a_value_of_no_known_type_is_as_it_is() -> None:
    """What cannot be told apart is handed on."""
    assert read_plain(object, 5) == 5
    assert schema_of(object, {}) == {}
