"""What a cycle did: as a value, as lines and as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.gist import gist_of
from autoctrl.model.unit import spell_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAIL = "fail"
PAST = {
    "birth": "born",
    "wait": "waiting",
    "start": "started",
    "submit": "submitted",
    "sample": "sampled",
    "grow": "grown",
    "merge": "merging",
    "remove": "removing",
    "finish": "done",
    FAIL: "failed",
}


QUIET = frozenset({"wait", "sample"})  # kinds of action that leave a task where it was


class Move(NamedTuple):
    """What a cycle did to one task that it did not leave where it was.

    unit  the task's unit
    kind  the last kind of action, as in ``PAST``
    text  what happened, or why it failed
    log   address of the log of a task that failed, empty if there is none
    """

    unit: str
    kind: str
    text: str = ""
    log: str = ""


class Summary(NamedTuple):
    """What one cycle of one workflow did.

    workflow   its name
    after      the workflows it waits for
    counts     number of actions by kind
    moved      number of records written
    open       tasks that are new, and processing, afterwards
    failed     one line per task that failed for good in this cycle
    problems   sentences about what could not be asked
    error      why the cycle could not work at all, empty if it could
    executors  of each executor that was asked: why it did not answer, empty if it did
    moves      one per task that moved
    elapsed_s  how long the cycle took
    cause      kind of the condition that ``error`` is, empty if it is none of its own
    jobs       number of jobs of open tasks by status
    hosts      where jobs are running, each once
    """

    workflow: str
    after: tuple[str, ...] = ()
    counts: Mapping[str, int] = {}
    moved: int = 0
    open: tuple[int, int] = (0, 0)
    failed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    error: str = ""
    executors: Mapping[str, str] = {}
    moves: tuple[Move, ...] = ()
    elapsed_s: float = 0.0
    cause: str = ""
    jobs: Mapping[str, int] = {}
    hosts: tuple[str, ...] = ()


def describe_summary(summary: Summary) -> str:
    """Return one line about a cycle, and one for all tasks that failed alike and per problem."""
    if summary.error:
        return f"{summary.workflow}: {summary.error}"
    counts = ", ".join(f"{count} {PAST.get(kind, kind)}" for kind, count in summary.counts.items())
    new, processing = summary.open
    still = f"{new} new, {processing} processing"
    lines = [f"{summary.workflow}: {counts or 'nothing to do'} ({still})"]
    lines += [f"  failed: {text}" for text in _spell_failures(summary)]
    lines += [f"  problem: {text}" for text in summary.problems]
    return "\n".join(lines)


def _spell_failures(summary: Summary) -> Iterator[str]:
    """Yield a line for all tasks that failed and say the same, with the first one's reason."""
    alike: dict[str, list[Move]] = {}
    for move in summary.moves:
        if move.kind == FAIL:
            alike.setdefault(gist_of(move.text), []).append(move)
    for moves in alike.values():
        units = spell_units([move.unit for move in moves])
        yield f"{units} / {summary.workflow}: {moves[0].text}"


def summary_values(summary: Summary) -> dict[str, Any]:
    """Return a summary as plain values for JSON."""
    return {
        "workflow": summary.workflow,
        "after": list(summary.after),
        "actions": dict(summary.counts),
        "records": summary.moved,
        "new": summary.open[0],
        "processing": summary.open[1],
        "failed": list(summary.failed),
        "problems": list(summary.problems),
        "error": summary.error,
    }
