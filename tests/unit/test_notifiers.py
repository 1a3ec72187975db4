"""Who is told what, and how a log says it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import NotifierError
from autoctrl.model.severity import Severity
from autoctrl.notifiers import open_notifier
from autoctrl.notifiers.everybody import Everybody, Listener
from autoctrl.notifiers.log import LogNotifier
from autoctrl.ports import Message
from autoctrl.testing import RecordingNotifier

if TYPE_CHECKING:
    from autoctrl.ports import Notifier

FAILED = Message("7/reco", Severity.ALARM, "run 7 / reco failed\nfor good", link="logs/7")
DONE = Message("7/reco", Severity.INFO, "run 7 done")


class BrokenNotifier:
    """A notifier with a fault of its own."""

    def tell(self, message: Message) -> str | None:
        raise KeyError(message.key)

    def change(self, message_id: str, message: Message) -> bool:
        raise KeyError(message_id, message.key)

    def ping(self) -> str:
        raise KeyError


def opened(text: str, folder: Path = Path("/project")) -> Notifier:
    """Open what the settings name, without the variables of the person who runs the tests."""
    return open_notifier(parse_settings(text, folder, environ={}))


def test_a_message_is_one_line_with_time_severity_and_link(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Line breaks in a text become blanks; the environment is named."""
    log = LogNotifier(None, "mirror", now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    assert log.tell(FAILED) == "7/reco"
    assert (
        capsys.readouterr().err
        == "2026-01-02T00:00:00.000000Z alarm [mirror] run 7 / reco failed for good logs/7\n"
    )


def test_a_changed_message_is_one_more_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What a log has said stays."""
    log = LogNotifier(None)
    log.tell(FAILED)
    assert log.change("7/reco", DONE)
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["alarm", "info"]


def test_a_file_that_cannot_be_written_is_said_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is raised and the message is not lost."""
    assert LogNotifier(Path("/dev/null/alerts.log")).tell(FAILED) is None
    said = capsys.readouterr().err
    assert "run 7 / reco failed" in said
    assert "not written to /dev/null/alerts.log" in said


def test_a_log_says_where_it_writes(tmp_path: Path) -> None:
    """As the settings name the file; one that cannot be written is an error with its folder."""
    assert opened("[notifiers.desk]\ntype = 'log'\n").ping() == (
        "desk: alerts are written to stderr"
    )
    text = "[notifiers.desk]\ntype = 'log'\npath = 'a/b.log'\n"
    assert opened(text, tmp_path).ping() == "desk: alerts are written to a/b.log"
    (tmp_path / "a").write_text("a file, no folder")
    with pytest.raises(NotifierError, match=r"desk: The file a/b.log .* cannot be written. Check"):
        opened(text, tmp_path).ping()
    assert opened("").ping() == "alerts are written to .autoctrl/alerts.log"


def test_everybody_is_told_and_hears_of_changes() -> None:
    """Each notifier gets the same message; the id is good for all of them."""
    first, second = RecordingNotifier(), RecordingNotifier()
    everybody = Everybody([Listener("a", first), Listener("b", second)])
    second.is_down = True
    assert everybody.tell(DONE) == json.dumps({"a": "1"})
    second.is_down = False
    told = everybody.tell(FAILED)
    assert told is not None
    assert everybody.change(told, DONE)
    assert list(first.shown.values()) == [DONE, DONE]
    assert list(second.shown.values()) == [DONE]
    assert everybody.ping() == "a: recording; b: recording"
    first.is_down = second.is_down = True
    assert everybody.tell(FAILED) is None
    assert not everybody.change(told, FAILED)


def test_a_notifier_hears_only_what_it_wants() -> None:
    """A notifier of warnings hears warnings and alarms."""
    notifier = RecordingNotifier()
    everybody = Everybody([Listener("a", notifier, Severity.WARNING)])
    told = [everybody.tell(DONE._replace(severity=severity)) for severity in Severity]
    assert [message.severity for message in notifier.told] == [Severity.WARNING, Severity.ALARM]
    assert told[0] is None


def test_a_broken_notifier_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are told; what it should have told is said on stderr, with its fault."""
    notifier = RecordingNotifier()
    everybody = Everybody([Listener("bad", BrokenNotifier()), Listener("good", notifier)])
    assert everybody.tell(FAILED) == json.dumps({"good": "1"})
    assert not everybody.change(json.dumps({"bad": "1"}), FAILED)
    assert notifier.told == [FAILED]
    said = capsys.readouterr().err
    assert said.count("notifier bad failed: KeyError") == 2
    assert "run 7 / reco failed" in said
    with pytest.raises(NotifierError, match="bad: KeyError"):
        everybody.ping()


def test_the_settings_choose_the_notifiers(capsys: pytest.CaptureFixture[str]) -> None:
    """Each [notifiers.<name>] is one who is told, from its own severity on."""
    notifier = opened(
        "[notifiers.desk]\ntype = 'log'\n[notifiers.shift]\ntype = 'log'\nseverity = 'alarm'\n"
    )
    notifier.tell(DONE._replace(title="quiet"))
    notifier.tell(FAILED._replace(title="loud", link=""))
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "quiet",
        "loud",
        "loud",
    ]
