"""Summaries of cycles as lines and as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoctrl.machine.cycle import Summary

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
    "fail": "failed",
}


def describe_summary(summary: Summary) -> str:
    """Return one line about a cycle, and one per task that failed and per problem."""
    if summary.error:
        return f"{summary.workflow}: {summary.error}"
    counts = ", ".join(f"{count} {PAST.get(kind, kind)}" for kind, count in summary.counts.items())
    new, processing = summary.open
    still = f"{new} new, {processing} processing"
    lines = [f"{summary.workflow}: {counts or 'nothing to do'} ({still})"]
    lines += [f"  failed: {text}" for text in summary.failed]
    lines += [f"  problem: {text}" for text in summary.problems]
    return "\n".join(lines)


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
