"""The JUnit file of ``cycle --junit``: refused before the cycle, written however that ends."""

from __future__ import annotations

import errno
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.files import write_whole
from autoctrl.machine.summary import PAST
from autoctrl.views.junit import CYCLE, Case, Suite, junit_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from autoctrl.machine.rounds import Round
    from autoctrl.machine.summary import Move, Summary

DISCOVER = "discover"
UNFINISHED = "The cycle did not come to its end: it was interrupted or killed."


class JUnitReport:
    """One JUnit file: first it says that the cycle did not end, at last what the cycle did.

    path         the file; its folder is made
    campaign     the campaign that is processed
    workflows    those that are wanted, none for all
    project      name of the project, empty until its settings are read
    is_finished  it says what the cycle did
    """

    def __init__(self, path: Path, campaign: str, workflows: Sequence[str]) -> None:
        self.path, self.campaign, self.workflows = path, campaign, workflows
        self.project = ""
        self.is_finished = False
        self.began = datetime.now(UTC)

    def open(self) -> None:
        """Write the file as it stays if we are killed. Raises ``UsageError`` if it cannot be."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.fail(UNFINISHED)
        except OSError as error:
            message = f"--junit {self.path} cannot be written: {error.strerror or error}."
            hint = "Nothing was done. Name a file in a folder that you may write to."
            raise UsageError(message, hint=hint) from error

    def fail(self, reason: str) -> None:
        """Say that no cycle could work. Raises ``OSError``."""
        self._write([self._suite(name, [Case(CYCLE, error=reason)]) for name in self._names()])

    def finish(self, done: Round) -> None:
        """Say what the round did. Raises ``AutoctrlError`` if the file cannot be written."""
        suites = [self._suite(one.workflow, cases_of(one)) for one in done.summaries]
        unreadable = "; ".join(done.discovered.unreadable)
        if unreadable or not suites:
            suites.append(self._suite(DISCOVER, [Case(CYCLE, error=unreadable)]))
        try:
            self._write(suites)
        except OSError as error:
            message = f"--junit {self.path} cannot be written: {error.strerror or error}."
            hint = "The cycle was made all the same; autoctrl status shows how tasks stand."
            raise AutoctrlError(message, hint=hint) from error
        self.is_finished = True

    def _names(self) -> Sequence[str]:
        return self.workflows or [DISCOVER]

    def _suite(self, workflow: str, cases: Sequence[Case]) -> Suite:
        return Suite(self.project or "autoctrl", self.campaign, workflow, cases)

    def _write(self, suites: Sequence[Suite]) -> None:
        is_other = self.path.exists() and not self.path.is_file()
        if is_other or self.path.is_symlink():  # a device, or /dev/stdout, would be replaced, too
            raise OSError(errno.EINVAL, "it is there and not a file")
        write_whole(self.path, junit_document(suites, self.began))


@contextmanager
def reporting(path: Path, campaign: str, workflows: Sequence[str]) -> Iterator[JUnitReport]:
    """Yield the report of a cycle; an error in the block is in it, too.

    Raises ``UsageError`` before the block if the file cannot be written.
    """
    report = JUnitReport(path, campaign, workflows)
    report.open()
    try:
        yield report
    except Exception as error:
        if not report.is_finished:
            with suppress(OSError):  # the error is the one worth telling
                report.fail(str(error) or type(error).__name__)
        raise


def cases_of(summary: Summary) -> list[Case]:
    """Return the test cases of a workflow's cycle: one for itself, one per task that moved."""
    problems = "\n".join(f"problem: {text}" for text in summary.problems)
    cycle = Case(CYCLE, problems, error=summary.error, time_s=summary.elapsed_s)
    return [cycle, *map(_case_of, summary.moves)]


def _case_of(move: Move) -> Case:
    if move.kind == "fail":
        return Case(move.unit, failure=move.text, log=move.log)
    said = f": {move.text}" if move.text else ""
    return Case(move.unit, f"{PAST.get(move.kind, move.kind)}{said}")
