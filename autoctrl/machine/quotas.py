"""Asks quotas how full they are, each in a process of its own, and keeps what they answer."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import Conflict
from autoctrl.machine.asking import LIMIT_S, Asked
from autoctrl.model.quota import (
    QUOTA,
    Bounds,
    QuotaState,
    Usage,
    check_usage,
    is_worth_writing,
    judge_quota,
    mark_of,
    read_state,
    take_answer,
    take_silence,
    why_held,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.config import QuotaSettings, Settings
    from autoctrl.model.condition import Verdict
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Clock, Quota, Store


class Reply(NamedTuple):
    """What became of a question.

    usage    the answer, None without one
    problem  why there is none; empty as well while the quota is still counting
    """

    usage: Usage | None = None
    problem: str = ""


class Question(Asked):
    """One quota being asked, in a child that has ``limit_s`` seconds."""

    def __init__(self, quota: Quota, limit_s: float = LIMIT_S) -> None:
        """Ask at once."""
        self.name = quota.name
        super().__init__(lambda: check_usage(quota.ask()), limit_s)

    def end(self) -> Reply:
        """End the child, as far as it can be ended, and return what it said."""
        answer = self.finish()
        return Reply(answer.value and Usage(*answer.value), answer.problem)


def bounds_of(section: QuotaSettings) -> Bounds:
    """Return what a table says of its quota."""
    patterns = tuple(section.workflows.replace(",", " ").split())
    return Bounds(section.warn, section.hold, section.margin, patterns)


def read_states(settings: Settings, marks: Iterable[MarkRecord]) -> dict[str, QuotaState]:
    """Return what is known of each quota in the settings, by name."""
    known = {mark.name: mark for mark in marks}
    return {name: read_state(known.get(name)) for name in settings.quotas}


def find_hold(settings: Settings, store: Store, campaign: str, workflow: str) -> str:
    """Return why new jobs of a workflow wait for a quota, empty if they need not."""
    if not settings.quotas:
        return ""
    states = read_states(settings, store.marks(QUOTA, campaign))
    reasons = (
        why_held(name, bounds_of(settings.quotas[name]), state, workflow)
        for name, state in states.items()
    )
    return "; ".join(filter(None, reasons))


def judge_quotas(settings: Settings, states: Mapping[str, QuotaState]) -> list[Verdict]:
    """Return a verdict on each quota."""
    return [
        judge_quota(name, bounds_of(settings.quotas[name]), state) for name, state in states.items()
    ]


def take_reply(
    before: QuotaState, reply: Reply, section: QuotaSettings, now: datetime
) -> QuotaState:
    """Return what is known of a quota after a reply."""
    if reply.usage is not None:
        return take_answer(before, reply.usage, bounds_of(section), now)
    return take_silence(before, reply.problem) if reply.problem else before


def ask_once(
    settings: Settings, quotas: Mapping[str, Quota], marks: Iterable[MarkRecord], now: datetime
) -> dict[str, tuple[QuotaState, str]]:
    """Ask all quotas now, side by side; return how each stands, and why it gave no answer.

    Nothing is written down.
    """
    questions = {name: Question(quota) for name, quota in quotas.items()}
    known = read_states(settings, marks)
    found: dict[str, tuple[QuotaState, str]] = {}
    for name, question in questions.items():
        question.is_over(LIMIT_S)
        reply = question.end()
        state = take_reply(known[name], reply, settings.quotas[name], now)
        found[name] = state, reply.problem
    return found


class QuotaRounds:
    """The quotas of a project from round to round: asked when they are due, beside everything
    else.
    """

    def __init__(self, settings: Settings, quotas: Mapping[str, Quota], campaign: str) -> None:
        """Ask nobody yet."""
        self._settings, self._quotas, self._campaign = settings, quotas, campaign
        self._questions: dict[str, Question] = {}
        self._left: dict[str, Question] = {}
        self._replies: dict[str, Reply] = {}
        self._asked: dict[str, float] = {}
        self._has_waited = False

    def start(self) -> None:
        """Ask those that are due; one whose last question cannot be ended is not asked again."""
        now = time.monotonic()
        for name, quota in self._quotas.items():
            last = self._asked.get(name)
            every_s = self._settings.quotas[name].every_s
            if name in self._questions or (last is not None and now - last < every_s):
                continue
            self._asked[name] = now
            if name in self._left and not self._left[name].has_gone():
                self._replies[name] = Reply(problem="Its last question still hangs.")
            else:
                self._left.pop(name, None)
                self._questions[name] = Question(quota)

    def take(self, store: Store, clock: Clock, *, is_patient: bool) -> None:
        """Write down what is worth it of the answers that are there.

        ``is_patient`` waits for all of them. Else a short one is waited for the first time, so that
        the first round of a loop knows it already.
        """
        first_s = 0.0 if self._has_waited else self._settings.cycle.patience_s
        ends = time.monotonic() + (LIMIT_S if is_patient else first_s)
        self._has_waited = True
        for name, question in [*self._questions.items()]:
            if question.is_over(max(0.0, ends - time.monotonic())):
                self._replies[name] = question.end()
                self._left[name] = self._questions.pop(name)
        if self._replies:
            self._keep(store, clock.now())

    def _keep(self, store: Store, now: datetime) -> None:
        """Write what has changed; where somebody else does the same now, that counts."""
        marks = {mark.name: mark for mark in store.marks(QUOTA, self._campaign)}
        records = []
        for name, reply in self._replies.items():
            before = marks.get(name)
            state = take_reply(read_state(before), reply, self._settings.quotas[name], now)
            if is_worth_writing(before, state, now):
                records.append(mark_of(before, self._campaign, name, state, now))
        self._replies = {}
        if records:
            with suppress(Conflict):
                store.append(records)

    def verdicts(self, store: Store) -> Sequence[Verdict]:
        """Return a verdict on each quota, by what the store knows of it."""
        if not self._quotas:
            return ()
        marks = store.marks(QUOTA, self._campaign)
        return judge_quotas(self._settings, read_states(self._settings, marks))

    def close(self) -> None:
        """End what is still being asked."""
        for question in self._questions.values():
            question.end()
        self._questions = {}
