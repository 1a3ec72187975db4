"""Asks a command what raw files say about themselves."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ONE, MANY = "{path}", "{paths}"
BATCH = 100
MAX_TIMEOUTS = 3
LONGEST_REASON = 300


class FileFacts(NamedTuple):
    """What the command said about one file.

    run         run number in the file, None if it has none
    attributes  values by name, as JSON has them
    is_closed   the end of the run was seen
    problem     why the file cannot be used, empty if it can
    """

    run: int | None
    attributes: dict[str, Any]
    is_closed: bool
    problem: str = ""


class Printed(NamedTuple):
    """What the command printed.

    output     on stdout
    complaint  the last line on stderr, empty if there is none
    """

    output: str
    complaint: str


class InspectionStopped(Exception):
    """The command itself cannot work, so asking on would be useless. Stays inside the sources."""


class Inspection:
    """A command that reads raw files and prints JSON; never run through a shell."""

    def __init__(self, line: str, folder: Path, limit_s: float, where: str) -> None:
        """Split ``line`` into words; it runs in ``folder`` for at most ``limit_s`` seconds per
        call.

        Raises ``SettingsError`` if the line names no file to read.
        """
        try:
            self.words = shlex.split(line)
        except ValueError as error:
            message = f"{where}: the command '{line}' cannot be split into words: {error}."
            raise SettingsError(message) from error
        self.takes_many = MANY in self.words
        if not self.takes_many and not any(ONE in word for word in self.words):
            message = f"{where}: the command '{line}' contains neither {ONE} nor {MANY}."
            raise SettingsError(
                message, hint=f"Write it as in: autoctrl-camera inspect {ONE} --format json"
            )
        self.folder, self.limit_s = folder, limit_s
        self._timeouts = 0

    def ask(self, paths: Sequence[str]) -> Iterator[dict[str, FileFacts]]:
        """Yield answers by path, some at a time.

        Raises ``InspectionStopped`` if the command cannot run, or keeps hanging.
        """
        self._timeouts = 0
        for start in range(0, len(paths), BATCH):
            batch = paths[start : start + BATCH]
            answers = self._ask_together(batch) if self.takes_many and len(batch) > 1 else {}
            # If a whole batch failed, its files are asked for one by one, so that a bad file costs
            # only itself.
            alone = [path for path in batch if path not in answers]
            yield answers
            for path in alone:
                yield {path: self._ask_alone(path)}

    def _ask_together(self, paths: Sequence[str]) -> dict[str, FileFacts]:
        try:
            content = json.loads(self._run(paths).output)
            return {
                item["path"]: read_answer(item)
                for item in content["files"]
                if item["path"] in set(paths)
            }
        except (ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
            return {}

    def _ask_alone(self, path: str) -> FileFacts:
        try:
            printed = self._run([path])
        except subprocess.TimeoutExpired:
            self._timeouts += 1
            if self._timeouts >= MAX_TIMEOUTS:
                message = (
                    f"{self.words[0]} did not answer within {self.limit_s:g} s for "
                    f"{MAX_TIMEOUTS} files"
                )
                raise InspectionStopped(message) from None
            return FileFacts(
                None,
                {},
                is_closed=False,
                problem=f"{self.words[0]} did not answer within {self.limit_s:g} s",
            )
        try:
            content = json.loads(printed.output)
            return read_answer(content["files"][0] if "files" in content else content)
        except (ValueError, LookupError, TypeError):
            reason = printed.complaint or f"{self.words[0]} printed no JSON object of schema 1"
            return FileFacts(None, {}, is_closed=False, problem=reason)

    def _run(self, paths: Sequence[str]) -> Printed:
        """Call the command for these files, and never leave it or its children behind."""
        argv: list[str] = []
        for word in self.words:
            argv += list(paths) if word == MANY else [word.replace(ONE, paths[0])]
        with self._start(argv) as process:
            try:
                output, complaints = process.communicate(timeout=self.limit_s)
            except BaseException:
                # Whatever interrupts the wait, the command and its children must not outlive it.
                os.killpg(process.pid, signal.SIGKILL)
                raise
        lines = complaints.decode(errors="replace").strip().splitlines()
        complaint = lines[-1][:LONGEST_REASON] if lines else ""
        return Printed(output.decode(errors="replace"), complaint)

    def _start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        # The commands of the same installation are found even if its folder is not in the PATH.
        folders = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
        try:
            return subprocess.Popen(
                argv,
                cwd=self.folder,
                env={**os.environ, "PATH": os.pathsep.join(folders)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            message = f"{argv[0]} cannot be run: {error.strerror}"
            raise InspectionStopped(message) from error


def read_answer(content: dict[str, Any]) -> FileFacts:
    """Return the answer in one JSON object of schema 1; ``events`` counts as an attribute.

    Raises ``LookupError``, ``TypeError`` or ``ValueError`` for anything else.
    """
    if content.get("schema", 1) != 1:
        message = f"schema {content['schema']}"
        raise ValueError(message)
    attributes = dict(content.get("attributes") or {})
    if content.get("events") is not None:
        attributes["events"] = int(content["events"])
    run = content["run"]
    is_bad = content.get("state") == "corrupt" or bool(content.get("error"))
    problem = (
        str(content.get("error") or content.get("problem") or "it is corrupt") if is_bad else ""
    )
    return FileFacts(
        None if run is None else int(run), attributes, bool(content.get("is_closed")), problem
    )
