"""Raw runs in their containers: the same frames from each, whatever the file is called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import uproot

from autoctrl.errors import DataError, UsageError
from autoctrl.science.camera.histograms import make_histogram
from autoctrl.science.camera.raw.frames import read_events, read_frames
from autoctrl.science.camera.raw.orientation import transpose
from autoctrl.science.camera.raw.rawfile import (
    Truncated,
    frame_shape,
    parse_settings,
    read_head,
    summarise,
)
from autoctrl.science.camera.raw.writers import FORMS
from autoctrl.science.camera.simulation.daq import RunPlan, draw_frames, write_run
from autoctrl.science.camera.simulation.light import Content

if TYPE_CHECKING:
    from pathlib import Path

# wide, so that rows and columns cannot be taken for each other
PLAN = RunPlan(4501, "physics", 3, size=64, height=48, content=Content(1, 0, 1, 0))


@pytest.mark.parametrize("form", FORMS)
def test_every_container_gives_the_same_run(tmp_path: Path, form: str) -> None:
    """Frames, run number, attributes, events and the end are the same in each; the name of the file
    says nothing.
    """
    path = write_run(PLAN, tmp_path, form).rename(tmp_path / "raw")
    drawn = [frame for frame, _ in draw_frames(PLAN)]
    frames = list(read_frames(path))
    assert [event for event, _ in frames] == [0, 1, 2]
    assert all(frame.shape == (48, 64) and frame.dtype == np.uint16 for _, frame in frames)
    assert all((frame == drawn[event]).all() for event, frame in frames)
    assert [event for event, _ in read_frames(path, 1, 2)] == [1]
    summary = summarise(path)
    assert (summary.run, summary.events, summary.lost_events, summary.is_closed) == (
        4501,
        3,
        0,
        True,
    )
    wanted = {"kind": "physics", "seed": 1, "width": 64, "height": 48}
    assert {name: summary.attributes[name] for name in wanted} == wanted
    assert "end" in summary.attributes
    assert read_head(path).run == 4501


@pytest.mark.parametrize("form", FORMS)
def test_a_range_beyond_the_run_is_refused_in_each(tmp_path: Path, form: str) -> None:
    """Asking for more events than there are is an error that says how many there are."""
    with pytest.raises(DataError, match="has 3 camera events; 2:4 asks for more"):
        list(read_frames(write_run(PLAN, tmp_path, form), 2, 4))


@pytest.mark.parametrize("form", FORMS)
def test_a_range_that_begins_behind_the_run_is_refused_in_each(tmp_path: Path, form: str) -> None:
    """The rest of a run from its end on is empty; from any later event on there is none, and the
    error says so.
    """
    path = write_run(PLAN, tmp_path, form)
    assert list(read_frames(path, 3)) == []
    with pytest.raises(
        DataError, match="has 3 camera events; the range 4: begins after them"
    ) as refused:
        list(read_frames(path, 4))
    assert refused.value.hint == "The last event is number 2."


def test_a_container_that_cannot_grow_is_refused_live(tmp_path: Path) -> None:
    """HDF5 and ROOT files cannot be read before they are complete."""
    with pytest.raises(UsageError, match="form h5 cannot be read before it is complete"):
        write_run(PLAN, tmp_path, "h5", pause_s=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (64, 130), (130, 64), (200, 300)])
def test_a_transposed_frame_is_one(shape: tuple[int, int]) -> None:
    """Transposing in blocks gives what transposing at once gives, contiguous."""
    frame = np.random.default_rng(5).integers(0, 65536, shape).astype(np.uint16)
    assert (transpose(frame) == frame.T).all()
    assert transpose(frame).flags.c_contiguous


@pytest.mark.parametrize(
    ("pixels", "attributes", "shape"),
    [
        (48 * 64, {"width": 64, "height": 48}, (48, 64)),
        (48 * 64, {"width": 64, "height": 64}, None),
        (2304 * 4096, {}, (2304, 4096)),
        (2304 * 2304, {}, (2304, 2304)),
        (64 * 64, {}, (64, 64)),
        (64 * 64, {"width": "wide", "height": 64}, (64, 64)),
        (48 * 64, {}, None),
        (0, {}, None),
    ],
)
def test_the_shape_of_a_frame(
    pixels: int, attributes: dict[str, Any], shape: tuple[int, int] | None
) -> None:
    """The run's own size decides; without one, a known sensor's, else a square."""
    assert frame_shape(pixels, attributes) == shape


def hdf5(path: Path, **pictures: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, picture in pictures.items():
            file.create_dataset(name, data=picture)
    return path


def root(path: Path, **pictures: Any) -> Path:
    with uproot.recreate(path) as file:
        for name, picture in pictures.items():
            file[name] = make_histogram(picture.T, name)
    return path


@pytest.mark.parametrize("write", [hdf5, root])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32, np.float64])
def test_files_of_others_are_read(tmp_path: Path, write: Any, kind: type) -> None:
    """Pictures of any type of number are read, without settings and beside other objects."""
    stored: np.ndarray[Any, Any] = np.arange(12, dtype=kind).reshape(4, 3)
    path = write(tmp_path / "x", pic_run7_ev0=stored, pic_run7_ev1=stored + 1, other=stored)
    frames = list(read_frames(path))
    assert [frame.tolist() for _, frame in frames] == [stored.T.tolist(), (stored.T + 1).tolist()]
    assert frames[0][1].dtype == np.uint16
    assert (summarise(path).run, summarise(path).attributes) == (7, {})


@pytest.mark.parametrize("write", [hdf5, root])
def test_an_event_that_is_missing_between_others_is_lost(tmp_path: Path, write: Any) -> None:
    """Its number stays free, it is told of, and the events after it are read."""
    path = write(tmp_path / "x", pic_run7_ev0=np.zeros((2, 2)), pic_run7_ev2=np.ones((2, 2)))
    summary = summarise(path)
    assert (summary.events, summary.lost_events, summary.state) == (3, 1, "corrupt")
    assert "no pic_run7_ev1, but later events" in summary.problem
    events = list(read_events(path))
    assert [isinstance(frame, DataError) for _, frame in events] == [False, True, False]
    with pytest.raises(DataError, match="pic_run7_ev1"):
        list(read_frames(path))
    assert [event for event, _ in read_frames(path, 2, 3)] == [2]


@pytest.mark.parametrize("write", [hdf5, root])
@pytest.mark.parametrize("bad", [0.5, -1.0, 70000.0, float("nan")])
def test_what_is_no_count_is_refused(tmp_path: Path, write: Any, bad: float) -> None:
    """Only whole numbers of 16 bits are counts."""
    path = write(tmp_path / "x", pic_run7_ev0=np.full((2, 2), bad))
    with pytest.raises(DataError, match=r"corrupt at byte \d+, event 0: .*not 16-bit counts"):
        list(read_frames(path))


@pytest.mark.parametrize("form", ["h5", "root"])
def test_a_damaged_frame_is_lost_alone(tmp_path: Path, form: str) -> None:
    """Damaged bytes of one frame are refused with file, position and event; the others are good."""
    path = write_run(PLAN, tmp_path, form)
    data = bytearray(path.read_bytes())
    begin = first_byte(path, form)
    data[begin + 200 : begin + 400] = b"\x55" * 200
    path.write_bytes(bytes(data))
    events = list(read_events(path))
    assert [isinstance(frame, DataError) for _, frame in events] == [False, True, False]
    assert f"{path} is corrupt at byte {begin}, event 1: pic_run4501_ev1 cannot be read" in str(
        events[1][1]
    )


def test_a_frame_without_its_description_is_lost_alone(tmp_path: Path) -> None:
    """A dataset that cannot even be opened has no position; the others are good."""
    path = write_run(PLAN, tmp_path, "h5")
    with h5py.File(path) as file:
        begin = h5py.h5o.get_info(file["pic_run4501_ev1"].id).addr
    overwrite(path, begin)
    events = list(read_events(path))
    assert [isinstance(frame, DataError) for _, frame in events] == [False, True, False]
    assert f"{path} is corrupt, event 1: pic_run4501_ev1 cannot be read" in str(events[1][1])


def test_damaged_settings_are_refused(tmp_path: Path) -> None:
    """Settings that are there and cannot be read refuse the file: they say the size of the
    frames.
    """
    path = write_run(PLAN, tmp_path, "root")
    with uproot.open(path) as file:
        begin = int(file.key("settings").fSeekKey) + int(file.key("settings").fKeylen)
    overwrite(path, begin)
    with pytest.raises(DataError, match="is corrupt: what it holds cannot be read"):
        summarise(path)


@pytest.mark.parametrize(
    "text", ["[]", "5", '{"Experiment": []}', '{"Runinfo": null}', '{"Equipment": {"Camera": 1}}']
)
def test_settings_of_another_shape_say_nothing(text: str) -> None:
    """JSON that is not a dump of the settings has no attributes."""
    assert parse_settings(text.encode()) == {}


def overwrite(path: Path, begin: int) -> None:
    """Damage some bytes of a file."""
    data = bytearray(path.read_bytes())
    data[begin : begin + 60] = b"\xaa" * 60
    path.write_bytes(bytes(data))


def first_byte(path: Path, form: str) -> int:
    """Return where the data of event 1 begin."""
    if form == "h5":
        with h5py.File(path) as file:
            return int(file["pic_run4501_ev1"].id.get_chunk_info(0).byte_offset)
    with uproot.open(path) as file:
        return int(file.key("pic_run4501_ev1").fSeekKey)


@pytest.mark.parametrize("form", ["h5", "root"])
def test_a_cut_container_is_refused(tmp_path: Path, form: str) -> None:
    """A file without its end cannot be opened, and is not taken for a shorter run."""
    path = write_run(PLAN, tmp_path, form)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"not a readable|bytes that it was closed with"):
        summarise(path)


@pytest.mark.parametrize("write", [hdf5, root])
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["pic_run7_ev0", "pic_run8_ev0"], r"frames of the runs \[7, 8\]"),
        (["x", "pic_run7"], "no frame named pic_run"),
    ],
)
def test_a_file_that_is_no_run_is_refused(
    tmp_path: Path, write: Any, names: list[str], reason: str
) -> None:
    """There must be frames, and all of them of one run."""
    path = write(tmp_path / "x", **{name: np.zeros((2, 2)) for name in names})
    with pytest.raises(DataError, match=f"is not a raw run: it holds {reason}"):
        read_head(path)


def test_a_picture_of_other_dimensions_is_refused(tmp_path: Path) -> None:
    """A frame has rows and columns."""
    with pytest.raises(DataError, match=r"event 0: .*has 1 dimensions"):
        list(read_frames(hdf5(tmp_path / "x", pic_run7_ev0=np.zeros(4))))


@pytest.mark.parametrize("form", ["mid.gz", "mid"])
def test_a_growing_run_is_read_up_to_its_last_complete_event(tmp_path: Path, form: str) -> None:
    """Whatever part of the next event is there, the complete ones are counted and read; the rest is
    not there yet.
    """
    path, frames = tmp_path / "raw", [frame for frame, _ in draw_frames(PLAN)]
    writer = FORMS[form].open(path, 4501)
    writer.begin(5, "{}")
    wide = replace(PLAN, size=48)
    frames = [frame for frame, _ in draw_frames(wide)]
    ends = []
    for frame in frames:
        writer.add(frame, 5)
        writer.flush()
        ends.append(path.stat().st_size)
    writer.close()
    data = path.read_bytes()
    for events, end in enumerate(ends[:-1], start=1):
        for size in {
            end,
            end + 1,
            end + 10,
            end + 40,
            (end + ends[events]) // 2,
            ends[events] - 10,
        }:
            path.write_bytes(data[:size])
            summary = summarise(path)
            assert (summary.events, summary.state) == (events, "open")
            assert all(
                (frame == frames[event]).all() for event, frame in read_frames(path, 0, events)
            )
            with pytest.raises(Truncated):
                list(read_events(path, 0, events + 1))
