"""Friend modules compute further branches of a tree; the runner writes them to a friend file, entry
by entry.
"""

from __future__ import annotations

from autoctrl.science.friends.calibration import (
    Calibration,
    Calibrations,
    ValidRange,
    read_calibration,
)
from autoctrl.science.friends.columns import FILLER
from autoctrl.science.friends.modules import (
    CalibratedModule,
    FriendModule,
    PlainModule,
    chosen_modules,
    register,
)
from autoctrl.science.friends.parameters import Numbers
from autoctrl.science.friends.runner import Written, read_friends, write_friends

__all__ = [
    "FILLER",
    "CalibratedModule",
    "Calibration",
    "Calibrations",
    "FriendModule",
    "Numbers",
    "PlainModule",
    "ValidRange",
    "Written",
    "chosen_modules",
    "read_calibration",
    "read_friends",
    "register",
    "write_friends",
]
