"""Reads raw runs as a stream, one event at a time, with bounded memory.

Every refusal is a DataError that names the file, the offset in the uncompressed stream and the event.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Self

from autoctrl.camera.midas import (
    BANK_HEADERS,
    BANKS_HEADER,
    BEGIN_OF_RUN,
    END_OF_RUN,
    EVENT_HEADER,
    MAX_EVENT_BYTES,
    RUN_MASK,
    Bank,
    EventHeader,
    padded,
)
from autoctrl.camera.unpacking import DAMAGE, unpacked
from autoctrl.errors import DataError

if TYPE_CHECKING:
    import gzip
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

GZIP_MAGIC = b"\x1f\x8b"
SKIP_BYTES = 1 << 20


class Truncated(DataError):
    """The stream ends before the run does: the run is still open, or the file was cut off."""


@dataclass(frozen=True)
class Summary:
    """What a raw run says about itself.

    ``events`` counts complete camera events; ``state`` is closed (end-of-run seen), open (the stream just ends) or
    corrupt, with ``problem`` as the reason for the last two.
    """

    run: int
    attributes: dict[str, Any] = field(default_factory=dict)
    events: int = 0
    state: str = "open"
    problem: str = ""

    @property
    def is_closed(self) -> bool:
        """Say whether the end-of-run event was seen."""
        return self.state == "closed"


class RawFile:
    """A raw run that is read from front to back; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, compressed or not; nothing is read yet."""
        self.path = path
        self.offset = 0
        self.camera_events = 0
        try:
            raw = path.open("rb")
        except OSError as error:
            message = f"{path} cannot be opened: {error.strerror}."
            raise DataError(message) from error
        is_compressed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        self._raw = raw
        self._stream: gzip.GzipFile | BinaryIO = unpacked(raw) if is_compressed else raw

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._raw.close()

    def refuse(self, reason: str, *, at: int | None = None, cause: Exception | None = None) -> NoReturn:
        """Raise DataError: ``reason``, with file, offset and event."""
        offset = self.offset if at is None else at
        message = (
            f"{self.path} is corrupt at byte {offset} of the uncompressed stream, event {self.camera_events}: {reason}."
        )
        raise DataError(message, hint="Fetch the raw file again.") from cause

    def _cut(self, got: int, wanted: int, cause: Exception | None = None) -> NoReturn:
        message = (
            f"{self.path} ends at byte {self.offset} of the uncompressed stream, in or before event "
            f"{self.camera_events}: {got} of {wanted} bytes are there."
        )
        raise Truncated(message, hint="The run is still open, or the file was cut off: fetch it again.") from cause

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes."""
        data = self._read_some(size)
        if len(data) < size:
            self._cut(len(data), size)
        return data

    def _read_some(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except EOFError as error:
            self._cut(0, size, error)
        except DAMAGE as error:
            self.refuse(f"the compressed data are damaged ({error})", cause=error)
        self.offset += len(data)
        return data

    def skip_to(self, offset: int) -> None:
        """Read on to ``offset`` without keeping anything."""
        while self.offset < offset:
            self.read(min(SKIP_BYTES, offset - self.offset))

    def next_event(self) -> EventHeader | None:
        """Return the next event's header, or None at the end of a complete stream."""
        offset = self.offset
        data = self._read_some(EVENT_HEADER.size)
        if not data:
            return None
        if len(data) < EVENT_HEADER.size:
            self._cut(len(data), EVENT_HEADER.size)
        event_id, mask, serial, timestamp, size = EVENT_HEADER.unpack(data)
        header = EventHeader(event_id, mask, serial, timestamp, size, offset)
        if header.size > MAX_EVENT_BYTES:
            self.refuse(f"an event of {header.size} bytes is impossible", at=offset)
        if header.is_run_boundary and header.mask != RUN_MASK:
            self.refuse(f"event id {header.event_id:#x} without the mask of a run boundary", at=offset)
        return header

    def banks(self, event: EventHeader) -> Iterator[Bank]:
        """Yield the banks of the event just begun; the caller may read a bank's data before asking for the next."""
        total, flags = BANKS_HEADER.unpack(self.read(BANKS_HEADER.size))
        packing = BANK_HEADERS.get(flags)
        if packing is None or total + BANKS_HEADER.size != event.size:
            reason = f"a bank header of {total} bytes with flags {flags:#x} does not fit an event of {event.size} bytes"
            self.refuse(reason, at=self.offset - BANKS_HEADER.size)
        end = self.offset + total
        while self.offset + packing.size <= end:
            name, kind, size = packing.unpack(self.read(packing.size))
            if self.offset + size > end:
                self.refuse(f"bank {name!r} of {size} bytes leaves its event", at=self.offset - packing.size)
            bank = Bank(name.decode("latin-1"), kind, size, self.offset)
            yield bank
            self.skip_to(min(end, bank.offset + padded(size)))
        self.skip_to(end)

    def read_settings(self) -> tuple[int, dict[str, Any]]:
        """Return run number and attributes from the begin-of-run event, which must come first."""
        header = self.next_event()
        if header is None:
            self._cut(0, EVENT_HEADER.size)
        if header.event_id != BEGIN_OF_RUN:
            self.refuse(f"the first event has id {header.event_id:#x}, not a begin of run", at=0)
        return header.serial, parse_settings(self.read(header.size))


def parse_settings(data: bytes) -> dict[str, Any]:
    """Return the attributes in a dump of the settings: the run parameters, the start or stop time, the sensor's size.

    A dump in another format than JSON has none.
    """
    try:
        dump = json.loads(data.rstrip(b"\0").decode())
    except ValueError:
        return {}
    attributes = dict(dump.get("Experiment", {}).get("Run Parameters", {}))
    times = dump.get("Runinfo", {})
    attributes |= {name: times[key] for name, key in (("start", "Start time"), ("end", "Stop time")) if times.get(key)}
    camera = dump.get("Equipment", {}).get("Camera", {}).get("Settings", {})
    return attributes | ({"size": camera["Width"]} if "Width" in camera else {})


def is_camera(bank: Bank) -> bool:
    """Say whether a bank holds a camera frame."""
    return bank.name.startswith("CAM")


def read_head(path: Path) -> Summary:
    """Return run number and attributes from the begin-of-run event alone; the rest of the file is not read."""
    with RawFile(path) as file:
        run, attributes = file.read_settings()
    return Summary(run, attributes)


def summarise(path: Path) -> Summary:
    """Read the whole run once and say what is in it; raises DataError when it has no begin-of-run event."""
    with RawFile(path) as file:
        run, attributes = file.read_settings()
        try:
            for event in iter(file.next_event, None):
                if event.event_id == END_OF_RUN:
                    attributes |= {k: v for k, v in parse_settings(file.read(event.size)).items() if k == "end"}
                    _expect_end(file)
                    return Summary(run, attributes, file.camera_events, "closed")
                _skip_event(file, event)
        except Truncated as error:
            return Summary(run, attributes, file.camera_events, "open", str(error))
        except DataError as error:
            return Summary(run, attributes, file.camera_events, "corrupt", str(error))
        return Summary(run, attributes, file.camera_events, "open", f"{path} has no end-of-run event.")


def _skip_event(file: RawFile, event: EventHeader) -> None:
    """Pass over an event, counting it when it holds a frame."""
    if event.event_id == BEGIN_OF_RUN:
        file.refuse("a second begin of run", at=event.offset)
    # every bank is walked through to its end, so all() must not stop early
    if sum(is_camera(bank) for bank in file.banks(event)):
        file.camera_events += 1


def _expect_end(file: RawFile) -> None:
    """Refuse anything after the end of the run; reading on also checks the compressed stream's checksum."""
    if file.next_event() is not None:
        file.refuse("there is data after the end of the run")


def camera_banks(file: RawFile, first: int, last: int | None) -> Iterator[tuple[int, bytes]]:
    """Yield (event number, bytes of the frame) for the camera events ``first <= number < last``.

    The file stands at its first event.  ``last=None`` means all, and then the end of the run must be there.

    Raises DataError when the run ends earlier, or is truncated or corrupt within the range.
    """
    while last is None or file.camera_events < last:
        event = file.next_event()
        if event is None:
            message = f"{file.path} has no end-of-run event after {file.camera_events} camera events."
            raise Truncated(message, hint="The run is still open, or the file was cut off.")
        if event.event_id == END_OF_RUN:
            file.read(event.size)
            _expect_end(file)
            if last is not None:
                message = f"{file.path} has {file.camera_events} camera events; {first}:{last} asks for more."
                raise DataError(message)
            return
        yield from _read_camera(file, event, first)
    _check_ending(file)


def _check_ending(file: RawFile) -> None:
    """Check the end of the run where it follows at once; a stream that just ends here is still growing."""
    try:
        event = file.next_event()
        if event is not None and event.event_id == END_OF_RUN:
            file.read(event.size)
            _expect_end(file)
    except Truncated:
        return


def _read_camera(file: RawFile, event: EventHeader, first: int) -> Iterator[tuple[int, bytes]]:
    """Yield the frame of one event, if it has one and is in the range, and count it."""
    if event.event_id == BEGIN_OF_RUN:
        file.refuse("a second begin of run", at=event.offset)
    is_counted = False
    for bank in file.banks(event):
        if is_camera(bank) and not is_counted:
            is_counted = True
            if file.camera_events >= first:
                yield file.camera_events, file.read(bank.size)
    file.camera_events += is_counted
