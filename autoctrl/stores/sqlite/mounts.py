"""On which file system a path lies, and whether SQLite can be trusted there."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from autoctrl.errors import StoreError

# Neither their locks nor their shared memory hold between machines, so two writers could both
# believe that they are alone.
NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "panfs",
        "pvfs2",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "virtiofs",
        "wekafs",
    }
)
NETWORK_FUSE = frozenset(
    {
        "ceph-fuse",
        "cvmfs",
        "cvmfs2",
        "davfs",
        "eosxd",
        "gcsfuse",
        "glusterfs",
        "juicefs",
        "rclone",
        "s3fs",
        "sshfs",
        "xrootdfs",
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system(path: PurePosixPath, mountinfo: str) -> str:
    """Return the type of the file system that holds the absolute ``path``, empty if there is none.

    ``mountinfo`` is the text of /proc/self/mountinfo. The deepest mount point above the path
    counts, and of several there the last.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        point = PurePosixPath(_OCTAL.sub(lambda code: chr(int(code[1], 8)), words[4]))
        depth = len(point.parts)
        if depth >= best and path.is_relative_to(point):
            best, kind = depth, after.split(maxsplit=1)[0]
    return kind


def is_network(kind: str) -> bool:
    """Whether file systems of this type are shared between machines."""
    return kind in NETWORK or (
        kind.startswith("fuse.") and kind.removeprefix("fuse.") in NETWORK_FUSE
    )


def refuse_network(path: Path) -> None:
    """Raise ``StoreError`` if ``path`` lies on a network file system."""
    try:
        mountinfo = Path("/proc/self/mountinfo").read_text(
            encoding="utf-8", errors="surrogateescape"
        )
    except OSError:
        return
    kind = file_system(PurePosixPath(path.resolve()), mountinfo)
    if is_network(kind):
        message = (
            f"The store {path} lies on a network file system ({kind}), where SQLite's locks "
            "cannot be relied on."
        )
        raise StoreError(
            message, hint="Put it on a local disk of the one machine that runs autoctrl."
        )
