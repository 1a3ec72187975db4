"""Asks quotas how full they are, each in a process of its own, and keeps what they answer.

A dead network mount hangs for ever whoever touches it, and not even a kill ends that. So the
process that makes cycles never touches one: a child does, and is left behind where it cannot end.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from autoctrl.errors import AutoctrlError, Conflict
from autoctrl.model.quota import (
    QUOTA,
    Bounds,
    QuotaState,
    Usage,
    is_worth_writing,
    judge_quota,
    mark_of,
    read_state,
    take_answer,
    take_silence,
    why_held,
)
from autoctrl.node.wrapper import PR_SET_PDEATHSIG, prctl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from autoctrl.config import QuotaSettings, Settings
    from autoctrl.model.condition import Verdict
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Clock, Quota, Store

LIMIT_S = 20.0
LAST_LOOK_S = 0.01
LONGEST_ANSWER = 1 << 16
FIRST_OWN_FILE = 3  # after the standard ones


class Reply(NamedTuple):
    """What became of a question.

    usage    the answer, None without one
    problem  why there is none; empty as well while the quota is still counting
    """

    usage: Usage | None = None
    problem: str = ""


class Question:
    """One quota being asked, in a child that has ``limit_s`` seconds."""

    def __init__(self, quota: Quota, limit_s: float = LIMIT_S) -> None:
        """Ask at once."""
        self.name, self._limit_s = quota.name, limit_s
        self._deadline = time.monotonic() + limit_s
        self._said = b""
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _answer(quota, writer, parent)
        os.close(writer)
        self._has_closed = False
        self._is_reaped = False

    def is_over(self, wait_s: float = 0.0) -> bool:
        """Say whether it has answered or will not, after waiting so long at most."""
        import select

        ends = min(time.monotonic() + wait_s, self._deadline)
        while not self._has_closed:
            left = ends - time.monotonic()
            if not select.select([self._reader], [], [], max(0.0, left))[0]:
                return time.monotonic() >= self._deadline
            self._read()
        return True

    def _read(self) -> None:
        piece = os.read(self._reader, LONGEST_ANSWER)
        self._said += piece
        self._has_closed = not piece

    def end(self) -> Reply:
        """End the child, as far as it can be ended, and return what it said."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.has_gone(LAST_LOOK_S)
        os.close(self._reader)
        if not self._has_closed:
            return Reply(problem=f"It gave no answer within {self._limit_s:g} s.")
        try:
            said = json.loads(self._said)
        except ValueError:
            return Reply(problem="The process that asked it ended without an answer.")
        usage = said["usage"] and Usage(*said["usage"])
        return Reply(usage, said["problem"])

    def has_gone(self, wait_s: float = 0.0) -> bool:
        """Say whether the child is gone; one in a system call that never ends stays for ever."""
        ends = time.monotonic() + wait_s
        while not self._is_reaped:
            self._is_reaped = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            if time.monotonic() >= ends:
                break
            time.sleep(LAST_LOOK_S / 10)
        return self._is_reaped


def _answer(quota: Quota, writer: int, parent: int) -> NoReturn:
    """Ask, in the child, and write down what was said; never return.

    Files of the parent are closed first: a child that stays behind must hold none of its locks.
    """
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(writer, FIRST_OWN_FILE)
            os.closerange(FIRST_OWN_FILE + 1, os.sysconf("SC_OPEN_MAX"))
            os.dup2(2, 1)  # what it prints must not mix with the command's own output
            usage, problem = _ask(quota)
            said = json.dumps({"usage": usage, "problem": problem}).encode()
            os.write(FIRST_OWN_FILE, said)
    finally:
        os._exit(0)


def _ask(quota: Quota) -> Reply:
    try:
        return Reply(quota.ask())
    except AutoctrlError as error:
        return Reply(problem=str(error))
    except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
        return Reply(problem=f"{type(error).__name__}: {error}")


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
