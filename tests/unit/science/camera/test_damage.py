"""Damaged MIDAS files: what is lost, what can still be read, and how much of it may be lost."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from autoctrl.errors import DataError, UsageError
from autoctrl.science.camera.raw import midas
from autoctrl.science.camera.raw.frames import read_events, read_frames
from autoctrl.science.camera.raw.rawfile import summarise
from autoctrl.science.camera.tolerance import Losses, parse_tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

SIZE, EVENTS = 16, 5
BEGIN = midas.pack_text_event(midas.BEGIN_OF_RUN, 42, 5, "{}")
END = midas.pack_text_event(midas.END_OF_RUN, 42, 9, "{}")
OTHER = midas.EVENT_HEADER.pack(7, 1, 0, 5, 8) + midas.BANKS_HEADER.pack(0, 0x31)
STRANGER = midas.EVENT_HEADER.pack(8, 1, 0, 5, 8) + midas.BANKS_HEADER.pack(0, 0x31)
FRAME = np.full((SIZE, SIZE), 99, np.uint16).tobytes()
CAMERA = midas.pack_camera_header(0, 5, len(FRAME)) + FRAME
NAME, BANK_SIZE, BANKS = 24, 32, 16  # where they stand in an event


def damaged(at: int, value: int) -> bytes:
    data = bytearray(CAMERA)
    struct.pack_into("<I", data, at, value)
    return bytes(data)


def write(folder: Path, *events: bytes, is_compressed: bool = False) -> Path:
    path = folder / "run"
    data = b"".join((BEGIN, *events, END))
    path.write_bytes(gzip.compress(data) if is_compressed else data)
    return path


def lost(path: Path, first: int = 0, last: int | None = None) -> str:
    """Return one letter per event: g for good, L for lost."""
    return "".join(
        "L" if isinstance(frame, DataError) else "g" for _, frame in read_events(path, first, last)
    )


@pytest.mark.parametrize("is_compressed", [True, False])
@pytest.mark.parametrize(
    ("at", "value"),
    [(BANKS, 1), (BANKS + 4, 0x77), (BANK_SIZE, 1 << 20), (BANK_SIZE, 30), (NAME, 0x20202020)],
)
def test_an_event_that_is_wrong_inside_is_lost_alone(
    tmp_path: Path, at: int, value: int, *, is_compressed: bool
) -> None:
    """Bank headers, sizes and names that make no sense cost their event; its header leads to the
    next.
    """
    path = write(
        tmp_path,
        OTHER,
        CAMERA,
        damaged(at, value),
        OTHER,
        CAMERA,
        CAMERA,
        is_compressed=is_compressed,
    )
    assert lost(path) == lost(path, 0, 4) == "gLgg"
    assert lost(path, 1, 3) == "Lg"
    with pytest.raises(
        DataError, match=r"run is corrupt at byte \d+ of the uncompressed stream, event 1:"
    ):
        list(read_frames(path))
    summary = summarise(path)
    assert (summary.events, summary.lost_events, summary.state) == (4, 1, "corrupt")
    assert "event 1:" in summary.problem


@pytest.mark.parametrize("bad", [damaged(12, 0x7FFFFFFF), damaged(0, 0x00018000), damaged(12, 20)])
def test_after_a_wrong_header_all_is_lost(tmp_path: Path, bad: bytes) -> None:
    """Where nobody knows the next event's place, later events of a range are lost; without a range
    it is refused.
    """
    path = write(tmp_path, CAMERA, bad, CAMERA, CAMERA)
    assert lost(path, 0, 4) == "gLLL"
    assert lost(path, 2, 4) == "LL"
    with pytest.raises(DataError, match="corrupt at byte"):
        lost(path)
    assert summarise(path).state == "corrupt"


@pytest.mark.parametrize("after", [STRANGER, damaged(0, 0x00630063)])
def test_the_way_past_damage_must_lead_to_a_known_event(tmp_path: Path, after: bytes) -> None:
    """What follows a damaged event is only believed when it is of a kind that was seen before."""
    path = write(tmp_path, CAMERA, damaged(BANKS, 1), after, CAMERA)
    assert lost(path, 0, 3) == "gLL"
    with pytest.raises(DataError, match="the stream cannot be followed any further"):
        lost(path)


def test_damage_in_an_event_of_another_kind_ends_the_reading(tmp_path: Path) -> None:
    """Nobody can say whether a damaged event of another kind was a frame."""
    path = write(tmp_path, CAMERA, OTHER[:-4] + b"\x77\0\0\0", CAMERA)
    assert lost(path, 0, 2) == "gL"


@pytest.mark.parametrize("at", [0.4, 0.7])
def test_damaged_compression_is_never_tolerated(tmp_path: Path, at: float) -> None:
    """A compressed stream cannot be followed beyond damage, nor be trusted; the events well before
    it are read.
    """
    generator = np.random.default_rng(1)
    frames = [generator.integers(90, 110, (256, 256)).astype("<u2") for _ in range(EVENTS)]
    events = [midas.pack_camera_header(0, 5, frame.nbytes) + frame.tobytes() for frame in frames]
    path = write(tmp_path, *events, is_compressed=True)
    data = bytearray(path.read_bytes())
    begin = int(at * len(data))
    data[begin : begin + 64] = b"\xff" * 64
    path.write_bytes(bytes(data))
    losses = Losses(allowed=EVENTS)
    found = [frame is not None for _, frame in losses.passing(read_events(path, 0, EVENTS))]
    assert all(found)
    assert int(at * EVENTS) - 1 <= len(found) < EVENTS
    assert losses.problem is not None
    good = read_frames(path, 0, int(at * EVENTS) - 1)
    assert all((frame[:, ::-1] == frames[event]).all() for event, frame in good)


def test_an_event_of_a_stream_is_lost_alone_only_if_its_checksum_holds(tmp_path: Path) -> None:
    """Where the checksum of a compressed stream is wrong, other events may have changed, too: the
    run is refused.
    """
    path = write(tmp_path, CAMERA, damaged(BANK_SIZE, 1 << 20), CAMERA, is_compressed=True)
    assert lost(path, 0, 3) == "gLg"
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="compressed data are damaged"):
        lost(path, 0, 2)


@pytest.mark.parametrize(
    ("text", "chosen", "events"),
    [
        ("0", (0, None), 0),
        ("3", (0, None), 3),
        ("1%", (0, 200), 2),
        ("0.5 %", (0, 200), None),
        ("0.5%", (200, 400), 1),
        ("0.01", (0, 199), 1),
        ("1.0", (0, 5), 5),
        ("100%", (0, 5), 5),
        ("many", (0, 5), None),
        ("-1", (0, 5), None),
        ("1%", (0, None), None),
    ],
)
def test_a_tolerance_is_a_number_or_a_fraction(
    text: str, chosen: tuple[int, int | None], events: int | None
) -> None:
    """A whole number is events, a fraction or percentage is of the range, which then must have an
    end.
    """
    if events is None:
        with pytest.raises(UsageError, match=r"neither a number nor a fraction|without an end"):
            parse_tolerance(text, chosen)
    else:
        assert parse_tolerance(text, chosen) == events


def stream(*items: Any) -> Iterator[tuple[int, Any]]:
    """Yield the items by number; an error in a tuple is raised instead."""
    for number, item in enumerate(items):
        if isinstance(item, tuple):
            raise item[0]
        yield number, item


def test_losses_pass_up_to_the_first_too_many() -> None:
    """Lost events have no frame; one too many ends the reading, and so does what the stream itself
    raises.
    """
    frame, bad = np.zeros((2, 2), np.uint16), DataError("event 1 is bad.", hint="Fetch it.")
    none = Losses()
    assert [event for event, _ in none.passing(stream(frame, bad, frame))] == [0]
    assert none.problem is bad
    one = Losses(allowed=1)
    passed = list(one.passing(stream(frame, bad, frame, bad)))
    assert [taken is None for _, taken in passed] == [False, True, False]
    assert one.lost == 1
    assert str(one.problem) == "event 1 is bad. More events are lost than may be (1). Fetch it."
    ended = Losses(allowed=1)
    assert len(list(ended.passing(stream(frame, (DataError("the file ends here."),))))) == 1
    assert "ends here" in str(ended.problem)
