"""Tells people of incidents: what is due now, by every notifier, without anybody waiting for it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autoctrl.errors import AutoctrlError, Conflict, LeaseHeld, LeaseLost
from autoctrl.machine.conditions import write_verdicts
from autoctrl.machine.incidents import follow_up
from autoctrl.machine.outbox import (
    OUTBOX,
    Audience,
    Deed,
    Fate,
    intend,
    note,
    outbox_mark,
    plan_posts,
    read_outbox,
)
from autoctrl.machine.sending import Errand, Sending
from autoctrl.model.condition import ConditionKind, Verdict
from autoctrl.model.names import incidents_lease
from autoctrl.process import this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from autoctrl.machine.outbox import Outbox, Post
    from autoctrl.model.condition import Condition
    from autoctrl.model.incident import Incident
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Clock, Lease, Message, Notifier, Store

LEASE_S = 30.0
PAUSE_S = 0.2
PATIENCE_S = 15.0


class Listens(Protocol):
    """A notifier of the project, as the settings name it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def notifier(self) -> Notifier:
        """Who is told."""

    @property
    def has_safe_repeat(self) -> bool:
        """Whether people see a message once that it is told twice."""

    def wants(self, incident: Incident) -> bool:
        """Say whether it is told of an incident."""


class TellingProject(Protocol):
    """What telling needs of a project whose ports are open."""

    store: Store
    clock: Clock

    @property
    def notifier_names(self) -> Sequence[str]:
        """The names of the notifiers."""

    def listener(self, name: str) -> Listens:
        """Return one of the notifiers. Raises ``SettingsError``."""

    def conditions(self, campaign: str) -> Sequence[Condition]:
        """Return the open conditions of a campaign."""

    def message(self, campaign: str, incident: Incident, further: int) -> Message:
        """Return what people read of an incident, or of so many further ones, told in one."""


class Batch(NamedTuple):
    """What one notifier is to be told now.

    listener  who
    mark      the mark of its outbox, None if there is none yet
    outbox    what the mark says
    posts     what is due
    """

    listener: Listens
    mark: MarkRecord | None
    outbox: Outbox
    posts: Sequence[Post]


class Teller:
    """Tells people of a campaign's incidents.

    Of several processes that do so, one acts at a time; what one has left half done, the next one
    finishes.
    """

    def __init__(
        self,
        project: TellingProject,
        campaign: str,
        conditions: Callable[[], Sequence[Condition]] | None = None,
    ) -> None:
        """Have told nobody yet.

        A watch says itself which ``conditions`` there are, and looks more closely.
        """
        self.project, self.campaign = project, campaign
        self._find_conditions = conditions or partial(project.conditions, campaign)
        self._is_thorough = conditions is not None
        self._owner = f"teller {os.urandom(3).hex()} of {this_process()}"
        self._lease: Lease | None = None
        self._is_calm = False  # the last look found nothing that people might be told
        self._sendings: list[Sending] = []

    @property
    def is_sending(self) -> bool:
        """Whether a notifier is at work."""
        return bool(self._sendings)

    def step(self, *, is_last: bool = False) -> None:
        """Take in what became of earlier messages, and hand over what is due; wait for nothing.

        ``is_last`` does not wait for more troubles to join. Raises ``StoreError``.
        """
        self._take_results(0.0)
        if self._sendings:
            return
        project, now = self.project, self.project.clock.now()
        with project.store.moment():
            conditions = self._find_conditions()
            incidents = follow_up(
                project.store, self.campaign, conditions, now, is_thorough=self._is_thorough
            )
            self._is_calm = not incidents
            batches = self._plan(incidents, conditions, is_last=is_last)
        if batches and self._claim(PATIENCE_S if is_last else 0.0):
            try:
                # Somebody else may have told people since.
                batches = self._plan(incidents, conditions, is_last=is_last)
                self._hand_over(batches, incidents)
            finally:
                if not self._sendings:
                    self._give_up()

    def finish(self) -> None:
        """Hand over what is due or has been collected, and wait until each notifier has ended.

        That is not long: what a notifier does not do in its time is left to the next one who
        tells. Raises ``StoreError``.
        """
        if self._is_calm:
            return
        deadline = time.monotonic() + PATIENCE_S
        while self._sendings and time.monotonic() < deadline:
            self._take_results(PAUSE_S)
        self.step(is_last=True)
        while self._sendings:
            self._take_results(PAUSE_S)

    def _plan(
        self, incidents: Sequence[Incident], conditions: Iterable[Condition], *, is_last: bool
    ) -> list[Batch]:
        """Return what is due for each notifier that has something to do."""
        if not incidents:
            return []
        store, now = self.project.store, self.project.clock.now()
        marks = {mark.name: mark for mark in store.marks(OUTBOX, self.campaign)}
        suspect = {one.about for one in conditions if one.kind is ConditionKind.NOTIFIER}
        batches = []
        for listener in self._listeners():
            mark = marks.get(listener.name)
            outbox = read_outbox(mark)
            audience = Audience(listener.wants, listener.has_safe_repeat)
            posts = plan_posts(outbox, incidents, audience, now, is_last=is_last)
            is_well = not posts and not outbox.is_behind(incidents)
            if is_well and listener.name in suspect:
                self._judge([Verdict(ConditionKind.NOTIFIER, listener.name)])
            batches += [Batch(listener, mark, outbox, posts)] * bool(posts)
        return batches

    def _listeners(self) -> list[Listens]:
        """Return the notifiers; one that cannot be opened is a condition."""
        found: list[Listens] = []
        for name in self.project.notifier_names:
            try:
                found.append(self.project.listener(name))
            except AutoctrlError as error:
                self._judge([Verdict(ConditionKind.NOTIFIER, name, str(error))])
            except Exception as error:  # noqa: BLE001 - a package that is not ours may raise anything
                reason = f"{type(error).__name__}: {error}"
                self._judge([Verdict(ConditionKind.NOTIFIER, name, reason)])
        return found

    def _claim(self, patience_s: float = 0.0) -> bool:
        """Claim or renew the right to tell; return whether we have it, after so long at most."""
        name = incidents_lease(self.campaign)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                self._lease = self.project.store.lease(name, self._owner, LEASE_S)
            except LeaseHeld:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(PAUSE_S)
            else:
                return True

    def _hand_over(self, batches: Sequence[Batch], at_hand: Sequence[Incident]) -> None:
        """Write down what is about to be told, and start to tell it."""
        now = self.project.clock.now()
        intents = [
            outbox_mark(
                batch.mark,
                intend(batch.outbox, batch.posts, at_hand),
                (self.campaign, batch.listener.name),
                now,
            )
            for batch in batches
        ]
        try:
            self.project.store.append(intents, self._lease)
        except (Conflict, LeaseLost):
            return
        for batch in batches:
            errands = [self._errand(post) for post in batch.posts]
            with suppress(OSError):  # no process can be started: the next one who tells tries again
                sending = Sending(batch.listener.name, batch.listener.notifier, errands)
                self._sendings.append(sending)

    def _errand(self, post: Post) -> Errand:
        further = post.number if post.deed is Deed.DIGEST else 0
        message = self.project.message(self.campaign, post.incident, further)
        below = post.message or "" if post.deed is Deed.REPEAT else ""
        return Errand(post, message._replace(is_again=post.is_again, below=below))

    def _take_results(self, wait_s: float) -> None:
        """Write down what became of the messages of each notifier that has ended."""
        if not self._sendings:
            return
        ended = [sending for sending in self._sendings if sending.is_over(wait_s)]
        self._sendings = [sending for sending in self._sendings if sending not in ended]
        if ended:
            self._note(ended)
        if not self._sendings:
            self._give_up()

    def _note(self, ended: Sequence[Sending]) -> None:
        store, now = self.project.store, self.project.clock.now()
        marks = {mark.name: mark for mark in store.marks(OUTBOX, self.campaign)}
        for sending in ended:
            before = marks.get(sending.name)
            outbox = note(read_outbox(before), sending.results, now)
            mark = outbox_mark(before, outbox, (self.campaign, sending.name), now)
            if self._claim():
                with suppress(Conflict, LeaseLost):  # somebody else has taken over and tells again
                    store.append([mark], self._lease)
        self._judge([_judge_sending(sending) for sending in ended])

    def _judge(self, verdicts: Sequence[Verdict]) -> None:
        write_verdicts(self.project.store, self.campaign, verdicts, self.project.clock.now())

    def _give_up(self) -> None:
        if self._lease is not None:
            self.project.store.lease(self._lease.name, self._owner, 0)
            self._lease = None


def _judge_sending(sending: Sending) -> Verdict:
    unseen = (result.reason for result in sending.results if result.fate is not Fate.SEEN)
    reasons = [reason for reason in unseen if reason]
    return Verdict(ConditionKind.NOTIFIER, sending.name, reasons[0] if reasons else "")
