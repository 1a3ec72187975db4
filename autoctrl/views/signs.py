"""The sign of each status, for where there is no room for the word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autoctrl.model.status import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNS: Mapping[TaskStatus, str] = {
    TaskStatus.NEW: "○",
    TaskStatus.PROCESSING: "◐",
    TaskStatus.DONE: "✓",
    TaskStatus.FAILED: "✕",
    TaskStatus.SKIPPED: "\N{EN DASH}",
}
