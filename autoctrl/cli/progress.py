"""What ``loop`` shows while it runs: a live table on a terminal, one line per change elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from autoctrl.cli.output import is_colourful, rich_table, say, warn
from autoctrl.machine.summary import QUIET, describe_summary
from autoctrl.model.table import Table
from autoctrl.model.text import readable
from autoctrl.views.spelling import count

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.live import Live

    from autoctrl.machine.rounds import Round
    from autoctrl.machine.summary import Summary
    from autoctrl.views import Spelling


class WorkflowTally:
    """What happened to one workflow since the loop began."""

    def __init__(self) -> None:
        self.done = self.failed = self.new = self.processing = 0
        self.note = ""
        self.error = ""

    def add(self, summary: Summary) -> None:
        """Take in one more cycle."""
        self.done += summary.counts.get("finish", 0)
        self.failed += summary.counts.get("fail", 0)
        self.new, self.processing = summary.open
        self.error = summary.error
        self.note = summary.error or next(iter(summary.problems), "")


class Progress:
    """Follows a loop round by round, and shows it."""

    def __init__(self, spelling: Spelling, *, is_silent: bool) -> None:
        self.spelling, self.is_silent = spelling, is_silent
        self.tallies: dict[str, WorkflowTally] = {}
        self.rounds = 0
        self.problems: tuple[str, ...] = ()
        self.began = time.monotonic()
        self.live: Live | None = None

    def __enter__(self) -> Self:
        if not self.is_silent and is_colourful():
            from rich.live import Live

            # No thread may run while the workflows' processes are forked, so it is refreshed by
            # hand.
            self.live = Live(auto_refresh=False)
            self.live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live is not None:
            self.live.__exit__(kind, error, trace)

    def take(self, done: Round) -> None:
        """Take in one round."""
        self.rounds += 1
        for problem in done.discovered.problems:
            if problem not in self.problems:
                self._tell(problem, is_bad=True)
        self.problems = done.discovered.problems
        if done.discovered.new:
            self._tell(f"discovered: {count(done.discovered.new, 'new run')}")
        for summary in done.summaries:
            self._take_summary(summary)
        if self.live is not None:
            self.live.update(self._panel(), refresh=True)

    def _take_summary(self, summary: Summary) -> None:
        """Take in one workflow's cycle; say something if it did or says something new."""
        tally = self.tallies.setdefault(summary.workflow, WorkflowTally())
        before = tally.note
        tally.add(summary)
        is_new = tally.note != before
        if summary.error and is_new:
            self._tell(describe_summary(summary), is_bad=True)
        elif summary.failed or is_new or summary.counts.keys() - QUIET:
            self._tell(describe_summary(summary), is_news=bool(summary.failed))

    def values(self) -> dict[str, Any]:
        """Return everything as plain values."""
        workflows = [
            {
                "workflow": name,
                "done": tally.done,
                "failed": tally.failed,
                "new": tally.new,
                "processing": tally.processing,
                "error": tally.error,
            }
            for name, tally in self.tallies.items()
        ]
        return {
            "rounds": self.rounds,
            "elapsed_s": round(self.elapsed_s, 3),
            "workflows": workflows,
        }

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    @property
    def exit_code(self) -> int:
        """2 if a workflow's last cycle could not work, 1 if a task failed for good, else 0."""
        if any(tally.error for tally in self.tallies.values()):
            return 2
        return int(any(tally.failed for tally in self.tallies.values()))

    @property
    def conclusion(self) -> str:
        """One line about the whole loop."""
        done, failed, new = (
            sum(getattr(t, what) for t in self.tallies.values())
            for what in ("done", "failed", "new")
        )
        verb = "waits" if new == 1 else "wait"
        waiting = f"; {count(new, 'task')} {verb}" if new else ""
        return f"Idle: {done} done, {failed} failed in this loop{waiting}."

    def _tell(self, text: str, *, is_bad: bool = False, is_news: bool = False) -> None:
        from datetime import UTC, datetime

        if self.is_silent:
            return
        if self.live is None:
            (warn if is_bad else say)(f"{self.spelling.time_of_day(datetime.now(UTC))} {text}")
        elif is_bad or is_news:
            self.live.console.print(readable(text), style="red", markup=False, highlight=False)

    def _panel(self) -> Any:  # noqa: ANN401 - rich is imported only where it is needed
        from rich.console import Group
        from rich.text import Text

        rows = [
            (
                name,
                *(
                    str(number)
                    for number in (tally.done, tally.processing, tally.new, tally.failed)
                ),
                tally.note,
            )
            for name, tally in self.tallies.items()
        ]
        table = Table(("WORKFLOW", "DONE", "PROCESSING", "NEW", "FAILED", ""), rows)
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        title = (
            f"{minutes}:{seconds:02d} elapsed, {count(self.rounds, 'cycle')}; DONE and FAILED "
            "count from its start"
        )
        return Group(rich_table(table), Text(title, style="dim"))
