"""What follows from how full a quota is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from autoctrl.errors import QuotaError
from autoctrl.model.condition import CONDITION, ConditionKind, judge, read_condition
from autoctrl.model.incident import Incident, match
from autoctrl.model.output import MarkRecord
from autoctrl.model.quota import (
    TOLD_AFTER,
    Bounds,
    Level,
    Part,
    QuotaState,
    Usage,
    check_usage,
    is_worth_writing,
    judge_quota,
    level_of,
    mark_of,
    percent_used,
    read_state,
    remark_on,
    spell_part,
    spell_usage,
    take_answer,
    take_silence,
    why_held,
)
from autoctrl.model.severity import Severity
from tests.unit.given import NOW

BOUNDS = Bounds(warn=85, hold=95, margin=2, workflows=("camera-*", "dq"))
TB = 10**12
MINUTE = timedelta(minutes=1)


def used(percent: int) -> Usage:
    return Usage(percent * TB // 100, TB)


@pytest.mark.parametrize(
    ("usage", "percent", "text", "remark"),
    [
        (Usage(9 * TB, 10 * TB), 90, "9.0 TB of 10.0 TB", ""),
        (Usage(0, TB, 99, 100), 99, "0 B of 1.0 TB, 99 of 100 files", ""),
        (Usage(TB, TB, 1, None), 100, "1.0 TB of 1.0 TB, 1 files", ""),
        (Usage(3, 2), 150, "3 B of 2 B", "more is used than is allowed"),
        (Usage(5, None), None, "5 B no limit", "no limit is set"),
    ],
)
def test_the_fuller_of_bytes_and_files_counts(
    usage: Usage, percent: float | None, text: str, remark: str
) -> None:
    """Either may run out; what nothing limits is not full."""
    assert percent_used(usage) == percent
    assert (spell_usage(usage), remark_on(usage)) == (text, remark)


def test_a_part_is_spelt_with_its_limit() -> None:
    """In percent of bytes or of files."""
    assert spell_part(Part(9, 10, is_bytes=True)) == "90 % of 10 B"
    assert spell_part(Part(9, 10, is_bytes=False)) == "90 % of 10 files"


@pytest.mark.parametrize("number", [-1, 2**63, float("nan"), 1.5, True, "7"])
def test_a_number_that_no_quota_can_have_is_no_answer(number: Any) -> None:
    """An adapter that is not ours may say anything; what cannot be kept is refused by name."""
    for name in Usage._fields:
        with pytest.raises(QuotaError, match=f"It answered {name} = .*, which no quota can be"):
            check_usage(Usage(1, 2)._replace(**{name: number}))
    for usage in (None, Usage(0), Usage(2**63 - 1, 2**63 - 1, 0, 1)):
        assert check_usage(usage) == usage


@pytest.mark.parametrize(
    ("course", "levels"),
    [
        ((84, 85, 84, 83.1, 82.9), "free warn warn warn free"),
        ((94.9, 95, 94, 93, 92.9, 86, 82), "warn hold hold hold warn warn free"),
        ((96, None, 96), "hold free hold"),
        ((0, 100, 0), "free hold free"),
    ],
)
def test_what_has_begun_is_over_only_a_margin_below(
    course: tuple[float | None, ...], levels: str
) -> None:
    """A quota at its bound does not change its mind in every round."""
    seen, level = [], Level.FREE
    for percent in course:
        level = level_of(percent, BOUNDS, level)
        seen.append(str(level))
    assert " ".join(seen) == levels
    never = Bounds(0, 0, 2)
    assert level_of(100, never, Level.FREE) == level_of(100, never, Level.HOLD) == Level.FREE


def test_no_answer_changes_nothing_but_is_counted() -> None:
    """It is neither empty nor full; an answer ends the count."""
    state = take_answer(QuotaState(), used(96), BOUNDS, NOW)
    for number in range(1, TOLD_AFTER + 2):
        state = take_silence(state, "nobody\nanswers")
        assert (state.level, state.usage, state.answered) == (Level.HOLD, used(96), NOW)
        assert state.unanswered == min(number, TOLD_AFTER)
        assert state.is_silent == (number >= TOLD_AFTER)
    assert state.problem == "nobody answers"
    never = take_silence(QuotaState(), "x")
    assert (never.level, never.usage) == (Level.FREE, None)
    assert take_answer(state, used(10), BOUNDS, NOW) == QuotaState(Level.FREE, used(10), NOW)


def test_a_hold_keeps_back_the_workflows_that_are_named() -> None:
    """By patterns, all without any; the reason does not change with the numbers."""
    full = take_answer(QuotaState(), used(96), BOUNDS, NOW)
    why = "quota eos is full; new jobs wait until less than 93 % is used"
    assert why_held("eos", BOUNDS, full, "camera-reco") == why
    assert why_held("eos", BOUNDS, full, "other") == ""
    everything = Bounds(85, 95, 2)
    fuller = take_answer(full, used(99), everything, NOW)
    assert why_held("eos", everything, fuller, "other") == why
    assert why_held("eos", everything, QuotaState(), "dq") == ""
    assert why_held("eos", Bounds(85, 0, 2), full, "dq") == ""


@pytest.mark.parametrize(
    ("state", "bounds", "reason", "severity"),
    [
        (QuotaState(), BOUNDS, "", Severity.ALARM),
        (
            take_answer(QuotaState(), used(90), BOUNDS, NOW),
            BOUNDS,
            "90 % of 1.0 TB used; at 95 % new jobs of camera-* dq will wait",
            Severity.WARNING,
        ),
        (
            take_answer(QuotaState(), used(90), Bounds(85, 0, 2), NOW),
            Bounds(85, 0, 2),
            "90 % of 1.0 TB used",
            Severity.WARNING,
        ),
        (
            take_answer(QuotaState(), used(96), BOUNDS, NOW),
            BOUNDS,
            "96 % of 1.0 TB used: new jobs of camera-* dq wait until less than 93 % is used",
            Severity.ALARM,
        ),
        (QuotaState(unanswered=2, problem="down"), BOUNDS, "", Severity.ALARM),
        (
            QuotaState(unanswered=3, problem="down"),
            BOUNDS,
            "it has not answered 3 times: down",
            Severity.ALARM,
        ),
    ],
)
def test_people_are_told_what_it_means(
    state: QuotaState, bounds: Bounds, reason: str, severity: Severity
) -> None:
    """Nearly full is a warning; full is an alarm, and so is silence."""
    verdict = judge_quota("eos", bounds, state)
    assert (verdict.name, verdict.reason, verdict.severity) == ("quota/eos", reason, severity)


def test_one_trouble_is_one_incident_from_the_warning_to_the_end() -> None:
    """It grows worse and better, is over, and within the hour it is the same again."""
    marks, incidents = list[MarkRecord](), list[Incident]()
    state, seen = QuotaState(), []
    for number, percent in enumerate((90, 96, 97, 90, 10, 96)):
        now = NOW + number * MINUTE
        state = take_answer(state, used(percent), BOUNDS, now)
        verdicts = [judge_quota("eos", BOUNDS, state)]
        marks = judge(marks, verdicts, "prompt", now) or marks
        (mark,) = marks
        assert mark.kind == CONDITION
        found = [read_condition(mark)] if mark.values["is_open"] else []
        incidents = match(incidents, found, now)
        (one,) = incidents
        seen.append((one.is_open, str(one.severity), one.revision))
    assert seen == [
        (True, "warning", 1),
        (True, "alarm", 2),
        (True, "alarm", 2),
        (True, "warning", 3),
        (False, "warning", 4),
        (True, "alarm", 6),
    ]
    assert [one.kind for one in incidents] == [ConditionKind.QUOTA]


def test_what_is_known_is_kept_as_a_mark() -> None:
    """Whole, also without any answer."""
    for state in (
        QuotaState(),
        take_silence(QuotaState(), "down"),
        take_answer(QuotaState(), Usage(1, 2, 3, None), BOUNDS, NOW),
        take_silence(take_answer(QuotaState(), used(96), BOUNDS, NOW), "down"),
    ):
        assert read_state(mark_of(None, "prompt", "eos", state, NOW)) == state
    assert read_state(None) == QuotaState()
    first = mark_of(None, "prompt", "eos", QuotaState(), NOW)
    assert mark_of(first, "prompt", "eos", QuotaState(), NOW + MINUTE).sequence == 2


@pytest.mark.parametrize(
    ("after", "minutes", "is_written"),
    [
        (used(50), 0.5, False),
        (used(50), 59, False),
        (used(50), 60, True),
        (Usage(TB // 2 + 1, TB), 5, False),
        (used(52), 0.5, False),
        (used(52), 1, True),
        (Usage(TB // 2, 2 * TB), 5, True),
        (used(96), 0, True),
    ],
)
def test_numbers_are_written_when_they_move(
    after: Usage, minutes: float, *, is_written: bool
) -> None:
    """At most once a minute and at least once an hour; at once where the quota stands elsewhere."""
    before = take_answer(QuotaState(), used(50), BOUNDS, NOW)
    mark = mark_of(None, "prompt", "eos", before, NOW)
    state = take_answer(before, after, BOUNDS, NOW)
    assert is_worth_writing(mark, state, NOW + minutes * MINUTE) == is_written
    assert is_worth_writing(None, state, NOW)


def test_silence_is_written_three_times() -> None:
    """A quota that is silent for days fills no store; what nothing limits is compared as well."""
    state = take_answer(QuotaState(), Usage(5 * TB), BOUNDS, NOW)
    mark, written = mark_of(None, "prompt", "eos", state, NOW), 0
    for minute in range(1, 200):
        state = take_silence(state, "down")
        now = NOW + minute * MINUTE
        if is_worth_writing(mark, state, now):
            mark, written = mark_of(mark, "prompt", "eos", state, now), written + 1
    assert written == TOLD_AFTER
    nothing = mark_of(None, "prompt", "eos", QuotaState(), NOW)
    assert not is_worth_writing(nothing, QuotaState(), NOW + MINUTE)
    unlimited = mark_of(None, "prompt", "eos", QuotaState(usage=Usage(5 * TB)), NOW)
    assert is_worth_writing(unlimited, QuotaState(usage=Usage(6 * TB)), NOW + MINUTE)
