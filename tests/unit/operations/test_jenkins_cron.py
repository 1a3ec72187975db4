"""When Jenkins starts a job: which specifications it would understand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.operations.jenkins.cron import FIELDS, find_problem

LARGEST_HASHED = (59, 23, 28, 12, 7)


def parts(number: int, most: int | None = None) -> st.SearchStrategy[str]:
    """Return legal parts of the field of this number."""
    field = FIELDS[number]
    numbers = st.integers(field.least, field.most if most is None else most)
    hashed = st.integers(field.least, LARGEST_HASHED[number])
    ranges = st.tuples(numbers, numbers).map(sorted)
    hashes = st.tuples(hashed, hashed).map(sorted)
    return st.one_of(
        numbers.map(str),
        st.just("*"),
        st.just("H"),
        ranges.map("{0[0]}-{0[1]}".format),
        ranges.map(lambda pair: f"{pair[0]}-{pair[1]}/{pair[1] - pair[0] + 1}"),
        hashes.map("H({0[0]}-{0[1]})".format),
        hashes.map(lambda pair: f"H({pair[0]}-{pair[1]})/{pair[1] - pair[0] + 1}"),
        st.integers(1, LARGEST_HASHED[number] - field.least + 1).map("H/{}".format),
        st.integers(1, field.most - field.least + 1).map("*/{}".format),
    )


FIELD_TEXTS = [st.lists(parts(number), min_size=1, max_size=3).map(",".join) for number in range(5)]
LINES = st.tuples(*FIELD_TEXTS).map(" ".join)


@given(st.lists(LINES, min_size=1, max_size=3))
def test_what_the_grammar_makes_is_fine(lines: list[str]) -> None:
    """Whatever is put together of legal parts, in several lines, with a zone, has no problem."""
    assert not find_problem("\n".join(lines))
    assert not find_problem("\n".join(["TZ=Europe/Zurich", "# nightly", "", *lines]))


@given(LINES, st.integers(0, 4), st.data())
def test_a_broken_part_is_named(line: str, number: int, data: st.DataObject) -> None:
    """A part beyond its bounds, backwards, or of another grammar is refused and named."""
    field = FIELDS[number]
    beyond = [field.most + 1, field.most + 100]
    below = [str(field.least - 1)] if field.least else []
    broken = data.draw(
        st.sampled_from(
            [
                *map(str, beyond),
                *below,
                f"{field.most}-{field.least}",
                f"H({field.most}-{field.least})",
                f"H/{field.most + 2}",
                "*/0",
                "MON",
                "?",
                "L",
                "5/2",
                "h",
                "٣",
                "",
            ]
        )
    )
    words = line.split()
    words[number] = f"{words[number]},{broken}"
    assert find_problem(" ".join(words))


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    """Whatever is written, it is either fine or has a problem in words."""
    assert isinstance(find_problem(text), str)


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "@hourly",
        "@midnight",
        "H * * * *",
        "H/5 * * * *",
        "0 4 H(1-28) * 1-5",
        "# nächtlich\nH 0 * * *",
    ],
)
def test_usual_specifications_are_fine(spec: str) -> None:
    """What people write has no problem; neither has a job that is started by hand."""
    assert not find_problem(spec)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("@often", "is none of @annually"),
        ("* * * *", "has 4 fields instead of 5"),
        ("0 0 * * * *", "has 6 fields instead of 5"),
        ("60 * * * *", "60 is no minute: it goes from 0 to 59"),
        ("0 0 H(1-31) * *", "31 is no day of the month: it goes from 1 to 28"),
        ("0 12-3 * * *", "hour 12-3 runs backwards"),
        ("H/0 * * * *", "no minute of 0-59 can step by 0"),
        ("TZ=The Moon\nH * * * *", "names no time zone"),
        ("TZ=Nowhere/Atall\nH * * * *", "names no time zone"),
        ("TZ=\nH * * * *", "names no time zone"),
        ("H\u00a0* * * *", r"the character '\xa0', which Jenkins does not read"),
        ("H * * * *\u2028H 5 * * *", r"the character '\u2028'"),
        ("H * * * *\r\nH 5 * * *", r"the character '\r'"),
        ("H * * * *\nH * * * MON", "'MON' is no day of the week"),
        ("H * * * *\nTZ=Europe/Zurich", "has 1 fields"),
    ],
)
def test_a_problem_is_said(spec: str, words: str) -> None:
    """What Jenkins would take without a word is refused with one."""
    assert words in find_problem(spec)
