"""Which file a store is, so that a copy is noticed; see docs/decisions/0002-store-identity.md."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD = -100
_STATX_BTIME = 0x800
_STATX_SIZE = 256
_NANOS = 1_000_000_000


class FileMark(NamedTuple):
    """What a file keeps when it is renamed or its disk is mounted elsewhere, unlike any copy.

    inode  its number in the file system
    born   when it was made, ns since 1970, 0 if the file system does not tell
    """

    inode: int
    born: int


def is_same_file(recorded: FileMark, seen: FileMark) -> bool:
    """Whether the file is the one that was recorded, as far as the file system can tell."""
    has_birth = recorded.born and seen.born
    return recorded.inode == seen.inode and (not has_birth or recorded.born == seen.born)


def file_mark(path: Path) -> FileMark:
    """Return the mark of the file at ``path``."""
    return FileMark(path.stat().st_ino, _born(path))


def _born(path: Path) -> int:
    # Python's os.stat has no time of birth. The offsets are those of the kernel's struct statx.
    import ctypes

    statx = getattr(ctypes.CDLL(None), "statx", None)
    answer = ctypes.create_string_buffer(_STATX_SIZE)
    if statx is None or statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, answer) != 0:
        return 0
    raw = answer.raw
    if not int.from_bytes(raw[0:4], "little") & _STATX_BTIME:
        return 0
    seconds = int.from_bytes(raw[80:88], "little", signed=True)
    return seconds * _NANOS + int.from_bytes(raw[88:92], "little")
