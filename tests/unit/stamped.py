"""A store in memory that takes no record of a task or job without the stamp of its lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.model.job import JobRecord
from autoctrl.model.task import TaskRecord
from autoctrl.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autoctrl.ports import Lease, Record


class StampedStore(MemoryStore):
    """Refuses what was written under a lease and does not say so."""

    def __init__(self, environment: str, **words: Any) -> None:
        super().__init__(**words)
        self.environment = environment

    def append(self, records: Sequence[Record], lease: Lease | None = None) -> None:
        for record in records:
            if lease is not None and isinstance(record, TaskRecord | JobRecord):
                assert (record.epoch, record.environment) == (lease.epoch, self.environment)
        super().append(records, lease)
