"""Unpacks gzip streams: with isal, which is about three times as fast, where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gzip
    from typing import BinaryIO

_is_fast = find_spec("isal") is not None
_gzip: Any = import_module("isal.igzip" if _is_fast else "gzip")
_errors: Any = import_module("isal.isal_zlib" if _is_fast else "zlib")
# What reading a damaged stream raises.
DAMAGE: tuple[type[Exception], ...] = (EOFError, OSError, _errors.error)


def unpacked(raw: BinaryIO) -> gzip.GzipFile:
    """Return a compressed stream to read from."""
    stream: gzip.GzipFile = _gzip.GzipFile(fileobj=raw)
    return stream
