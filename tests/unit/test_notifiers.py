"""Who is told what, and how a log says it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import NotifierError
from autoctrl.model.incident import Incident
from autoctrl.model.severity import Severity
from autoctrl.notifiers import list_notifiers, open_listener
from autoctrl.notifiers.listener import Listener
from autoctrl.notifiers.log import LogNotifier
from autoctrl.ports import Message
from autoctrl.testing import RecordingNotifier

FAILED = Message("7/reco", Severity.ALARM, "run 7 / reco failed\nfor good", link="logs/7")
DONE = Message("7/reco", Severity.INFO, "run 7 done")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
INCIDENT = Incident("3fa2c1", "reco", "failed", "bad", Severity.ALARM, "bad", "", NOW)


class BrokenNotifier:
    """A notifier with a fault of its own."""

    has_safe_repeat = False

    def tell(self, message: Message) -> str | None:
        raise KeyError(message.key)

    def change(self, message_id: str, message: Message) -> bool:
        raise KeyError(message_id, message.key)

    def ping(self) -> str:
        raise KeyError


def opened(text: str, folder: Path = Path("/project")) -> Listener:
    """Open the first that the settings name, without the variables of who runs the tests."""
    settings = parse_settings(text, folder, environ={})
    return open_listener(settings, list_notifiers(settings)[0])


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
    assert opened("[notifiers.desk]\ntype = 'log'\n").ping() == "alerts are written to stderr"
    text = "[notifiers.desk]\ntype = 'log'\npath = 'a/b.log'\n"
    assert opened(text, tmp_path).ping() == "alerts are written to a/b.log"
    (tmp_path / "a").write_text("a file, no folder")
    with pytest.raises(NotifierError, match=r"The file a/b.log .* cannot be written. Check"):
        opened(text, tmp_path).ping()
    assert opened("").ping() == "alerts are written to .autoctrl/alerts.log"


def test_a_notifier_hears_only_what_it_wants() -> None:
    """It is told from its severity on, of the workflows that it names and of what concerns all."""
    listener = Listener("shift", RecordingNotifier(), Severity.WARNING, ("camera-*", "dq"))
    wanted = [
        (severity, workflow)
        for severity in Severity
        for workflow in ("camera-reco", "dq", "other", "")
        if listener.wants(INCIDENT._replace(severity=severity, workflow=workflow))
    ]
    loud = (Severity.WARNING, Severity.ALARM)
    assert wanted == [(severity, name) for severity in loud for name in ("camera-reco", "dq", "")]


def test_a_notifier_is_not_told_of_its_own_silence() -> None:
    """Only the others can tell people that it is silent."""
    silence = INCIDENT._replace(kind="notifier", gist="shift", workflow="")
    assert not Listener("shift", RecordingNotifier()).wants(silence)
    assert Listener("desk", RecordingNotifier()).wants(silence)


def test_a_broken_notifier_says_so_in_our_words() -> None:
    """Whatever it raises is an error of a notifier, with a hint."""
    with pytest.raises(NotifierError, match=r"KeyError.*Its package is at fault"):
        Listener("bad", BrokenNotifier()).ping()
    down = RecordingNotifier()
    down.is_down = True
    with pytest.raises(NotifierError, match="does not answer"):
        Listener("down", down).ping()


def test_the_settings_choose_the_notifiers() -> None:
    """Each [notifiers.<name>] is one who is told, of its own workflows, from its own severity on;
    without any there is a log.
    """
    text = (
        "[notifiers.desk]\ntype = 'log'\n[notifiers.shift]\ntype = 'log'\nseverity = 'alarm'\n"
        "workflows = 'camera-* dq'\n"
    )
    settings = parse_settings(text, Path("/project"), environ={})
    assert list_notifiers(settings) == ["desk", "shift"]
    shift = open_listener(settings, "shift")
    assert (shift.name, shift.least, shift.workflows) == ("shift", "alarm", ("camera-*", "dq"))
    assert list_notifiers(parse_settings("", Path("/project"), environ={})) == ["log"]
