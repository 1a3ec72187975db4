"""Files: written whole or not at all, measured, and put in place without covering another."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.errors import AutoctrlError
from autoctrl.process import has_died, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFDIR: "a folder",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP}


class Digest(NamedTuple):
    """What tells the content of one file from that of another: its size and its SHA-256 in hex."""

    bytes: int
    sha256: str

    @property
    def checksum(self) -> str:
        """The SHA-256 as records keep it: ``sha256:hex``."""
        return f"sha256:{self.sha256}"


def digest_of(path: str | Path, *, sync: bool = False) -> Digest:
    """Return the digest of a file, which is read in pieces.

    With ``sync`` its content is on disk afterwards, and a symbolic link is refused. Raises
    ``OSError``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_NOFOLLOW if sync else 0))
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if sync:
            os.fsync(file.fileno())
        return Digest(file.tell(), found)


def open_plain(root: str | Path, path: str | Path) -> int:
    """Open a file for reading that lies beneath a folder; return its descriptor.

    Whoever made what lies beneath ``root`` cannot lead the reader elsewhere or hold it up: links
    are not followed, pipes and devices not opened. ``root`` itself may be reached by links;
    ``path`` begins with it, or counts from it. Raises ``FileNotFoundError`` and other ``OSError``,
    whose ``strerror`` says what is there instead.
    """
    words = _words_beneath(root, path)
    folder = os.open(root, _FOLDER)
    try:
        for word in words[:-1]:
            inner = _open_inner(word, folder)
            os.close(folder)
            folder = inner
        return _open_entry(words[-1], folder)
    finally:
        os.close(folder)


def _words_beneath(root: str | Path, path: str | Path) -> list[str]:
    """Return the names that lead from a folder to a file beneath it."""
    whole, begin = os.fspath(path), os.fspath(root).rstrip("/") + "/"
    inner = whole.removeprefix(begin)
    words = [word for word in inner.split("/") if word not in {"", "."}]
    if inner.startswith("/") or ".." in words or not words:
        raise OSError(errno.EXDEV, f"it does not lie beneath {root}", whole)
    return words


def _open_inner(name: str, folder: int) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError as error:
        kind = _kind_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
        raise OSError(errno.ELOOP, f"'{name}' on the way to it is {kind}") from error


def _open_entry(name: str, folder: int) -> int:
    _check_plain(os.stat(name, dir_fd=folder, follow_symlinks=False))  # opening may do something
    descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        _check_plain(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.ELOOP, f"it is {_kind_of(found)}, not a file")


def _kind_of(found: os.stat_result) -> str:
    return KINDS.get(stat.S_IFMT(found.st_mode), "a file")


def write_whole(
    path: Path, content: bytes, *, is_durable: bool = False, mode: int | None = None
) -> None:
    """Write a file, or replace it in one step, so that no reader ever sees half of it.

    ``is_durable``: the content is on disk before the file has its name. ``mode``: its permissions,
    whatever the umask. Raises ``OSError``, and then leaves nothing.
    """
    with _draft(path, content, is_durable=is_durable, mode=mode) as draft:
        draft.rename(path)


def make_private(path: Path) -> None:
    """Make an empty file unless there is one, and let only its user read it, whatever the umask
    and whatever it was before. Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(descriptor)
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def write_first(path: Path, content: bytes, *, mode: int | None = None) -> bool:
    """Write a file whole unless there is one; say whether we were the first.

    Raises ``OSError``, and then leaves nothing.
    """
    with _draft(path, content, is_durable=False, mode=mode) as draft, suppress(FileExistsError):
        os.link(draft, path)
        return True
    return False


def sync_folder(folder: Path) -> None:
    """Let the names in a folder be on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: str, target: str) -> bool:
    """Give a file a second name or, where no link can be made, a copy that is on disk.

    Says whether the name was free; another file under it is left alone. Raises ``OSError``.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _copy(source, target)
    return True


def share_folder(folder: Path) -> int | None:
    """Hold a shared lock of a folder, so that nobody removes it; return its descriptor.

    Processes that are forked hold it too. None where the folder cannot be held.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def is_shared(folder: Path) -> bool:
    """Say whether a living process holds a folder by ``share_folder``; a missing one is not."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; if the block ends well, it becomes ``path``.

    What earlier writers of ``path`` left is removed, if they are known to be dead. Raises
    AutoctrlError when the folder is read-only, full or otherwise refuses the file.
    """
    process = "-".join(this_process().rsplit(":", 3)[1:])
    temporary = path.with_name(f".{path.name}.{process}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}."
        raise AutoctrlError(message, hint="Make room, or choose another folder.") from error
    finally:
        # what prevented the writing may prevent this too, and is the error worth telling
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def _draft(path: Path, content: bytes, *, is_durable: bool, mode: int | None) -> Iterator[Path]:
    """Yield a complete file beside ``path`` that nobody reads, and remove its name afterwards."""
    draft = path.with_name(_draft_name(path.name))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(draft, flags, 0o666 if mode is None else mode), "wb") as file:
            file.write(content)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(OSError):  # as in ``replacing``
            draft.unlink()


def _draft_name(name: str) -> str:
    return f"{name}.{os.getpid()}.{os.urandom(4).hex()}"


def _copy(source: str, target: str) -> bool:
    import shutil

    draft = _draft_name(target)
    try:
        shutil.copyfile(source, draft)
        digest_of(draft, sync=True)
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        with suppress(FileNotFoundError):
            Path(draft).unlink()
    return True


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of ``path`` whose writer was killed.

    A file is removed only when its name has a process of this very machine, boot and space of
    process numbers that is gone, and when it belongs to the same user.  On a shared file system the
    file of another machine, of another container, or from before a boot says nothing of its writer:
    it is left to whoever looks after the folder.
    """
    begin, end = f".{path.name}.", ".tmp"
    with suppress(OSError):
        for found in path.parent.iterdir():
            if not (found.name.startswith(begin) and found.name.endswith(end)):
                continue
            process = found.name[len(begin) : -len(end)].replace("-", ":")
            with suppress(OSError):
                if has_died(f":{process}") and found.lstat().st_uid == os.geteuid():
                    found.unlink()
