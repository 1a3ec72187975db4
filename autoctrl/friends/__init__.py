"""Friend modules compute further branches of a tree; the runner writes them to a friend file, entry by entry."""

from __future__ import annotations

from autoctrl.friends.modules import FriendModule, chosen_modules, register
from autoctrl.friends.runner import FILLER, write_friends

__all__ = ["FILLER", "FriendModule", "chosen_modules", "register", "write_friends"]
