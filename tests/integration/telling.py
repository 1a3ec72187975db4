"""A project whose tasks fail, and notifiers that keep ledgers and have moods."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from autoctrl.errors import NotifierError, PerhapsTold
from autoctrl.incidents import join_failures, list_incidents, relieve_tasks, write_with_marks
from autoctrl.machine.teller import Teller
from autoctrl.model.condition import Condition, ConditionKind
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import new_task
from autoctrl.model.unit import TaskKey
from autoctrl.notifiers.listener import Listener
from autoctrl.ports import Message, Selection
from autoctrl.stores.sqlite.store import SqliteStore
from autoctrl.testing import FakeClock
from autoctrl.views import list_conditions
from autoctrl.views.incidents import spell_message
from autoctrl.views.spelling import Spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from autoctrl.machine.teller import Listens
    from autoctrl.model.incident import Incident
    from autoctrl.model.output import MarkRecord
    from autoctrl.ports import Clock, Notifier, Record, Store

PROMPT = "prompt"
DOWN = "nobody answers"


class Told(NamedTuple):
    """A line of a notifier's ledger."""

    what: str
    key: str
    revision: str


class Ledger:
    """A notifier that writes into a file what it was asked, and behaves as a file says."""

    def __init__(self, path: Path, *, has_safe_repeat: bool = False) -> None:
        self.path, self.has_safe_repeat = path, has_safe_repeat
        self.mood = path.with_suffix(".mood")

    def tell(self, message: Message) -> str | None:
        self._note("again" if message.is_again else "below" if message.below else "tell", message)
        behaved = self._behave()
        return f"{self.path.stem}-{message.key}" if behaved == "told" else behaved

    def change(self, message_id: str, message: Message) -> bool:
        assert message_id == f"{self.path.stem}-{message.key}"
        self._note("change", message)
        return bool(self._behave())

    def _note(self, what: str, message: Message) -> None:
        with self.path.open("a") as file:
            file.write(f"{what} {message.key} {message.revision}\n")

    def _behave(self) -> str | None:
        """Do as the mood says; return nothing if nobody was told."""
        mood = self.mood.read_text() if self.mood.exists() else ""
        if mood == "hangs":
            time.sleep(60)
        if mood == "prints":
            os.write(1, b"hello\n")
        if mood == "dies":
            os._exit(7)
        if mood == "raises":
            raise KeyError(mood)
        if mood == "perhaps":
            raise PerhapsTold(DOWN)
        if mood == "bytes":
            return cast("str", b"7")
        return None if mood == "down" else "told" * (1 + 1000 * (mood == "endless"))

    def ping(self) -> str:
        if self.mood.exists():
            raise NotifierError(DOWN)
        return "well"

    def lines(self) -> list[Told]:
        text = self.path.read_text() if self.path.exists() else ""
        return [Told(*line.split()) for line in text.splitlines()]

    def deeds(self) -> list[str]:
        return [line.what for line in self.lines()]


class Site:
    """A project in a store of its own, with tasks that fail and notifiers that keep ledgers."""

    def __init__(self, folder: Path) -> None:
        self.hands = FakeClock()
        self.clock: Clock = self.hands
        self.store: Store = SqliteStore(folder / "store.db", clock=self.clock)
        self.ledgers = {name: Ledger(folder / f"{name}.txt") for name in ("shift", "desk")}
        self.notifier_names: Sequence[str] = list(self.ledgers)
        self.broken: dict[str, type[Exception]] = {}

    def listener(self, name: str) -> Listens:
        if name in self.broken:
            message = f"[notifiers.{name}] makes no sense."
            raise self.broken[name](message)
        notifier: Notifier = self.ledgers[name]
        return Listener(name, notifier)

    def conditions(self, campaign: str) -> Sequence[Condition]:
        return list_conditions(self.store, campaign)

    def message(self, campaign: str, incident: Incident, number: int) -> Message:
        return spell_message(campaign, incident, Spelling("UTC"))._replace(revision=number)

    def fails(self, *units: int, workflow: str = "reco", reason: str = "no pedestal") -> None:
        """Let tasks fail for good one after the other."""
        for unit in units:
            self.fail_at_once([unit], workflow=workflow, reason=reason)

    def fail_at_once(
        self, units: Iterable[int], workflow: str = "reco", reason: str = "no pedestal"
    ) -> None:
        """Let tasks fail for good in one batch, as a cycle writes it."""
        now = self.clock.now()
        records = []
        for unit in units:
            born = new_task(TaskKey(PROMPT, workflow, str(unit)), (unit,), now)
            begun = born.moved(TaskStatus.PROCESSING, now)
            records += [born, begun, begun.moved(TaskStatus.FAILED, now, reason=reason)]
        self._write(records, partial(join_failures, self.store, PROMPT, workflow, records, now))

    def moves(self, unit: int, status: TaskStatus, workflow: str = "reco") -> None:
        """Let a task move on."""
        (task,) = self.store.tasks(Selection(PROMPT, (workflow,), (str(unit),)))
        now = self.clock.now()
        decide = partial(relieve_tasks, self.store, PROMPT, workflow, [task], now)
        self._write([task.moved(status, now)], decide)

    def _write(self, records: Sequence[Record], decide: Callable[[], list[MarkRecord]]) -> None:
        write_with_marks(lambda marks: self.store.append([*records, *marks]), decide)

    def teller(self) -> Teller:
        return Teller(self, PROMPT)

    def finish(self, pass_s: float = 0.0) -> None:
        """Let time pass; then tell as a single cycle does at its end."""
        self.hands.advance(pass_s)
        self.teller().finish()

    def step(self, teller: Teller, pass_s: float = 0.0) -> None:
        """Let time pass; then tell as a loop does, until every notifier has ended."""
        self.hands.advance(pass_s)
        teller.step()
        deadline = time.monotonic() + 60
        while teller.is_sending:
            assert time.monotonic() < deadline
            time.sleep(0.01)
            teller.step()

    def mood(self, name: str, mood: str) -> None:
        path = self.ledgers[name].mood
        path.write_text(mood) if mood else path.unlink()

    def incidents(self) -> list[Incident]:
        return list_incidents(self.store, PROMPT, with_closed=True)

    def reasons(self) -> list[str]:
        """Return the conditions of notifiers."""
        found = list_conditions(self.store, PROMPT)
        return [f"{one.about}: {one.reason}" for one in found if one.kind == ConditionKind.NOTIFIER]
