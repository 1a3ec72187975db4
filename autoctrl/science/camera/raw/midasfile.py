"""Reads MIDAS event files as a stream, compressed or not, also while the DAQ still writes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Self

from autoctrl.errors import DataError
from autoctrl.science.camera.raw.midas import (
    BANK_HEADERS,
    BANKS_HEADER,
    BEGIN_OF_RUN,
    CAMERA_EVENT,
    END_OF_RUN,
    EVENT_HEADER,
    MAX_EVENT_BYTES,
    RUN_MASK,
    Bank,
    EventHeader,
    pad_size,
)
from autoctrl.science.camera.raw.rawfile import (
    RunSummary,
    Truncated,
    frame_shape,
    parse_settings,
    refuse_range,
)
from autoctrl.science.camera.raw.unpacking import DAMAGE, Unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from struct import Struct

    import numpy as np
    from numpy.typing import NDArray

    Frame = NDArray[np.uint16]

GZIP_MAGIC = b"\x1f\x8b"
SKIP_BYTES = 1 << 20


class Misfit(DataError):
    """An event whose inside makes no sense, while its header says where the next one begins."""


class MidasRun:
    """A raw run that is read from front to back; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` and read the settings; raises DataError without a begin of run."""
        self.path = path
        self.offset = 0
        self.camera_events = 0
        self.attributes: dict[str, Any] = {}
        self._camera_like = (CAMERA_EVENT, 1, 0)  # id, mask, bytes of the camera event before
        self._kinds = {self._camera_like[:2]}  # of all events seen
        self._after_damage = False
        self._is_checked = False
        self._raw = path.open("rb")
        self._is_compressed = self._raw.read(2) == GZIP_MAGIC
        self._raw.seek(0)
        self._stream: Unpacked | BinaryIO = (
            Unpacked(self._raw) if self._is_compressed else self._raw
        )
        try:
            self.run = self._read_settings()
        except DataError:
            self._raw.close()
            raise

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._raw.close()

    def summarise(self) -> RunSummary:
        """Read the whole run once and say what is in it; damaged events are counted as lost."""
        lost, state, problem = 0, "closed", ""
        try:
            while (event := self._next_camera(is_wanted=False)) is not None:
                if isinstance(event, Misfit):
                    lost, state, problem = lost + 1, "corrupt", problem or str(event)
        except DataError as error:
            if state == "closed":
                state, problem = "open" if isinstance(error, Truncated) else "corrupt", str(error)
        return RunSummary(self.run, self.attributes, self.camera_events, state, problem, lost)

    def events(self, first: int, last: int | None) -> Iterator[tuple[int, Frame | DataError]]:
        """Yield (event, working frame), or why it is lost, for ``first <= event < last``.

        An event whose header is whole is lost alone; where the stream itself breaks, all that
        follow are.  What is missing at the end is not lost but not there yet: ``Truncated`` is
        raised.  In a compressed stream only an event can be lost, and only if the stream's checksum
        holds: else nobody knows what else has changed.
        """
        while last is None or self.camera_events < last:
            number = self.camera_events
            try:
                event = self._next_camera(is_wanted=number >= first)
            except DataError as error:
                if last is None or self._is_the_end(error):
                    raise
                yield from ((lost, error) for lost in range(max(first, number), last))
                return
            if event is None:
                refuse_range(self.path, number, first, last)
                return
            if isinstance(event, Misfit):
                self._check_stream()
            if number >= first:
                yield number, self._to_frame(event)
        self._check_ending()

    def _is_the_end(self, error: DataError) -> bool:
        """Say whether the events after an error cannot be judged."""
        return self._is_compressed or isinstance(error, Truncated)

    def _to_frame(self, event: bytes | Misfit) -> Frame | Misfit:
        """Return the working frame in a camera event's bytes."""
        import numpy as np

        from autoctrl.science.camera.raw.orientation import to_working

        if isinstance(event, Misfit):
            return event
        shape = frame_shape(len(event) // 2, self.attributes)
        return to_working(np.frombuffer(event, dtype="<u2").reshape(shape or (0, 0)))

    def _check_stream(self) -> None:
        """Refuse a compressed stream that is damaged anywhere; a reader of its own looks once."""
        if self._is_checked or not self._is_compressed:
            return
        with MidasRun(self.path) as whole:
            while whole._read_some(SKIP_BYTES):
                pass
        self._is_checked = True

    def _check_ending(self) -> None:
        """Check the end of the run where it follows at once; a stream may end here and grow on."""
        try:
            event = self._next_event()
            if event.event_id == END_OF_RUN:
                self._read_end(event)
        except Truncated:
            return

    def _next_camera(self, *, is_wanted: bool) -> bytes | Misfit | None:
        """Return the next frame's bytes (b"" unless wanted), or what is wrong with it.

        None at the end of the run.
        """
        while (event := self._next_event()).event_id != END_OF_RUN:
            if event.event_id == BEGIN_OF_RUN:
                self._refuse("a second begin of run", at=event.offset)
            kind = (event.event_id, event.mask)
            try:
                data = self._frame_of(event, is_wanted=is_wanted)
            except Misfit as misfit:
                if kind != self._camera_like[:2]:
                    raise
                self._skip_to(event.end)
                self._after_damage = True
                self.camera_events += 1
                return misfit
            self._after_damage = False
            self._kinds.add(kind)
            if data is not None:
                self._camera_like = (*kind, event.size)
                self.camera_events += 1
                return data
        self._read_end(event)
        return None

    def _frame_of(self, event: EventHeader, *, is_wanted: bool) -> bytes | None:
        """Walk through all banks of an event and return the camera's data, if it has any.

        They are b"" unless wanted.
        """
        data = None
        for bank in self._banks(event):
            if bank.name.startswith("CAM") and data is None:
                if bank.size % 2 or frame_shape(bank.size // 2, self.attributes) is None:
                    reason = f"a camera bank of {bank.size} bytes is not a frame of this sensor"
                    self._refuse(reason, at=bank.offset, kind=Misfit)
                data = self._read(bank.size) if is_wanted else b""
        if data is None and (event.event_id, event.mask, event.size) == self._camera_like:
            self._refuse(
                "it is as long as the camera's, but has no camera bank",
                at=event.offset,
                kind=Misfit,
            )
        return data

    def _banks(self, event: EventHeader) -> Iterator[Bank]:
        """Yield an event's banks; the caller may read one's data before asking for the next."""
        packing = self._packing_of(event)
        while self.offset + packing.size <= event.end:
            name, kind, size = packing.unpack(self._read(packing.size))
            if self.offset + size > event.end:
                reason = f"bank {name!r} of {size} bytes leaves its event"
                self._refuse(reason, at=self.offset - packing.size, kind=Misfit)
            bank = Bank(name.decode("latin-1"), kind, size, self.offset)
            yield bank
            self._skip_to(min(event.end, bank.offset + pad_size(size)))
        self._skip_to(event.end)

    def _packing_of(self, event: EventHeader) -> Struct:
        """Read the header of an event's banks, and return how each of them is packed."""
        total, flags = BANKS_HEADER.unpack(self._read(BANKS_HEADER.size))
        packing = BANK_HEADERS.get(flags)
        if packing is None or total + BANKS_HEADER.size != event.size:
            header = f"a bank header of {total} bytes with flags {flags:#x}"
            reason = f"{header} does not fit an event of {event.size} bytes"
            self._refuse(reason, at=self.offset - BANKS_HEADER.size, kind=Misfit)
        return packing

    def _next_event(self) -> EventHeader:
        """Return the next event's header."""
        offset = self.offset
        data = self._read_some(EVENT_HEADER.size)
        if not data:
            events = f"{self.camera_events} camera events"
            message = f"{self.path} has no end-of-run event after {events}."
            raise Truncated(message, hint="The run is still open, or the file was cut off.")
        if len(data) < EVENT_HEADER.size:
            self._cut(len(data), EVENT_HEADER.size)
        event_id, mask, serial, timestamp, size = EVENT_HEADER.unpack(data)
        header = EventHeader(event_id, mask, serial, timestamp, size, offset)
        self._check_header(header)
        return header

    def _check_header(self, header: EventHeader) -> None:
        """Refuse the header of an event that cannot be."""
        known = f"event id {header.event_id:#x}"
        if header.size > MAX_EVENT_BYTES:
            self._refuse(f"an event of {header.size} bytes is impossible", at=header.offset)
        if header.is_run_boundary and header.mask != RUN_MASK:
            self._refuse(f"{known} without the mask of a run boundary", at=header.offset)
        is_known = header.is_run_boundary or (header.event_id, header.mask) in self._kinds
        if self._after_damage and not is_known:
            reason = "after a damaged event: the stream cannot be followed any further"
            self._refuse(f"{known} {reason}", at=header.offset)

    def _read_settings(self) -> int:
        """Take the attributes from the begin-of-run event and return the run number."""
        header = self._next_event()
        if header.event_id != BEGIN_OF_RUN:
            self._refuse(f"the first event has id {header.event_id:#x}, not a begin of run", at=0)
        self.attributes = parse_settings(self._read(header.size))
        return header.serial

    def _read_end(self, event: EventHeader) -> None:
        """Take the end's time, and refuse anything that follows.

        Reading on checks the checksum of a compressed stream.
        """
        settings = parse_settings(self._read(event.size))
        if "end" in settings:
            self.attributes["end"] = settings["end"]
        if self._read_some(1):
            self._refuse("there is data after the end of the run")

    def _read(self, size: int) -> bytes:
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
            self._refuse(f"the compressed data are damaged ({error})", cause=error)
        self.offset += len(data)
        return data

    def _skip_to(self, offset: int) -> None:
        """Go on to ``offset`` without keeping anything; what is not compressed is not even read."""
        if self._is_compressed:
            while self.offset < offset:
                self._read(min(SKIP_BYTES, offset - self.offset))
            return
        there = os.fstat(self._raw.fileno()).st_size
        if there < offset:
            self._cut(max(0, there - self.offset), offset - self.offset)
        self._raw.seek(offset)
        self.offset = offset

    def _refuse(
        self,
        reason: str,
        *,
        at: int | None = None,
        cause: Exception | None = None,
        kind: type[DataError] = DataError,
    ) -> NoReturn:
        """Raise ``kind``: ``reason``, with file, offset and event."""
        offset = self.offset if at is None else at
        where = f"byte {offset} of the uncompressed stream, event {self.camera_events}"
        message = f"{self.path} is corrupt at {where}: {reason}."
        raise kind(message, hint="Fetch the raw file again.") from cause

    def _cut(self, got: int, wanted: int, cause: Exception | None = None) -> NoReturn:
        where = f"byte {self.offset} of the uncompressed stream, in or before event"
        message = (
            f"{self.path} ends at {where} {self.camera_events}: {got} of {wanted} bytes are there."
        )
        hint = "The run is still open, or the file was cut off: fetch it again."
        raise Truncated(message, hint=hint) from cause
