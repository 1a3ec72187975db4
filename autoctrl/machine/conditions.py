"""What a round found that it could not do, written down when that begins, changes or is over."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import Conflict
from autoctrl.model.condition import CONDITION, ConditionKind, Verdict, is_known, is_open, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from autoctrl.config import Settings
    from autoctrl.machine.discover_runs import DiscoveredRuns
    from autoctrl.machine.summary import Summary
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Store

MOST_SENTENCES = 3
MB = 1 << 20


class Present(NamedTuple):
    """What there is to have conditions: what is gone has none any more.

    sources    names of the sources
    modules    names of the workflow modules' folders
    notifiers  names of the notifiers
    is_whole   every workflow was asked and has answered
    """

    sources: frozenset[str]
    modules: frozenset[str]
    notifiers: frozenset[str]
    is_whole: bool


def judge_sources(discovered: DiscoveredRuns) -> Iterator[Verdict]:
    """Yield a verdict on each source that was asked."""
    for name, problems in discovered.by_source.items():
        more = len(problems) - MOST_SENTENCES
        ending = f"; and {more} more" if more > 0 else ""
        reason = "; ".join(problems[:MOST_SENTENCES])
        yield Verdict(ConditionKind.SOURCE, name, f"{reason}{ending}")


def judge_executors(summaries: Iterable[Summary]) -> Iterator[Verdict]:
    """Yield a verdict on each executor that was asked, a bad one if it failed anybody."""
    answers: dict[str, str] = {}
    for summary in summaries:
        for name, reason in summary.executors.items():
            answers[name] = reason or answers.get(name, "")
    for name, reason in answers.items():
        yield Verdict(ConditionKind.EXECUTOR, name, reason)


def watched_folders(settings: Settings) -> dict[str, Path]:
    """Return the folders whose disks must have room, by what lies in them."""
    return {
        "state": settings.state_folder,
        "outputs": settings.path(settings.outputs.root),
    }


def judge_disks(folders: Mapping[str, Path], least_mb: int) -> Iterator[Verdict]:
    """Yield a verdict on the disk of each folder that is there, by what lies in it."""
    for what, folder in folders.items():
        with suppress(OSError):
            free_mb = free_bytes(folder) // MB
            is_short = free_mb < least_mb
            reason = f"the disk of {folder} has {free_mb} MB left, less than {least_mb} MB"
            yield Verdict(ConditionKind.DISK, what, reason if is_short else "")


def free_bytes(folder: Path) -> int:
    """Return how much can still be written to the disk of a folder, or of the one that will hold
    it. Raises ``OSError``.
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    disk = os.statvfs(there)
    return disk.f_bavail * disk.f_frsize


def judge_forgotten(
    marks: Iterable[MarkRecord], verdicts: Sequence[Verdict], present: Present
) -> Iterator[Verdict]:
    """Yield good verdicts on open conditions that nobody looked at and nobody can.

    Those are a source, module or notifier that is gone, and an executor that no workflow had to
    ask.
    """
    judged = {verdict.name for verdict in verdicts}
    for mark in marks:
        if not is_open(mark) or not is_known(mark) or mark.name in judged:
            continue
        kind, about = ConditionKind(mark.values["kind"]), str(mark.values["about"])
        is_over = {
            ConditionKind.SOURCE: about not in present.sources,
            ConditionKind.MODULE: about not in present.modules,
            ConditionKind.NOTIFIER: about not in present.notifiers,
            ConditionKind.EXECUTOR: present.is_whole,
        }
        if is_over.get(kind, False):
            yield Verdict(kind, about)


def write_conditions(
    store: Store, campaign: str, verdicts: Sequence[Verdict], present: Present, now: datetime
) -> None:
    """Write down what has changed, also for what is gone."""
    marks = store.marks(CONDITION, campaign)
    forgotten = judge_forgotten(marks, verdicts, present)
    _write(store, judge(marks, [*verdicts, *forgotten], campaign, now))


def write_verdicts(store: Store, campaign: str, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Write down what these verdicts change."""
    _write(store, judge(store.marks(CONDITION, campaign), verdicts, campaign, now))


def _write(store: Store, changes: Sequence[MarkRecord]) -> None:
    """Write changes; where another process does the same now, the next round does."""
    if changes:
        with suppress(Conflict):
            store.append(changes)
