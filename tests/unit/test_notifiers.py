"""Messages as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from autoctrl.config import parse_settings
from autoctrl.notifiers import Everybody, open_notifier
from autoctrl.notifiers.log import LogNotifier
from autoctrl.testing import RecordingNotifier

if TYPE_CHECKING:
    import pytest


def test_a_message_is_one_line_with_time_severity_and_link(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Line breaks in a text become blanks; the environment is named."""
    notifier = LogNotifier(None, environment="mirror", now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    notifier.notify("alarm", "run 7 / reco failed\nfor good", "logs/7")
    assert (
        capsys.readouterr().err
        == "2026-01-02T00:00:00.000000Z alarm [mirror] run 7 / reco failed for good logs/7\n"
    )


def test_less_severe_messages_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A notifier of warnings tells warnings and alarms."""
    notifier = LogNotifier(None, "warning")
    for severity in ("info", "warning", "alarm"):
        notifier.notify(severity, "x")
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == [
        "warning",
        "alarm",
    ]


def test_a_file_that_cannot_be_written_is_said_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is raised and the message is not lost."""
    LogNotifier(Path("/dev/null/alerts.log")).notify("alarm", "run 7 failed")
    said = capsys.readouterr().err
    assert "run 7 failed" in said
    assert "not written to /dev/null/alerts.log" in said


def test_everybody_is_told() -> None:
    """Each notifier gets the same message."""
    told = [RecordingNotifier(), RecordingNotifier()]
    Everybody(told).notify("info", "run 7 done")
    assert told[0].told == told[1].told != []


def test_the_settings_choose_the_notifiers(capsys: pytest.CaptureFixture[str]) -> None:
    """Each [notifiers.<name>] is one who is told."""
    text = "[notifiers.desk]\ntype = 'log'\n[notifiers.shift]\ntype = 'log'\nseverity = 'alarm'\n"
    notifier = open_notifier(parse_settings(text, Path("/project"), environ={}))
    notifier.notify("info", "quiet")
    notifier.notify("alarm", "loud")
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "quiet",
        "loud",
        "loud",
    ]
