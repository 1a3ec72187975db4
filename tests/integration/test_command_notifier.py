"""A program as a notifier: what it reads, and what its end means."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from autoctrl.config import parse_settings
from autoctrl.errors import NotifierError, PerhapsTold, SettingsError
from autoctrl.model.severity import Severity
from autoctrl.notifiers import open_listener
from autoctrl.notifiers.command import CommandNotifier, Program, select_environment
from autoctrl.ports import Message

if TYPE_CHECKING:
    from pathlib import Path

ALARM = Message("7/reco", Severity.ALARM, "run 7 / reco failed", "The disk is full.", "logs/7")
FACTS = {"project": "camera", "environment": "mirror"}


class Script(NamedTuple):
    """A notifier, and the folder that its program runs in."""

    notifier: CommandNotifier
    folder: Path

    def complaint(self) -> str:
        """Return what is wrong, empty if nothing is."""
        try:
            self.notifier.ping()
        except NotifierError as error:
            return str(error)
        return ""

    def read(self) -> dict[str, Any]:
        """Return what the program has read."""
        found: dict[str, Any] = json.loads((self.folder / "read").read_text())
        return found


def script(folder: Path, lines: str, limit_s: float = 60.0, left_s: float = 60.0) -> Script:
    """Return a notifier of a shell script with these lines."""
    path = folder / "tell-it"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    program = Program(["./tell-it", "a b", "$HOME"], str(path), folder)
    return Script(CommandNotifier(program, limit_s, FACTS, time_left=lambda: left_s), folder)


def test_a_program_reads_the_whole_message(tmp_path: Path) -> None:
    """As JSON, with project and environment, and what is to be done."""
    told = script(tmp_path, "cat >read; echo id-7; echo more")
    assert told.notifier.tell(ALARM) == "id-7"
    assert told.read() == {
        "do": "tell",
        "key": "7/reco",
        "severity": "alarm",
        "title": "run 7 / reco failed",
        "text": "The disk is full.",
        "link": "logs/7",
        "revision": 1,
        "is_over": False,
        "is_again": False,
        "below": "",
        **FACTS,
    }


def test_a_change_names_the_message(tmp_path: Path) -> None:
    """By the id that the program has given."""
    told = script(tmp_path, "cat >read")
    assert told.notifier.change("id-7", ALARM._replace(revision=2, is_over=True))
    read = told.read()
    assert (read["do"], read["message"], read["revision"]) == ("change", "id-7", 2)
    assert read["is_over"] is True


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("true", "7/reco"),
        ("echo", "7/reco"),
        ("printf id-8", "id-8"),
        ("printf '%0200d' 0", "0" * 200),
        ("printf '%0201d' 0", "7/reco"),
        ("printf '\\377'", "\ufffd"),
    ],
)
def test_the_id_is_the_first_line_or_the_key(tmp_path: Path, lines: str, told: str) -> None:
    """A program that prints none, or one that is too long, is known by the message's key."""
    assert script(tmp_path, lines).notifier.tell(ALARM) == told


def test_no_shell_looks_at_the_arguments(tmp_path: Path) -> None:
    """They arrive as they are."""
    assert script(tmp_path, 'echo "$#|$1|$2"').notifier.tell(ALARM) == "2|a b|$HOME"


def test_text_that_is_none_reaches_the_program(tmp_path: Path) -> None:
    """Halves of characters are spelt out, so that every language can read the JSON."""
    told = script(tmp_path, "cat >read")
    assert told.notifier.tell(ALARM._replace(text="\udc80 größer\n\x00")) is not None
    assert told.read()["text"] == "\\udc80 größer\n\x00"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("exit 3", "./tell-it ended with exit code 3. Exit code 0"),
        ("echo a >&2; echo 'no such list.' >&2; echo >&2; exit 1", "exit code 1: no such list. "),
        ("echo smtp://ada:geheim@mx >&2; exit 1", "exit code 1: smtp://ada:(redacted)"),
        ("kill -9 $$", "exit code -9"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "1: " + "x" * 200 + "."),
    ],
)
def test_another_exit_code_has_told_nobody(tmp_path: Path, lines: str, reason: str) -> None:
    """The end of what it complained about is the reason, said once."""
    told = script(tmp_path, lines)
    assert told.notifier.tell(ALARM) is None
    assert reason in told.complaint()
    assert told.complaint() == ""
    assert not told.notifier.change("id-7", ALARM)
    assert told.complaint()


@pytest.mark.parametrize("how", ["missing", "not executable", "a folder", "no program"])
def test_a_program_that_cannot_be_run_is_an_answer(tmp_path: Path, how: str) -> None:
    """Nothing is raised, and ``ping`` explains it without running anything."""
    told = script(tmp_path, "touch read")
    path = tmp_path / "tell-it"
    if how in {"missing", "a folder"}:
        path.unlink()
    if how == "a folder":
        path.mkdir()
    if how == "not executable":
        path.chmod(0o644)
    if how == "no program":
        path.write_text("#!/does/not/exist\n")
    assert told.notifier.tell(ALARM) is None
    assert "./tell-it cannot be run: " in told.complaint()
    if how != "no program":
        assert "There is no program ./tell-it, or it cannot be executed" in told.complaint()
    assert not (tmp_path / "read").exists()


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """With all that it has started; nobody knows whether people were told."""
    os.mkfifo(tmp_path / "held")
    told = script(tmp_path, "sleep 600 >held & echo begun >&2; sleep 600; touch read", limit_s=1.0)
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(PerhapsTold, match=r"./tell-it was not ready in its time"):
            told.notifier.tell(ALARM)
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # at the end of the last who could write
    finally:
        os.close(reader)
    with pytest.raises(PerhapsTold):
        told.notifier.change("id-7", ALARM)


def test_what_lives_on_behind_it_is_not_waited_for(tmp_path: Path) -> None:
    """A program may leave another one behind, which keeps what it has opened."""
    told = script(tmp_path, "sleep 5 & echo id-7")
    assert told.notifier.tell(ALARM) == "id-7"


def test_a_program_need_not_read(tmp_path: Path) -> None:
    """However long the message is."""
    told = script(tmp_path, "exec <&-; echo id-7")
    assert told.notifier.tell(ALARM._replace(text="x" * 1_000_000)) == "id-7"


def test_without_time_nothing_is_begun(tmp_path: Path) -> None:
    """A program that would be killed is not run."""
    told = script(tmp_path, "touch read", left_s=2.0)
    assert told.notifier.tell(ALARM) is None
    assert "no time left to run ./tell-it" in told.complaint()
    assert not (tmp_path / "read").exists()


def test_secrets_are_not_handed_on() -> None:
    """Neither by the name of a variable nor by an address with a password in it."""
    given = {
        "HOME": "/root",
        "AUTOCTRL_STORE_TOKEN": "x",
        "SMTP_PASSWORD": "x",
        "RELAY": "smtp://ada:x@mx",
    }
    assert select_environment(given) == {"HOME": "/root"}


def test_a_program_gets_the_environment_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What remains is as ours."""
    monkeypatch.setenv("MAIL_TOKEN", "geheim")
    monkeypatch.setenv("MAIL_HOST", "mx")
    assert script(tmp_path, 'echo "$MAIL_HOST|$MAIL_TOKEN"').notifier.tell(ALARM) == "mx|"


def test_the_settings_name_the_program(tmp_path: Path) -> None:
    """One with a slash counts from the project's folder and runs there, any other from PATH."""
    (tmp_path / "bin").mkdir()
    path = tmp_path / "bin" / "tell-it"
    path.write_text('#!/bin/sh\ncat >read; echo "$1"\n')
    path.chmod(0o755)
    text = (
        "name = 'camera'\n[notifiers.a]\ntype = 'command'\nargv = \"bin/tell-it 'a b'\"\n"
        "[notifiers.b]\ntype = 'command'\nargv = 'echo told'\nlimit_s = 60.0\n"
    )
    settings = parse_settings(text, tmp_path, environ={})
    listener = open_listener(settings, "a")
    assert listener.ping() == "messages are handed to bin/tell-it"
    assert listener.notifier.tell(ALARM) == "a b"
    assert json.loads((tmp_path / "read").read_text())["project"] == "camera"
    assert open_listener(settings, "b").notifier.tell(ALARM) == "told"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [("", "names no program"), ("''", "names no program"), ('"a', "cannot be split")],
)
def test_an_argv_without_a_program_is_a_wrong_setting(
    tmp_path: Path, argv: str, reason: str
) -> None:
    """The table is named."""
    text = f"[notifiers.mail]\ntype = 'command'\nargv = '''{argv}'''\n"
    settings = parse_settings(text, tmp_path, environ={})
    with pytest.raises(SettingsError, match=rf"\[notifiers.mail\] argv {reason}"):
        open_listener(settings, "mail")
