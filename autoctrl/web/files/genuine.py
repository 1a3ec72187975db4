"""Whether a file is still what was recorded: by its content, or by its age where it is large."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.views.outputs import short_content

if TYPE_CHECKING:
    from autoctrl.views import OutputLine

MOST_VERIFIED = 16 * 1024 * 1024  # bytes of a file that is read to its end before it is sent
MOST_KEPT = 10_000
LATE = timedelta(minutes=1)  # clocks of file servers differ
SHA256 = "sha256:"


class Mark(NamedTuple):
    """What changes whenever a file is written to or another takes its place.

    ctime_ns cannot be set back by whoever owns the file.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Findings:
    """The contents that files were found to have, so that nobody reads them again and again."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        """Remember the contents of ``most`` files."""
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[Mark, str] = OrderedDict()

    def content(self, descriptor: int, mark: Mark) -> str:
        """Return the SHA-256, in hex, of an open file. Raises ``OSError``."""
        with self._lock:
            known = self._known.get(mark)
        if known is None:
            known = _digest(descriptor, mark.size)
            if mark_of(os.fstat(descriptor)) == mark:  # nobody has written to it meanwhile
                with self._lock:
                    self._known[mark] = known
                    while len(self._known) > self._most:
                        self._known.popitem(last=False)
        return known


FINDINGS = Findings()


def mark_of(found: os.stat_result) -> Mark:
    """Return the mark of a file."""
    return Mark(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def find_change(descriptor: int, mark: Mark, line: OutputLine, path: str) -> str:
    """Return in what an open file differs from what was recorded, empty if in nothing that is
    known. Raises ``OSError``.

    Up to ``MOST_VERIFIED`` its content is compared. A larger one has changed if it was written to
    later than it was recorded or last checked.
    """
    if mark.size != line.bytes:
        return f"it has {mark.size} bytes, but was recorded with {line.bytes}"
    recorded = _sha256_of(line)
    if recorded and mark.size <= MOST_VERIFIED:
        is_same = FINDINGS.content(descriptor, mark) == recorded
        return "" if is_same else "its content has another checksum than was recorded"
    written = datetime.fromtimestamp(mark.mtime_ns / 1e9, UTC)
    checked = max(copy.checked_at for copy in line.locations if copy.url == path)
    if written <= checked + LATE:
        return ""
    return f"it was written to at {written:%F %T} UTC, but was recorded at {checked:%F %T} UTC"


def tag_of(mark: Mark, line: OutputLine) -> str:
    """Return what tells an open file from others (``ETag``): its content where that was compared,
    else its mark.
    """
    if _sha256_of(line) and mark.size <= MOST_VERIFIED:
        return f'"{line.version}-{short_content(line)}"'
    digest = hashlib.sha256(repr(tuple(mark)).encode()).hexdigest()
    return f'"{line.version}-{digest[:24]}"'


def _sha256_of(line: OutputLine) -> str:
    """Return the recorded SHA-256 in hex, empty if there is none."""
    found = (one.removeprefix(SHA256) for one in line.checksums if one.startswith(SHA256))
    return next(found, "")


def _digest(descriptor: int, size: int) -> str:
    digest, position = hashlib.sha256(), 0
    while position < size:
        piece = os.pread(descriptor, 1024 * 1024, position)
        if not piece:
            break
        digest.update(piece)
        position += len(piece)
    return digest.hexdigest()
