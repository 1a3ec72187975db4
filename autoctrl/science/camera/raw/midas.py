"""The layout of MIDAS event files: how headers and banks are packed (standard library only).

An event is a 16-byte header (id, trigger mask, serial number, time, data size; all little-endian)
and its data.  The
first and the last event of a run (ids 0x8000 and 0x8001, mask "MI", serial number = run) hold a
text dump of the run's
settings.  The data of any other event are an 8-byte header (bytes of all banks, flags) and banks
           padded to 8 bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

BEGIN_OF_RUN = 0x8000
END_OF_RUN = 0x8001
RUN_MASK = 0x494D
CAMERA_EVENT = 1
WORD = 4
FLAGS_BANK32A = 0x31
MAX_EVENT_BYTES = 1 << 30

EVENT_HEADER = struct.Struct("<HHIII")
BANKS_HEADER = struct.Struct("<II")
# flags of an event's banks -> how one bank header is packed: name, type, bytes and, in the aligned
# kind, 4 spare bytes
BANK_HEADERS = {
    0x01: struct.Struct("<4sHH"),
    0x11: struct.Struct("<4sII"),
    FLAGS_BANK32A: struct.Struct("<4sII4x"),
}


@dataclass(frozen=True)
class EventHeader:
    """One event's header and the offset in the uncompressed stream where it begins."""

    event_id: int
    mask: int
    serial: int
    timestamp: int
    size: int
    offset: int

    @property
    def is_run_boundary(self) -> bool:
        """Say whether the event begins or ends the run."""
        return self.event_id in {BEGIN_OF_RUN, END_OF_RUN}

    @property
    def end(self) -> int:
        """The offset of the event after this one."""
        return self.offset + EVENT_HEADER.size + self.size


@dataclass(frozen=True)
class Bank:
    """One bank's name, type and bytes, and the offset where its data begin."""

    name: str
    kind: int
    size: int
    offset: int


def pad_size(size: int) -> int:
    """Return ``size`` rounded up to whole 8 bytes."""
    return (size + 7) & ~7


def pack_text_event(event_id: int, run: int, timestamp: int, text: str) -> bytes:
    """Return a begin-of-run or end-of-run event that holds ``text``."""
    data = text.encode() + b"\0"
    data += b"\0" * (pad_size(len(data)) - len(data))
    return EVENT_HEADER.pack(event_id, RUN_MASK, run, timestamp, len(data)) + data


def pack_camera_header(serial: int, timestamp: int, size: int) -> bytes:
    """Return everything of a camera event that comes before the ``size`` bytes of its one bank,
    CAM0.
    """
    bank = BANK_HEADERS[FLAGS_BANK32A].pack(b"CAM0", WORD, size)
    banks = BANKS_HEADER.pack(len(bank) + pad_size(size), FLAGS_BANK32A)
    return (
        EVENT_HEADER.pack(
            CAMERA_EVENT, 1, serial, timestamp, len(banks) + len(bank) + pad_size(size)
        )
        + banks
        + bank
    )
