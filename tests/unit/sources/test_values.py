"""Values from files and tables become the declared types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autoctrl.errors import UsageError
from autoctrl.sources.values import typed_value

TYPES = {"fill": "int", "hv": "float", "kind": "str", "good": "bool", "start": "time"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("fill", "8222", 8222),
        ("fill", " 8222 ", 8222),
        ("fill", 8222.0, 8222),
        ("hv", 440, 440.0),
        ("hv", "440.5", 440.5),
        ("hv", "nan", None),
        ("hv", "-NaN", None),
        ("hv", float("nan"), None),
        ("kind", 7, "7"),
        ("kind", "physics", "physics"),
        ("kind", "", None),
        ("kind", None, None),
        ("good", True, True),
        ("good", "no", False),
        ("start", "2026-01-02T03:04:05+01:00", datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)),
        ("start", 0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_takes_the_declared_type(name: str, value: object, expected: object) -> None:
    """Text, numbers and blanks become what the attribute is declared as, or not yet known."""
    found = typed_value(name, value, TYPES)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fill", "many"),
        ("fill", 1.5),
        ("fill", True),
        ("good", "perhaps"),
        ("start", "noon"),
        ("kind", {"a": 1}),
        ("hv", float("inf")),
        ("hv", "-inf"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    """The error names the attribute and the type that it is declared as."""
    with pytest.raises(UsageError, match=f"'{name}' is declared as {TYPES[name]}"):
        typed_value(name, value, TYPES)
