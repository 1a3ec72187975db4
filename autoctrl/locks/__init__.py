"""Locks hold a task until what it needs is there; each gives a reason to wait or none.

``&`` and ``|`` join them.
"""

from __future__ import annotations

from autoctrl.locks.gates import After, FileExists, Has, Quiet, RunClosed, Window
from autoctrl.locks.lock import Lock, Open, Wait, as_lock
from autoctrl.locks.lookup import Lookup

__all__ = [
    "After",
    "FileExists",
    "Has",
    "Lock",
    "Lookup",
    "Open",
    "Quiet",
    "RunClosed",
    "Wait",
    "Window",
    "as_lock",
]
