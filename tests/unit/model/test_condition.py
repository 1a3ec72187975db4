"""What cannot be done: when a condition opens, changes and is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.model.condition import (
    CONDITION,
    REMEDIES,
    WATCH,
    ConditionKind,
    Verdict,
    found_by,
    is_known,
    is_open,
    judge,
    read_condition,
)
from tests.unit.given import NOW

if TYPE_CHECKING:
    from autoctrl.model.output import MarkRecord

LATER = NOW + timedelta(minutes=5)
GOOD = Verdict(ConditionKind.SOURCE, "table")
BAD = GOOD._replace(reason="runs.csv cannot be read")


def opened() -> MarkRecord:
    """Return the mark of a condition that has just opened."""
    (mark,) = judge([], [BAD], "prompt", NOW)
    return mark


def test_what_is_well_is_not_written_down() -> None:
    """Nothing is kept of a thing that never had a condition."""
    assert judge([], [GOOD], "prompt", NOW) == []


def test_the_first_bad_verdict_opens_a_condition() -> None:
    """It has the reason, what to do, and the time when it was found."""
    mark = opened()
    assert (mark.kind, mark.campaign, mark.name, mark.sequence) == (
        CONDITION,
        "prompt",
        "source/table",
        1,
    )
    condition = read_condition(mark)
    assert (condition.kind, condition.about, condition.reason, condition.since) == (
        ConditionKind.SOURCE,
        "table",
        "runs.csv cannot be read",
        NOW,
    )
    assert "autoctrl discover" in condition.remedy


@pytest.mark.parametrize("reason", [BAD.reason, "12 MB left, less than 17 MB"])
def test_the_same_again_is_not_written_again(reason: str) -> None:
    """Nor is a reason that differs in plain numbers alone: an idle cycle writes nothing."""
    (mark,) = judge([], [BAD._replace(reason=reason)], "prompt", NOW)
    again = BAD._replace(reason=reason.replace("17", "18"))
    assert judge([mark], [again], "prompt", LATER) == []


def test_another_reason_is_written_and_the_condition_is_as_old_as_before() -> None:
    """Since when it is there is not forgotten."""
    (mark,) = judge([opened()], [BAD._replace(reason="it is a folder")], "prompt", LATER)
    assert (mark.sequence, mark.reason, read_condition(mark).since) == (2, "it is a folder", NOW)


def test_the_first_good_verdict_closes_it_and_the_next_bad_one_opens_it_anew() -> None:
    """What opens again is as old as its second beginning; the history holds all of it."""
    (closed,) = judge([opened()], [GOOD], "prompt", LATER)
    assert not is_open(closed)
    assert judge([closed], [GOOD], "prompt", LATER) == []
    much_later = LATER + timedelta(hours=1)
    (again,) = judge([closed], [BAD], "prompt", much_later)
    assert (again.sequence, read_condition(again).since) == (3, much_later)


def test_what_nobody_looked_at_stays_as_it_was() -> None:
    """No verdict is no news."""
    assert judge([opened()], [], "prompt", LATER) == []
    other = Verdict(ConditionKind.SOURCE, "files")
    assert judge([opened()], [other], "prompt", LATER) == []


@pytest.mark.parametrize("kind", ConditionKind)
def test_every_kind_says_what_to_do(kind: ConditionKind) -> None:
    """A sentence that names the command."""
    assert "autoctrl " in REMEDIES[kind]


def test_a_reason_that_names_another_line_is_written() -> None:
    """What is shown is what is wrong now, not what was."""
    (mark,) = judge([], [BAD._replace(reason="runs.csv:2 is not a run")], "prompt", NOW)
    (changed,) = judge([mark], [BAD._replace(reason="runs.csv:9 is not a run")], "prompt", LATER)
    assert changed.reason == "runs.csv:9 is not a run"


def test_of_two_verdicts_on_one_thing_the_bad_one_counts() -> None:
    """Whichever comes first; one thing has one condition."""
    for verdicts in ([GOOD, BAD], [BAD, GOOD]):
        (mark,) = judge([], verdicts, "prompt", NOW)
        assert mark.reason == BAD.reason


def test_a_reason_of_one_number_closes() -> None:
    """Well is well, whatever was said before."""
    (mark,) = judge([], [BAD._replace(reason="503")], "prompt", NOW)
    (closed,) = judge([mark], [GOOD], "prompt", LATER)
    assert not is_open(closed)


def test_whatever_a_reason_holds_can_be_kept_and_shown() -> None:
    """No line break forges a line, no half of a character stops a store, no reason is endless."""
    wild = BAD._replace(about="raw\udce4", reason="a\n! module b\x1b[31m \udcff " + "x" * 9000)
    (mark,) = judge([], [wild], "prompt", NOW)
    assert mark.reason.startswith("a ! module b\\x1b[31m \\udcff xxx")
    assert len(mark.reason) < 2100
    assert mark.name == "source/raw\\udce4"
    mark.reason.encode()
    assert judge([mark], [wild], "prompt", LATER) == []


def test_a_kind_of_a_newer_version_is_not_known() -> None:
    """It is left alone."""
    assert is_known(opened())
    assert not is_known(opened()._replace(values={"kind": "telescope", "is_open": True}))


def test_who_finds_the_same_has_a_condition_of_its_own() -> None:
    """A watch does not end what rounds have found, nor they what it has found."""
    theirs, watched = BAD._replace(workflow="reco"), BAD._replace(finder=WATCH)
    first, second = judge([], [theirs, watched], "prompt", NOW)
    assert (first.name, second.name) == ("source/table", "watch/source/table")
    assert (found_by(first), found_by(second)) == ("", WATCH)
    assert read_condition(first).workflow == "reco"
    assert judge([first, second], [GOOD], "prompt", LATER)[0].name == first.name
    (closed,) = judge([first, second], [GOOD._replace(finder=WATCH)], "prompt", LATER)
    assert (closed.name, is_open(closed)) == (second.name, False)


def test_what_an_earlier_version_wrote_can_be_read() -> None:
    """It was found by rounds, and concerned all."""
    mark = opened()
    old = {name: mark.values[name] for name in ("kind", "about", "since", "is_open")}
    assert found_by(mark._replace(values=old)) == ""
    assert read_condition(mark._replace(values=old)).workflow == ""
