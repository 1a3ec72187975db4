"""What a round found that it could not do, written down when that begins, changes or is over."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import Conflict
from autoctrl.model.condition import (
    CONDITION,
    WATCH,
    ConditionKind,
    Verdict,
    found_by,
    is_known,
    is_open,
    judge,
)
from autoctrl.model.names import workflow_lease
from autoctrl.process import has_died, spell_owner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from autoctrl.config import Settings
    from autoctrl.machine.discover_runs import DiscoveredRuns
    from autoctrl.machine.summary import Summary
    from autoctrl.model.job import JobRecord
    from autoctrl.model.output import MarkRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.ports import Lease, OpenTask, Store

MOST_SENTENCES = 3
LONGEST_S = 10 * 365 * 86_400


class Present(NamedTuple):
    """What there is to have conditions: what is gone has none any more.

    sources        names of the sources
    modules        names of the workflow modules' folders
    notifiers      names of the notifiers
    is_whole       every workflow was asked and has answered
    refused        workflows whose lease somebody else held
    longest_lease  how long a lease may be held by one process, nothing: as long as it likes
    quotas         names of the quotas
    """

    sources: frozenset[str]
    modules: frozenset[str]
    notifiers: frozenset[str]
    is_whole: bool
    refused: frozenset[str] = frozenset()
    longest_lease: timedelta = timedelta(0)
    quotas: frozenset[str] = frozenset()


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


def judge_settings_of(summaries: Iterable[Summary]) -> Iterator[Verdict]:
    """Yield a verdict on what the settings and the handler say of each workflow that was asked."""
    for summary in summaries:
        is_bad = summary.cause == ConditionKind.SETTINGS
        reason = summary.error if is_bad else ""
        yield Verdict(ConditionKind.SETTINGS, summary.workflow, reason, summary.workflow)


def longest_lease(settings: Settings) -> timedelta:
    """Return how long one process may hold a lease, nothing if as long as it likes."""
    return timedelta(seconds=min(settings.cycle.held_after_s, LONGEST_S))


def judge_leases(
    store: Store, campaign: str, workflows: Iterable[str], longest: timedelta, now: datetime
) -> Iterator[Verdict]:
    """Yield a verdict on the lease of each workflow: whether the same process has held it for
    longer than ``longest``; without a length it may.

    Nobody else can move the workflow's tasks meanwhile. A lease does not say since when it is held;
    the oldest open record that was written under it does.
    """
    leases = store.leases()
    for workflow in workflows:
        lease = leases.get(workflow_lease(campaign, workflow))
        is_held = lease is not None and lease.expires > now and not has_died(lease.owner)
        reason = ""
        if longest and lease is not None and is_held:
            reason = _why_long(lease, store.open_tasks(campaign, workflow), now - longest)
        yield Verdict(ConditionKind.LEASE, workflow, reason, workflow)


def _why_long(lease: Lease, tasks: Iterable[OpenTask], before: datetime) -> str:
    tasks = list(tasks)
    records: list[TaskRecord | JobRecord] = [each.task for each in tasks]
    records += chain.from_iterable(each.jobs for each in tasks)
    times = [record.time for record in records if record.epoch == lease.epoch]
    since = min(times, default=before)
    if since >= before:
        return ""
    holder = f"{spell_owner(lease.owner)} has held it since {since:%Y-%m-%d %H:%M} UTC"
    return f"{holder}, and nobody else can move its tasks meanwhile"


def judge_forgotten(
    marks: Iterable[MarkRecord], verdicts: Sequence[Verdict], present: Present
) -> Iterator[Verdict]:
    """Yield good verdicts on open conditions of rounds that nobody looked at and nobody can.

    Those are a source, module, notifier or quota that is gone, and an executor that no workflow had
    to ask.
    """
    judged = {verdict.name for verdict in verdicts}
    for mark in marks:
        if not is_open(mark) or not is_known(mark) or mark.name in judged or found_by(mark):
            continue
        kind, about = ConditionKind(mark.values["kind"]), str(mark.values["about"])
        is_over = {
            ConditionKind.SOURCE: about not in present.sources,
            ConditionKind.MODULE: about not in present.modules,
            ConditionKind.NOTIFIER: about not in present.notifiers,
            ConditionKind.QUOTA: about not in present.quotas,
            ConditionKind.EXECUTOR: present.is_whole,
        }
        if is_over.get(kind, False):
            yield Verdict(kind, about)


def write_conditions(
    store: Store, campaign: str, verdicts: Sequence[Verdict], present: Present, now: datetime
) -> None:
    """Write down what has changed, also for what is gone."""
    marks = store.marks(CONDITION, campaign)
    doubtful = sorted({*present.refused, *_held_too_long(marks)})
    leases = judge_leases(store, campaign, doubtful, present.longest_lease, now) if doubtful else ()
    forgotten = judge_forgotten(marks, verdicts, present)
    _write(store, judge(marks, [*verdicts, *leases, *forgotten], campaign, now))


def _held_too_long(marks: Iterable[MarkRecord]) -> Iterator[str]:
    """Yield the workflows whose lease was held too long when a round last looked."""
    for mark in marks:
        is_of_lease = mark.values.get("kind") == ConditionKind.LEASE
        if is_of_lease and is_open(mark) and not found_by(mark):
            yield str(mark.values["about"])


def write_watched(
    store: Store,
    campaign: str,
    verdicts: Iterable[Verdict],
    kinds: Collection[ConditionKind],
    now: datetime,
) -> None:
    """Write down what a watch has found, which looked at all that there is of these kinds.

    What rounds have found stays as it is.
    """
    found = [verdict._replace(finder=WATCH) for verdict in verdicts]
    judged = {verdict.name for verdict in found}
    marks = store.marks(CONDITION, campaign)
    mine = (mark for mark in marks if is_open(mark) and is_known(mark) and found_by(mark) == WATCH)
    for mark in mine:
        kind = ConditionKind(mark.values["kind"])
        if kind in kinds and mark.name not in judged:
            found.append(Verdict(kind, str(mark.values["about"]), finder=WATCH))
    _write(store, judge(marks, found, campaign, now))


def write_verdicts(store: Store, campaign: str, verdicts: Sequence[Verdict], now: datetime) -> None:
    """Write down what these verdicts change."""
    _write(store, judge(store.marks(CONDITION, campaign), verdicts, campaign, now))


def _write(store: Store, changes: Sequence[MarkRecord]) -> None:
    """Write changes; where another process does the same now, the next round does."""
    if changes:
        with suppress(Conflict):
            store.append(changes)
