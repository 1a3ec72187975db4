"""On which file system a path lies, and which file a store is."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from autoctrl.stores.sqlite.file_identity import FileMark, is_same_file
from autoctrl.stores.sqlite.mounts import file_system, is_network

MOUNTS = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:30 / /site rw,relatime shared:1 - nfs4 server:/site rw
31 30 254:1 / /site/me rw - xfs /dev/vdb rw
32 27 0:31 / /data\\040disk rw master:2 - fuse.sshfs host:/x rw
33 27 0:32 / /twice rw - ext4 /dev/vdc rw
34 33 0:33 / /twice rw - lustre mds:/fs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/store.db", "ext4"),
        ("/site/you/store.db", "nfs4"),
        ("/sitework/store.db", "ext4"),
        ("/site/me/store.db", "xfs"),
        ("/data disk/store.db", "fuse.sshfs"),
        ("/twice/store.db", "lustre"),
    ],
)
def test_file_system(path: str, kind: str) -> None:
    """The deepest mount point counts, and of two in one place the later."""
    assert file_system(PurePosixPath(path), MOUNTS) == kind


def test_no_mounts() -> None:
    """Without a list of mounts nothing is known."""
    assert not file_system(PurePosixPath("/a"), "")


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "afs", "9p", "fuse.sshfs"]
)
def test_network(kind: str) -> None:
    """File systems that several machines share are told from local ones."""
    assert is_network(kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.ntfs-3g", ""]
)
def test_local(kind: str) -> None:
    """Local file systems are welcome."""
    assert not is_network(kind)


@pytest.mark.parametrize(
    ("recorded", "seen", "is_same"),
    [
        (FileMark(12, 1000), FileMark(12, 1000), True),
        (FileMark(12, 1000), FileMark(13, 1000), False),
        (FileMark(12, 1000), FileMark(12, 1001), False),
        (FileMark(12, 0), FileMark(12, 1001), True),
        (FileMark(12, 1000), FileMark(12, 0), True),
        (FileMark(12, 0), FileMark(13, 0), False),
    ],
)
def test_same_file(recorded: FileMark, seen: FileMark, is_same: bool) -> None:  # noqa: FBT001 - a column of the table
    """A file is the same if its inode is, and its time of birth where that is known."""
    assert is_same_file(recorded, seen) is is_same
