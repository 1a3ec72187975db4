"""Raw runs: written, read as a stream, refused when damaged."""

from __future__ import annotations

import gzip
import json
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.errors import DataError
from autoctrl.science.camera.raw import midas
from autoctrl.science.camera.raw.frames import read_frames
from autoctrl.science.camera.raw.orientation import to_working
from autoctrl.science.camera.raw.rawfile import Truncated, parse_settings, read_head, summarise

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 16
SETTINGS = json.dumps({"Experiment": {"Run Parameters": {"kind": "physics", "fill": 8}}})


def frame(event: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return np.arange(SIZE * SIZE, dtype=np.uint16).reshape(SIZE, SIZE) + np.uint16(1000 * event)


def camera_event(event: int) -> bytes:
    data = frame(event).tobytes()
    return midas.pack_camera_header(event, 5, len(data)) + data


def other_event(flags: int) -> bytes:
    header = midas.BANK_HEADERS[flags].pack(b"TEMP", 6, 4) + b"\1\2\3\4" + b"\0" * 4
    banks = (
        midas.BANKS_HEADER.pack(2 * len(header), flags) + header + header.replace(b"TEMP", b"PRES")
    )
    return midas.EVENT_HEADER.pack(7, 1, 0, 5, len(banks)) + banks


LARGE = 6000  # events


def run_bytes(events: int = 3) -> bytes:
    begin = midas.pack_text_event(midas.BEGIN_OF_RUN, 42, 5, SETTINGS)
    end = midas.pack_text_event(
        midas.END_OF_RUN, 42, 9, json.dumps({"Runinfo": {"Stop time": "later"}})
    )
    return begin + b"".join(camera_event(event % 50) for event in range(events)) + end


def write(tmp_path: Path, data: bytes, *, is_compressed: bool = True) -> Path:
    path = tmp_path / ("run00042.mid.gz" if is_compressed else "run00042.mid")
    path.write_bytes(gzip.compress(data, 1) if is_compressed else data)
    return path


@pytest.mark.parametrize("is_compressed", [True, False])
def test_frames_come_in_order_and_in_the_working_orientation(
    tmp_path: Path, *, is_compressed: bool
) -> None:
    """Every event's frame is read, mirrored as the DAQ's orientation asks, from compressed and from
    plain files.
    """
    path = write(tmp_path, run_bytes(), is_compressed=is_compressed)
    frames = list(read_frames(path))
    assert [event for event, _ in frames] == [0, 1, 2]
    assert all((taken[:, ::-1] == frame(event)).all() for event, taken in frames)
    assert (to_working(to_working(frame(1))) == frame(1)).all()


def test_a_range_is_half_open(tmp_path: Path) -> None:
    """First is read, last is not; an empty range gives nothing."""
    path = write(tmp_path, run_bytes())
    assert [event for event, _ in read_frames(path, 1, 3)] == [1, 2]
    assert [event for event, _ in read_frames(path, 1, 1)] == []


def test_a_range_beyond_the_run_is_refused(tmp_path: Path) -> None:
    """Asking for more events than there are is an error that says how many there are."""
    with pytest.raises(DataError, match="has 3 camera events; 0:4 asks for more"):
        list(read_frames(write(tmp_path, run_bytes()), 0, 4))


@pytest.mark.parametrize("flags", [0x01, 0x11, 0x31])
def test_events_without_a_frame_are_passed_over(tmp_path: Path, flags: int) -> None:
    """Banks of every kind are walked through; only events with a camera bank are counted."""
    data = run_bytes(2)
    begin = len(midas.pack_text_event(midas.BEGIN_OF_RUN, 42, 5, SETTINGS))
    path = write(tmp_path, data[:begin] + other_event(flags) + data[begin:])
    assert [event for event, _ in read_frames(path)] == [0, 1]
    assert summarise(path).events == 2


def test_a_summary_knows_settings_events_and_end(tmp_path: Path) -> None:
    """Run number, attributes from both ends, the number of events, and that the run is closed."""
    summary = summarise(write(tmp_path, run_bytes()))
    assert (summary.run, summary.events, summary.is_closed) == (42, 3, True)
    assert summary.attributes == {"kind": "physics", "fill": 8, "end": "later"}


def test_the_head_is_read_from_a_file_that_is_still_growing(tmp_path: Path) -> None:
    """The begin of a run is known as soon as it is there, whatever is missing behind it."""
    path = write(tmp_path, run_bytes()[:200])
    assert read_head(path).attributes["kind"] == "physics"


@pytest.mark.parametrize("missing", [1, 8, 40, 120, 700, 1200])
def test_a_truncated_run_is_open_and_refused(tmp_path: Path, missing: int) -> None:
    """Wherever the stream ends early, the summary says open and reading names file, offset and
    event.
    """
    data = run_bytes()
    path = write(tmp_path, data[: len(data) - missing])
    summary = summarise(path)
    assert summary.state == "open"
    with pytest.raises(
        Truncated, match=r"run00042\.mid\.gz ends at byte \d+ of the uncompressed stream.*event \d"
    ):
        list(read_frames(path))


def test_a_cut_compressed_file_is_refused(tmp_path: Path) -> None:
    """A gzip stream without its end is truncated, not silently shorter."""
    path = write(tmp_path, run_bytes())
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(Truncated, match="cut off"):
        list(read_frames(path))


def test_damaged_compressed_data_are_refused(tmp_path: Path) -> None:
    """A flipped checksum of the gzip stream is corruption, found at its end."""
    path = write(tmp_path, run_bytes(LARGE))  # what is unpacked at once is checked at once
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(bytes(data))
    assert (summarise(path).state, summarise(path).run) == ("corrupt", 42)
    with pytest.raises(DataError, match="compressed data are damaged"):
        list(read_frames(path))


@pytest.mark.parametrize(
    ("at", "value", "found", "reason"),
    [
        (12, 0x7FFFFFFF, 0, "an event of 2147483647 bytes is impossible"),
        (0, 0x00018000, 0, "without the mask of a run boundary"),
        (16, 99, 16, "bank header of 99 bytes"),
        (20, 0x77, 16, "flags 0x77"),
        (32, 0x00FFFFFF, 24, "leaves its event"),
    ],
)
def test_nonsense_is_refused_with_its_offset(
    tmp_path: Path, at: int, value: int, found: int, reason: str
) -> None:
    """An impossible number in a header is corruption, with the offset and the event where it was
    met.
    """
    data = bytearray(run_bytes())
    begin = len(midas.pack_text_event(midas.BEGIN_OF_RUN, 42, 5, SETTINGS)) + len(camera_event(0))
    struct.pack_into("<I", data, begin + at, value)
    path = write(tmp_path, bytes(data))
    with pytest.raises(DataError, match=rf"corrupt at byte {begin + found} .*event 1: .*{reason}"):
        list(read_frames(path))
    assert summarise(path).state == "corrupt"


def test_data_after_the_end_of_the_run_are_refused(tmp_path: Path) -> None:
    """A run has one end and nothing after it."""
    path = write(tmp_path, run_bytes() + run_bytes())
    with pytest.raises(DataError, match="after the end of the run"):
        list(read_frames(path))


def test_a_frame_of_no_known_shape_is_refused(tmp_path: Path) -> None:
    """A camera bank must hold a frame of the run's sensor; where the run does not say which, at
    least a square.
    """
    event = midas.pack_camera_header(0, 5, 30) + b"\0" * 32
    path = write(tmp_path, midas.pack_text_event(midas.BEGIN_OF_RUN, 42, 5, SETTINGS) + event)
    with pytest.raises(DataError, match="30 bytes is not a frame of this sensor"):
        list(read_frames(path, 0, 1))


def test_a_file_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """A file must begin with a begin of run, and must be there."""
    with pytest.raises(DataError, match="not a begin of run"):
        read_head(write(tmp_path, camera_event(0)))
    with pytest.raises(DataError, match="cannot be opened"):
        read_head(tmp_path / "missing.mid.gz")


def test_settings_in_another_format_are_no_attributes() -> None:
    """A dump of the settings that is not JSON gives no attributes and no error."""
    assert parse_settings(b"<odb/>\0\0") == {}
