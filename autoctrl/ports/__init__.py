"""What the machine asks of the world: store, executor, notifier, source, quota, clock.

Adapters implement these, no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.ports.chat import ChatServer
from autoctrl.ports.clock import Clock
from autoctrl.ports.executor import (
    LOG_END,
    Executor,
    JobOrder,
    JobReport,
    JobResult,
    LogPiece,
    LogWindow,
)
from autoctrl.ports.notifier import Action, Message, Notifier, Subject
from autoctrl.ports.quota import Quota
from autoctrl.ports.source import Inbox, Seen, Source
from autoctrl.ports.store import (
    Heartbeat,
    Hint,
    Lease,
    OpenTask,
    RunList,
    RunNumbers,
    Selection,
    Showing,
    Store,
    Tables,
)

if TYPE_CHECKING:
    from autoctrl.ports.store import Record as Record

__all__ = [
    "LOG_END",
    "Action",
    "ChatServer",
    "Clock",
    "Executor",
    "Heartbeat",
    "Hint",
    "Inbox",
    "JobOrder",
    "JobReport",
    "JobResult",
    "Lease",
    "LogPiece",
    "LogWindow",
    "Message",
    "Notifier",
    "OpenTask",
    "Quota",
    "RunList",
    "RunNumbers",
    "Seen",
    "Selection",
    "Showing",
    "Source",
    "Store",
    "Subject",
    "Tables",
]
