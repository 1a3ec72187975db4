"""Clients that contend for one store, each writing down in its own ledger what it believes to have
done.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import Conflict, LeaseHeld, LeaseLost
from autoctrl.model.actor import Actor
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from autoctrl.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from autoctrl.ports import Store

CAMPAIGN, WORKFLOW = "contested", "reco"
LEASE = f"{CAMPAIGN}/{WORKFLOW}"
UNITS = ("1", "2", "3")
ASKED_SHARE = 6


class Task(NamedTuple):
    """What a client has to do.

    times    how often
    lease_s  for how long the lease is claimed
    appends  every how many leases a task is moved under it
    pause_s  how long to wait at most before asking again for a lease that is held
    batch    how many tasks are appended at once
    """

    times: int
    lease_s: float
    appends: int
    pause_s: float
    batch: int


def boot_us() -> int:
    """Return µs since boot: one clock for all processes of the machine."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


class Ledger:
    """Lines that are in the file when ``note`` returns, whatever happens to the process
    afterwards.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)

    def note(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, words)) + "\n").encode())


def newest(store: Store, unit: str) -> TaskRecord:
    """Return the newest record of a contested task."""
    return store.tasks(Selection(CAMPAIGN, (WORKFLOW,), (unit,)))[0]


def follow(record: TaskRecord, name: str, epoch: int = 0) -> TaskRecord:
    """Return a record that follows, written by ``name``."""
    return record.moved(record.status, datetime.now(UTC), actor=Actor(name, "cycle"), epoch=epoch)


def transitions(
    store: Store, ledger: Ledger, name: str, task: Task, is_cut: Callable[[], bool]
) -> None:
    """Win so many transitions of the contested tasks against all others."""
    won = 0
    while won < task.times and not is_cut():
        record = follow(newest(store, random.choice(UNITS)), name)
        try:
            store.append([record])
        except Conflict:
            continue
        won += 1
        ledger.note(record.key.unit, record.sequence)


def leases(store: Store, ledger: Ledger, name: str, task: Task, is_cut: Callable[[], bool]) -> None:
    """Hold the contested lease so many times, every few times moving a task under it.

    A claim is noted with its epoch, when it was first asked for, when for the last time, and when
    it was granted.
    """
    won = first = 0
    while won < task.times:
        before = boot_us()
        first = first or before
        try:
            lease = store.lease(LEASE, name, task.lease_s)
        except LeaseHeld:
            # The busier the store is, the longer one waits: those who ask must not take all its
            # time.
            took_s = (boot_us() - before) / 1e6
            time.sleep(random.uniform(0.0, task.pause_s + ASKED_SHARE * took_s))
            continue
        ledger.note("claimed", lease.epoch, first, before, boot_us())
        first = 0
        if is_cut():
            return
        if won % task.appends == 0:
            try:
                store.append([follow(newest(store, UNITS[0]), name, lease.epoch)], lease)
            except LeaseLost:
                continue
            ledger.note("written", lease.epoch)
        won += 1
        ledger.note("released", lease.epoch, boot_us())
        store.lease(LEASE, name, 0)
        time.sleep(random.uniform(0.0, task.pause_s))


def hold(store: Store, ledger: Ledger, name: str, task: Task, is_cut: Callable[[], bool]) -> None:
    """Claim the lease, read, and write only when a file beside the ledger says so."""
    lease = store.lease(LEASE, name, task.lease_s)
    record = follow(newest(store, UNITS[0]), name, lease.epoch)
    ledger.note("claimed", lease.epoch)
    while not ledger.path.with_suffix(".go").exists() and not is_cut():
        time.sleep(0.005)
    try:
        store.append([record], lease)
    except LeaseLost as error:
        ledger.note("refused", error)
    else:
        ledger.note("written")


def batch(workflow: str, size: int) -> list[TaskRecord]:
    """Return the first records of many tasks."""
    now = datetime.now(UTC)
    return [new_task(TaskKey(CAMPAIGN, workflow, str(unit)), (unit,), now) for unit in range(size)]


def batches(
    store: Store, ledger: Ledger, name: str, task: Task, is_cut: Callable[[], bool]
) -> None:
    """Append so many batches of new tasks, each batch a workflow of its own."""
    for number in range(task.times):
        if is_cut():
            return
        store.append(batch(f"{name}-{number}", task.batch))
        ledger.note(f"{name}-{number}")


WORK = {work.__name__: work for work in (transitions, leases, hold, batches)}


def run(
    work: str, url: str, ledger: str, name: str, *numbers: str, is_cut: Callable[[], bool] = bool
) -> None:
    """Do one kind of work as one client."""
    times, lease_s, appends, pause_s, size = numbers
    task = Task(int(times), float(lease_s), int(appends), float(pause_s), int(size))
    store = open_store(url)
    try:
        WORK[work](store, Ledger(ledger), name, task, is_cut)
    finally:
        store.close()


if __name__ == "__main__":
    run(*sys.argv[1:])
