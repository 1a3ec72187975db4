"""Run attributes and the filter over them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoctrl.errors import UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.run import RunRecord, Where, parse_attribute, spell_open

TYPES = {"fill": "int", "luminosity": "float", "kind": "str", "stable": "bool", "start": "time"}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("fill", "8222", 8222),
        ("luminosity", "1.5", 1.5),
        ("kind", "physics", "physics"),
        ("stable", "Yes", True),
        ("stable", "0", False),
        ("start", "2026-03-01T12:00:00+01:00", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("start", "2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_an_attribute_takes_its_declared_type(name: str, text: str, value: object) -> None:
    """A text becomes the declared type; times become UTC, and one without a zone is taken for
    UTC.
    """
    parsed = parse_attribute(name, text, TYPES)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fill", "many"),
        ("stable", "perhaps"),
        ("start", "noon"),
        ("luminosity", "nan"),
        ("luminosity", "-inf"),
        ("luminosity", "1e999"),
    ],
)
def test_a_text_of_another_type_is_refused(name: str, text: str) -> None:
    """The refusal names the attribute, its type and the text."""
    with pytest.raises(
        UsageError, match=f"'{name}' is declared as {TYPES[name]}, which '{text}' is not"
    ):
        parse_attribute(name, text, TYPES)


def test_an_undeclared_attribute_is_refused_with_the_nearest() -> None:
    """A misspelt attribute names the one that was probably meant and how to declare a new one."""
    with pytest.raises(UsageError, match=r"Did you mean 'fill'\?.*\[runs.attributes\] fil"):
        parse_attribute("fil", "1", TYPES)


@pytest.mark.parametrize(
    ("where", "attributes", "answer"),
    [
        (Where(), {}, True),
        (Where(kind="physics"), {"kind": "physics"}, True),
        (Where(kind="physics"), {"kind": "pedestal"}, False),
        (Where(kind="physics"), {}, None),
        (Where(kind={"physics", "cosmics"}), {"kind": "cosmics"}, True),
        (Where(kind=["physics"]), {"kind": "cosmics"}, False),
        (Where(hv=lambda v: v > 400), {"hv": 500}, True),
        (Where(hv=lambda v: v > 400), {"hv": 300}, False),
        (Where(hv=lambda v: v > 400, kind="physics"), {"kind": "pedestal"}, False),
        (Where(kind="physics", hv=1), {"kind": "physics"}, None),
        (Where(hv=1, kind="physics"), {"kind": "physics"}, None),
    ],
)
def test_a_filter_decides_or_is_not_yet_decided(
    where: Where, attributes: dict[str, Any], *, answer: bool | None
) -> None:
    """A missing attribute leaves it open unless another condition has said no already."""
    assert where.admits(attributes) is answer


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
)
def test_attributes_that_arrive_never_take_back_a_decision(
    wanted: dict[str, int], known: dict[str, int]
) -> None:
    """Whatever was decided on part of the attributes stands when the rest arrives."""
    part = Where(**wanted).admits(dict(list(known.items())[:1]))
    if part is not None:
        assert Where(**wanted).admits(known) is part


def test_the_digest_changes_with_the_filter_and_with_nothing_else() -> None:
    """Order of conditions and of sets does not count; values, function bodies, constants and bound
    values do.
    """

    def above(limit: float) -> Where:
        return Where(hv=lambda v: v > limit)

    same = [Where(a=1, b={2, 3}), Where(b={3, 2}, a=1)]
    assert same[0].digest == same[1].digest
    filters = [
        *same[:1],
        Where(),
        Where(a=2),
        Where(a=lambda v: v > 4),
        Where(a=lambda v: v > 5),
        above(1),
        above(2),
    ]
    filters += [
        Where(a=len),
        Where(a=abs),
        Where(a=lambda v: any(x for x in v)),
        Where(a=[1, 2]),
        Where(a=[2, 1]),
    ]
    assert len({where.digest for where in filters}) == len(filters)


def test_the_digest_is_the_same_in_every_process() -> None:
    """A filter with a nested function and a set has one digest, whatever the process and its hash
    seed.
    """
    code = (
        "from autoctrl.model.run import Where;"
        "print(Where(kind={'physics', 'cosmics'}, hv=lambda v: any(x > 4 for x in v)).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_filter_says_what_it_wants_of_each_attribute() -> None:
    """For people who look at a run that it does not take."""
    where = Where(kind="physics", hv=lambda value: value > 4, fill=(1, 2))
    assert where.words == {"kind": "'physics'", "hv": "a function", "fill": "(1, 2)"}


def test_an_open_run_says_who_ends_it() -> None:
    """Its source, or a person who registered it."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = RunRecord(7, {}, is_closed=False, time=now, actor=Actor("table", "source"))
    assert spell_open(run) == "run 7 is still open until table says that it has ended"
    said = spell_open(run._replace(actor=Actor("anna", "cli")))
    assert said == "run 7 is still open; it is ended by: autoctrl runs add 7 --closed"


def test_a_filter_shows_itself_as_written() -> None:
    """Its repr is what the author wrote."""
    assert repr(Where(kind="physics", hv=4)) == "Where(kind='physics', hv=4)"
