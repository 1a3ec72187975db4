"""Which custom fields of a task hold."""

from __future__ import annotations

from datetime import timedelta

from autoctrl.model.output import FieldsRecord, newest_fields
from tests.contract.samples import NOW, task

KEY = task("7").key
LATER = NOW + timedelta(minutes=1)


def test_those_of_the_newest_version_hold() -> None:
    """Whatever came last, and whatever else is recorded of the task."""
    older, newer = FieldsRecord(KEY, 1, {"a": 1.0}, LATER), FieldsRecord(KEY, 2, {"a": 2.0}, NOW)
    assert newest_fields([task("7"), newer, older]) == newer


def test_what_a_version_reports_in_pieces_is_one() -> None:
    """Of one name the last value holds, and the time is the last."""
    pieces = [
        FieldsRecord(KEY, 1, {"a": 1.0, "b": "x"}, NOW),
        FieldsRecord(KEY, 1, {"a": 2.0, "c": 3.0}, LATER),
    ]
    assert newest_fields(pieces) == FieldsRecord(KEY, 1, {"a": 2.0, "b": "x", "c": 3.0}, LATER)


def test_a_task_may_have_reported_none() -> None:
    """Then nothing holds."""
    assert newest_fields([task("7")]) is None
