"""Messages handed to a program, for mail or whatever a site has: ``type = "command"``."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

from autoctrl.config import Adapter, NotifierSettings, setting
from autoctrl.errors import NotifierError, PerhapsTold, SettingsError
from autoctrl.model.secret import has_password, is_secret_name, without_passwords
from autoctrl.notifiers.patience import time_left_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.ports import Message

# With less time than this a program is not begun: one that is killed may have told people.
LEAST_S = 3.0
LONGEST_ID = 200
LONGEST_REASON = 200
LONGEST_OUTPUT = 10_000


@dataclass(frozen=True)
class CommandNotifierSettings(NotifierSettings):
    """``[notifiers.<name>]`` with ``type = "command"``: one call of a program per message."""

    argv: str = setting(
        "Program with its arguments, split as a shell would, but run without one.",
        separate="text",
    )
    limit_s: float = setting(
        "Time limit of one call, seconds; more than 8 are not given.", 8.0, least=0.1
    )


class Program(NamedTuple):
    """What is run.

    argv     the program and its arguments
    path     the file of the program, None if there is none
    folder   where it runs
    """

    argv: Sequence[str]
    path: str | None
    folder: Path

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.argv[0]


class Ended(NamedTuple):
    """How a call has ended.

    exit_code  as the system gives it; negative after a signal, None if the program was killed for
               its time
    stdout     beginning of what it printed
    stderr     end of what it complained about
    """

    exit_code: int | None
    stdout: str
    stderr: str


class CommandNotifier:
    """Runs a program with the message as one JSON object on its standard input."""

    # Whether a program knows a message again is its own affair: it is told by ``is_again``.
    has_safe_repeat = False

    def __init__(
        self,
        program: Program,
        limit_s: float,
        facts: Mapping[str, str],
        *,
        time_left: Callable[[], float] = time_left_s,
    ) -> None:
        """Run ``program``; ``facts`` are what each message has besides its own."""
        self._program, self._limit_s, self._facts = program, limit_s, facts
        self._time_left = time_left
        self._complaint: NotifierError | None = None

    def tell(self, message: Message) -> str | None:
        """Run the program; return the first line that it prints, else the message's key.

        Raises ``PerhapsTold`` if it had to be killed.
        """
        stdout = self._call(message, {"do": "tell"})
        if stdout is None:
            return None
        first = stdout.strip().partition("\n")[0].strip()
        return first if 0 < len(first) <= LONGEST_ID else message.key

    def change(self, message_id: str, message: Message) -> bool:
        """Run the program with the id that it gave. Raises as ``tell`` does."""
        return self._call(message, {"do": "change", "message": message_id}) is not None

    def ping(self) -> str:
        """Say that the program is there; it is not run.

        Raises ``NotifierError``: first for how the last call has ended.
        """
        complaint, self._complaint = self._complaint, None
        if complaint is not None:
            raise complaint
        if self._program.path is None or not _is_program(self._program.path):
            message = f"There is no program {self._program.name}, or it cannot be executed."
            raise NotifierError(message, hint="Install it, or make it executable: chmod +x")
        return f"messages are handed to {self._program.name}"

    def _call(self, message: Message, what: Mapping[str, str]) -> str | None:
        """Return what the program printed, None if it has told nobody."""
        self._complaint = None
        left_s = self._time_left()
        if left_s < min(self._limit_s, LEAST_S):
            text = f"There was no time left to run {self._program.name}."
            self._complaint = NotifierError(text, hint="It is tried again by itself.")
            return None
        try:
            ended = run(
                self._program,
                write_input(message, {**self._facts, **what}),
                min(self._limit_s, left_s),
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            text = f"{self._program.name} cannot be run: {why}."
            self._complaint = NotifierError(text, hint="Check [notifiers] argv.")
            return None
        if ended.exit_code == 0:
            return ended.stdout
        self._judge(ended)
        return None

    def _judge(self, ended: Ended) -> None:
        """Keep the reason of a call that failed. Raises ``PerhapsTold`` if that proves nothing."""
        lines = without_passwords(ended.stderr).split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        said = f": {last[:LONGEST_REASON].removesuffix('.')}" if last else ""
        name = self._program.name
        if ended.exit_code is None:
            text = f"{name} was not ready in its time and was killed{said}."
            raise PerhapsTold(
                text, hint="Ask whether people were told; raise limit_s if it is low."
            )
        text = f"{name} ended with exit code {ended.exit_code}{said}."
        self._complaint = NotifierError(text, hint="Exit code 0 would say that people were told.")


def write_input(message: Message, facts: Mapping[str, str]) -> bytes:
    """Return what the program reads: one JSON object in one line of ASCII."""
    said = {
        "key": message.key,
        "severity": str(message.severity),
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "revision": message.revision,
        "is_over": message.is_over,
        "is_again": message.is_again,
        "below": message.below,
        **facts,
    }
    # Halves of a character are no text for other languages.
    whole = {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in said.items()
    }
    return json.dumps(whole).encode() + b"\n"


def select_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what looks like a secret."""
    return {
        name: value
        for name, value in environment.items()
        if not is_secret_name(name) and not has_password(value)
    }


def run(program: Program, given: bytes, limit_s: float) -> Ended:
    """Run a program, and kill it with all that it has started when its time is over.

    It reads and writes files, so that neither what it does not read nor what lives on behind it
    makes anybody wait. Raises ``OSError`` and ``ValueError`` if it cannot be run.
    """
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(
            program.argv,
            executable=program.path,
            cwd=program.folder,
            env=select_environment(os.environ),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        exit_code = _wait(process, limit_s)
        return Ended(exit_code, _read(stdout, is_end=False), _read(stderr, is_end=True))


def _wait(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    """Return the exit code, None if the program had to be killed."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own
            process.wait()


def _read(file: IO[bytes], *, is_end: bool) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST_OUTPUT) if is_end else 0)
    return file.read(LONGEST_OUTPUT).decode("utf-8", "replace").replace("\x00", "")


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - as which() looks


def open_command(
    name: str, section: CommandNotifierSettings, settings: Settings
) -> CommandNotifier:
    """Return the notifier of this table. Raises ``SettingsError`` if it names no program."""
    try:
        argv = shlex.split(section.argv)
    except ValueError as error:
        message = f"[notifiers.{name}] argv cannot be split into words: {error}."
        raise SettingsError(message, hint="Close its quotation marks.") from error
    if not argv or not argv[0]:
        message = f"[notifiers.{name}] argv names no program."
        raise SettingsError(message, hint="Write it as in argv = 'mail-it --to shift'.")
    is_path = "/" in argv[0]
    path = str(settings.path(argv[0]).absolute()) if is_path else shutil.which(argv[0])
    facts = {"environment": settings.environment, "project": settings.project.name}
    return CommandNotifier(Program(argv, path, settings.folder), section.limit_s, facts)


ADAPTER = Adapter(CommandNotifierSettings, open_command)
