"""The store as everybody may read it: each record is hidden before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from autoctrl.errors import StoreError
from autoctrl.ports import OpenTask, RunList, RunNumbers
from autoctrl.views.public import hide, hide_heartbeat, hide_lease

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from autoctrl.model.output import MarkRecord, OutputRecord
    from autoctrl.model.task import TaskRecord
    from autoctrl.model.unit import TaskKey
    from autoctrl.ports import Heartbeat, Lease, Record, Selection, Store

Known = TypeVar("Known", bound="Record")


class PublicStore:
    """Shows of a store what everybody may know, and writes nothing."""

    def __init__(self, store: Store) -> None:
        """Stand before a store."""
        self._store = store
        self.store_id = store.store_id

    @property
    def remarks(self) -> Sequence[str]:
        """Say nothing of what went wrong."""
        return ()

    def open_tasks(self, campaign: str, workflow: str | None = None) -> list[OpenTask]:
        """Return every task that is new or processing, with its jobs."""
        found = self._store.open_tasks(campaign, workflow)
        return [
            OpenTask(task, tuple(_hidden(one.jobs)))
            for one in found
            for task in _hidden([one.task])
        ]

    def tasks(self, selection: Selection) -> list[TaskRecord]:
        """Return the newest record of every selected task."""
        return _hidden(self._store.tasks(selection))

    def each_task(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield what ``tasks`` returns, in no particular order."""
        return (shown for one in self._store.each_task(selection) for shown in _hidden([one]))

    def units(self, campaign: str, workflow: str) -> list[str]:
        """Return the names of all units that a workflow has tasks of."""
        return self._store.units(campaign, workflow)

    def history(self, task: TaskKey) -> list[Record]:
        """Return the records of one task."""
        return _hidden(self._store.history(task))

    def runs(self, since: int = 0, numbers: Sequence[int] | None = None) -> RunList:
        """Return the runs that were written after a position."""
        found = self._store.runs(since, numbers)
        return RunList(_hidden(found.records), found.position)

    def run_numbers(self, since: int = 0) -> RunNumbers:
        """Return the numbers of runs, which everybody may know; see ``Store``."""
        return self._store.run_numbers(since)

    def marks(self, kind: str, campaign: str | None = None) -> list[MarkRecord]:
        """Return the newest mark of every (campaign, name) of this kind."""
        return _hidden(self._store.marks(kind, campaign))

    def each_mark(self, kind: str, campaign: str) -> Iterator[MarkRecord]:
        """Yield what ``marks`` returns of one campaign."""
        return (shown for one in self._store.each_mark(kind, campaign) for shown in _hidden([one]))

    def find_outputs(self, selection: Selection) -> list[OutputRecord]:
        """Return no output, as everybody may know of none."""
        return _hidden(self._store.find_outputs(selection))

    def records(self) -> Iterator[Record]:
        """Yield every record ever written."""
        return (shown for one in self._store.records() for shown in _hidden([one]))

    def moment(self) -> AbstractContextManager[object]:
        """Allow the store to answer all questions as of one moment."""
        return self._store.moment()

    def leases(self) -> dict[str, Lease]:
        """Return every lease, but not who holds it."""
        return {name: hide_lease(lease) for name, lease in self._store.leases().items()}

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return when the last round of every campaign was."""
        return {name: hide_heartbeat(one) for name, one in self._store.heartbeats().items()}

    def revision(self) -> Hashable | None:
        """Return a value that is another one once anything has been written."""
        return self._store.revision()

    def ping(self) -> str:
        """Return nothing about the service. Raises ``StoreError`` if it does not answer."""
        self._store.ping()
        return ""

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:  # noqa: ARG002 - none is written
        """Write nothing. Raises ``StoreError``."""
        raise _refusal()

    def lease(self, name: str, owner: str, seconds: float) -> Lease:  # noqa: ARG002 - none is claimed
        """Claim nothing. Raises ``StoreError``."""
        raise _refusal()

    def beat(self, heartbeat: Heartbeat) -> None:  # noqa: ARG002 - none is written
        """Write nothing. Raises ``StoreError``."""
        raise _refusal()

    def check_writing(self) -> None:
        """Raise ``StoreError``."""
        raise _refusal()

    def close(self) -> None:
        """Leave the store open: others read it, too."""


def _refusal() -> StoreError:
    return StoreError("Nobody writes to what everybody may read.", hint="Log in.")


def _hidden(records: Iterable[Known]) -> list[Known]:
    """Return what everybody may know of records; each is of the kind that it was."""
    found = (hide(record) for record in records)
    return [record for record in found if record is not None]  # type: ignore[misc]
